"""A backup is worth what its restore is worth: put it in place somewhere harmless and open it as the program would."""

from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

import appliance.models  # noqa: F401  registers the tables
from appliance.database import Database
from appliance.operations.errors import RestoreRefused
from appliance.operations.restore import unpack


def restore(backup: Path, scratch: Path, expected: dict[str, int]) -> None:
    """Restore a SQLite `backup` into the new file `scratch` with the code of a real restore, and compare the rows of
    each table with `expected`. Raises `RestoreRefused`."""
    unpack(backup, scratch)
    database = Database(f"sqlite:///{scratch}")
    try:
        compare(expected, count_rows(database))
    finally:
        database.close()


def count_rows(database: Database) -> dict[str, int]:
    """Rows of each table that this version of the program uses. Raises `RestoreRefused` when one is missing."""
    tables = SQLModel.metadata.sorted_tables
    try:
        with database.read() as session:
            return {
                table.name: session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
            }
    except SQLAlchemyError as error:
        raise RestoreRefused(f"the restored database cannot be read: {error}") from error


def compare(expected: dict[str, int], found: dict[str, int]) -> None:
    """Raises `RestoreRefused` when a table has another number of rows than it should."""
    for table, rows in found.items():
        if expected.get(table) != rows:
            raise RestoreRefused(f"table {table} has {rows} rows and should have {expected.get(table, 'none at all')}")
