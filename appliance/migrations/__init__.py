"""Alembic migrations, run at start. A flat list in `versions/`."""

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from appliance.database import Database


class Downgrade(Exception):
    """The database was made by a newer version of Bookwake."""


def upgrade(database: "Database") -> None:
    """Run what is missing. Raises `Downgrade`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
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
