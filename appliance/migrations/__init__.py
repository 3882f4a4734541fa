"""Alembic migrations, run at start. A flat list in `versions/`."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from appliance.database import Database

HERE = Path(__file__).parent


class Downgrade(Exception):
    """The database was made by a newer version of Bookwake."""


def upgrade(database: "Database") -> None:
    """Run what is missing. Raises `Downgrade`."""
    if _is_current(database):
        return
    # Costs half a second and some megabytes for as long as the process lives; most starts need none of it.
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(HERE))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise Downgrade(
            f"The database was made by a newer version of Bookwake (revision {current}). Install that version again,"
            " or restore a backup that this version made."
        )
    config.attributes["engine"] = database.engine
    command.upgrade(config, "head")


def newest_revision() -> str:
    """The revision of the last migration; the files begin with their revisions, which sort."""
    return max(path.name.partition("_")[0] for path in (HERE / "versions").glob("[0-9]*_*.py"))


def _is_current(database: "Database") -> bool:
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return [newest_revision()] == list(connection.scalars(text("SELECT version_num FROM alembic_version")))
