"""What a sweep is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from appliance.house import House
from appliance.sweeps.schedule import Schedule

Stopping = Callable[[], bool]
"""Asked between two pieces of work: whether the appliance stops. A sweep then returns soon, with what it did so far."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Scheduled work. `purpose`: what it does, a sentence. `run` returns what it did, a sentence that is the same
    whenever the same was done: no durations, no times. What it raises is shown as its failure."""

    name: str
    purpose: str
    schedule: Schedule
    run: Callable[[House, Stopping], str]


@dataclass(frozen=True, slots=True)
class Run:
    """One run that ended. `result`: a sentence; `ok` is false when it failed."""

    started_at: datetime
    finished_at: datetime
    ok: bool
    result: str


@dataclass(frozen=True, slots=True)
class State:
    """A sweep as a person sees it. `schedule` in words. `next_run` is `None` when it waits for another sweep or for
    the next start, and outside the server."""

    name: str
    purpose: str
    schedule: str
    last: Run | None
    next_run: datetime | None
    running: bool = False
