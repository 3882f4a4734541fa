"""A copy of a SQLite database that is in use: consistent, complete and a single file.

The live files are never copied as files, because half of the truth may be in the write-ahead log. SQLite's own
backup interface reads them page by page instead.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGES_PER_STEP = 256
"""One megabyte; between two steps the card belongs to others."""

PAUSE = 0.02
"""Seconds between two steps."""


class Interrupted(Exception):
    """The copy was given up because the appliance stops."""


def copy(source: Path, target: Path, stopping: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Copy the database at `source` to the new file `target` (mode 0600) and sync it to the disk.

    Returns the rows of each table at the copied instant, counted in `source`. Writers go on meanwhile: the copy is of
    the state at its beginning. Raises `sqlite3.Error`, `OSError` and `Interrupted`; `target` may be left behind then.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def between_steps(_status: int, _remaining: int, _total: int) -> None:
        if stopping():
            raise Interrupted
        time.sleep(PAUSE)

    with closing(_connect(source, "rw")) as live, closing(_connect(target, "rw")) as fresh:
        # An open read transaction pins one state: without it each commit elsewhere would start the backup over.
        live.execute("BEGIN")
        rows = count_rows(live)
        live.backup(fresh, pages=PAGES_PER_STEP, progress=between_steps)
        live.execute("ROLLBACK")
        # The copy inherits the write-ahead log; without it the file is whole in itself and can be opened anywhere.
        fresh.execute("PRAGMA journal_mode=DELETE")
    _sync(target)
    return rows


def count_rows(connection: sqlite3.Connection) -> dict[str, int]:
    """Rows of each table."""
    names = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
    )
    return {name: _count(connection, name) for (name,) in names.fetchall()}


def problems(database: Path, thorough: bool = True, limit: int = 5) -> list[str]:
    """What SQLite finds wrong in a database file: damaged pages and, if `thorough`, indexes that disagree with their
    tables and references to rows that do not exist. Empty when all is well. Reads the whole file and writes nothing."""
    try:
        with closing(_connect(database, "ro")) as connection:
            check = f"PRAGMA {'integrity_check' if thorough else 'quick_check'}({limit})"
            found = [str(row[0]) for row in connection.execute(check) if row[0] != "ok"]
            if thorough and not found:
                orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(limit)
                found = [
                    f"row {row} of {table} refers to a row of {parent} that is missing"
                    for table, row, parent, _ in orphans
                ]
            return found
    except sqlite3.DatabaseError as error:
        return [str(error)]


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=10)


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    return int(connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
