"""Scheduled work; each sweep is one small file."""

from typing import TYPE_CHECKING

from appliance.house import House
from appliance.sweeps import database_check, library_scan, nightly_backup, placing, preparation, rebasing, texts
from appliance.sweeps.runs import Runs
from appliance.sweeps.sweep import Run, State, Sweep

if TYPE_CHECKING:
    from appliance.sweeps.scheduler import Scheduler

__all__ = ["SWEEPS", "Run", "State", "Sweep", "list_sweeps", "run_now", "start"]

SWEEPS: tuple[Sweep, ...] = (
    library_scan.SWEEP,
    preparation.SWEEP,
    placing.SWEEP,
    rebasing.SWEEP,
    texts.SWEEP,
    nightly_backup.SWEEP,
    database_check.SWEEP,
)


def start(house: House) -> "Scheduler":
    """Begin to run the sweeps; call it inside the server's event loop and `stop()` what it returns at the end."""
    from appliance.sweeps.scheduler import Scheduler  # APScheduler is for the server only

    scheduler = Scheduler(house, SWEEPS)
    scheduler.start()
    house.texts.on_wanted = lambda: scheduler.run_soon(texts.SWEEP.name)
    return scheduler


def list_sweeps(house: House) -> list[State]:
    """Every sweep as the database knows it, for other processes than the server; there ask its `Scheduler.states`."""
    runs = Runs(house)
    return [State(sweep.name, sweep.purpose, sweep.schedule.words, runs.last(sweep.name), None) for sweep in SWEEPS]


def run_now(house: House, name: str) -> Run:
    """Run a sweep in this thread and wait for it. Raises `KeyError` for an unknown name."""
    return Runs(house).run({sweep.name: sweep for sweep in SWEEPS}[name])
