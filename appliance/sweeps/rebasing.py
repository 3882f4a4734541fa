"""Carry positions over when the file of a book was replaced."""

from typing import Any

from appliance.house import House
from appliance.reading.annotations.rebasing import rebase_annotations
from appliance.reading.progress.rebasing import rebase
from appliance.sweeps.schedule import After
from appliance.sweeps.sweep import Stopping, Sweep


class Rebasing:
    """Positions and annotations. Remembers what could not be carried over, until the file or the place changes or the
    appliance starts again."""

    def __init__(self) -> None:
        self._stuck: set[Any] = set()

    def run(self, house: House, stopping: Stopping) -> str:
        """See `rebasing` of `reading.progress` and of `reading.annotations`."""
        moved = rebase(house, stopping, self._stuck)
        moved += rebase_annotations(house, stopping, self._stuck)
        if not moved:
            return "No file was replaced in which somebody reads."
        return f"{moved:,} {'place was' if moved == 1 else 'places were'} carried over to a file that was replaced."


SWEEP = Sweep("rebasing", "Carries places over when the file of a book was replaced.", After("scan"), Rebasing().run)
