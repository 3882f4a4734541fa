"""Go back to a backup: beside the live database first, checked there, and switched to only when all is well."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from appliance.database import Database
from appliance.library.kobo_doubt import doubt
from appliance.operations import kept_files, sqlite_copy
from appliance.operations.errors import RestoreRefused
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Restored:
    """`rows`: of each table now. `previous`: where the database that was in use is kept, `None` if there was none."""

    rows: dict[str, int]
    previous: Path | None


def unpack(backup: Path, target: Path) -> None:
    """Copy a backup to the new file `target` (mode 0600) and check every page. Raises `RestoreRefused`."""
    try:
        with (
            open(backup, "rb") as source,
            open(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as copy,
        ):
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
    except OSError as error:
        raise RestoreRefused(f"{backup} could not be copied: {error.strerror}.") from error
    if found := sqlite_copy.problems(target):
        raise RestoreRefused(f"{backup} is damaged: {found[0]}.", "Use an older backup.")


def restore(settings: Settings, backup: Path, now: datetime) -> Restored:
    """Make `backup` the database. Bookwake must not run meanwhile.

    The database that was in use is kept beside it under another name. A backup of an older version is brought up to
    date first. Raises `RestoreRefused`, also for a backup of a newer version; then nothing has changed.
    """
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        raise RestoreRefused(
            "The database is a PostgreSQL server, which Bookwake does not replace by itself.",
            f"Stop Bookwake, run: pg_restore --clean --if-exists --dbname=… {backup}"
            f" and copy the folders texts and sidecars beside it to {settings.data}.",
        )
    live = Path(url.database or "")
    fresh = live.with_name(live.name + ".restoring")
    live.parent.mkdir(parents=True, exist_ok=True)
    fresh.unlink(missing_ok=True)
    try:
        unpack(backup, fresh)
        rows = _bring_up_to_date(backup, fresh, now)
        kept_files.bring_back(settings, backup)
        previous = _keep(live, now)
        os.replace(fresh, live)
    finally:
        for suffix in ("", "-wal", "-shm"):
            fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    return Restored(rows, previous)


def _bring_up_to_date(backup: Path, fresh: Path, now: datetime) -> dict[str, int]:
    """Migrate the unpacked backup; returns its rows. It is a single file afterwards. Kobos may by now hold notes that
    it does not know."""
    from appliance.migrations import Downgrade

    with closing(sqlite3.connect(fresh)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone():
            raise RestoreRefused(f"{backup} is not a backup of Bookwake: it has no version in it.")
    database = Database(f"sqlite:///{fresh}")
    try:
        database.migrate()
        with database.write() as session:
            doubt(session.connection(), "restored", now)
    except Downgrade as error:
        raise RestoreRefused(
            f"{backup} was made by a newer version of Bookwake.", "Install that version first."
        ) from error
    finally:
        database.close()
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        return sqlite_copy.count_rows(connection)


def _keep(live: Path, now: datetime) -> Path | None:
    """Keep the database in use under another name, with its log if that could not be folded in. The live file stays
    in its place until the restored one replaces it in one step: a power cut must not leave no database at all."""
    if not live.exists():
        return None
    _fold_log(live)
    previous = live.with_name(f"{live.name}.before-restore-{now:%Y-%m-%dT%H%M%SZ}")
    shutil.copy2(live, previous)
    for suffix in ("-wal", "-shm"):
        part = live.with_name(live.name + suffix)
        if part.exists():  # a log of other contents must not lie beside the restored file
            os.replace(part, previous.with_name(previous.name + suffix))
    return previous


def _fold_log(live: Path) -> None:
    """Fold the write-ahead log into the file, which works only when nobody else has it open: the test whether
    Bookwake runs. A damaged database cannot do it, and then is set aside with its log."""
    try:
        with closing(sqlite3.connect(live, isolation_level=None, timeout=2)) as connection:
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
            if mode != "delete":
                raise RestoreRefused("The database is in use.", "Stop Bookwake, then restore again.")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise RestoreRefused("The database is in use.", "Stop Bookwake, then restore again.") from error
    except sqlite3.DatabaseError:
        pass
