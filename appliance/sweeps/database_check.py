"""Read the database through once after each start: a power cut or a failing card should be noticed before a backup
of the damage replaces a good one."""

from pathlib import Path

from appliance.house import House
from appliance.operations import sqlite_copy
from appliance.operations.errors import OperationError
from appliance.sweeps.schedule import AtStart
from appliance.sweeps.sweep import Stopping, Sweep


class Damaged(OperationError):
    """The database has broken pages."""


def run(house: House, _stopping: Stopping) -> str:
    """Raises `Damaged`."""
    if not house.database.is_sqlite:
        return "PostgreSQL checks its own pages."
    if found := sqlite_copy.problems(Path(house.database.url.database or ""), thorough=False):
        raise Damaged(f"The database is damaged: {found[0]}.", "Stop Bookwake and restore the newest backup.")
    return "Every page of the database is sound."


SWEEP = Sweep("check", "Reads every page of the database and looks for damage.", AtStart(5), run)
