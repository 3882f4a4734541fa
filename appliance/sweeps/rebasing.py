"""Carry positions over when the file of a book was replaced."""

from appliance.house import House
from appliance.reading.rebasing import rebase
from appliance.sweeps.schedule import After
from appliance.sweeps.sweep import Stopping, Sweep


def run(house: House, stopping: Stopping) -> str:
    """See `appliance.reading.rebasing`."""
    moved = rebase(house, stopping)
    if not moved:
        return "Every place is counted in the present file of its book."
    return f"{moved:,} {'place was' if moved == 1 else 'places were'} carried over to a file that was replaced."


SWEEP = Sweep("rebasing", "Carries places over when the file of a book was replaced.", After("scan"), run)
