"""Runs the sweeps of a serving appliance: in one thread of low priority, one at a time, asleep in between."""

import os
import threading
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from appliance.house import House
from appliance.sweeps.runs import Runs
from appliance.sweeps.schedule import After, AtStart, Every, Nightly
from appliance.sweeps.sweep import State, Sweep

NICENESS = 10
SOON = timedelta(seconds=2)
"""After a start the first requests come first."""

MISSED = timedelta(hours=25)
"""A nightly sweep whose last good run is older was missed."""

MADE_UP = timedelta(minutes=10)
"""After a start a missed nightly sweep waits this long."""


class Scheduler:
    """The sweeps at work. Start it inside the running event loop."""

    def __init__(self, house: House, sweeps: tuple[Sweep, ...]) -> None:
        self._house = house
        self._sweeps = {sweep.name: sweep for sweep in sweeps}
        self._runs = Runs(house)
        self._stopping = threading.Event()
        self._waiting: set[str] = set()
        # One worker: sweeps queue up, so none is ever too late to run (no grace time), and several missed are one.
        worker = ThreadPoolExecutor(1, {"thread_name_prefix": "sweep", "initializer": _be_nice})
        self._clock = AsyncIOScheduler(
            executors={"default": worker},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin to run sweeps by their schedules."""
        now = datetime.now().astimezone()
        for sweep in self._sweeps.values():
            match sweep.schedule:
                case Every(hours):
                    self._add(sweep, IntervalTrigger(hours=hours), now + SOON)
                case Nightly(hour, minute):
                    trigger = CronTrigger(hour=hour, minute=minute)
                    due = trigger.get_next_fire_time(None, now)
                    self._add(sweep, trigger, min(due, now + MADE_UP) if self._was_missed(sweep) else due)
                case AtStart(minutes):
                    self._add(sweep, DateTrigger(), now + timedelta(minutes=minutes))
                case After():
                    pass
        self._clock.start()

    def stop(self) -> None:
        """Run no more sweeps and ask the one that runs to end; does not wait for it."""
        self._stopping.set()
        if self._clock.running:
            self._clock.shutdown(wait=False)

    def run_soon(self, name: str) -> None:
        """Run a sweep in its thread, after whatever runs there; returns at once. Raises `KeyError` for a wrong name."""
        sweep = self._sweeps[name]
        if name not in self._waiting:
            self._waiting.add(name)
            self._clock.add_job(self._run, args=[sweep])

    def states(self) -> list[State]:
        """Every sweep, with its last and next run."""
        return [
            State(
                sweep.name,
                sweep.purpose,
                sweep.schedule.words,
                self._runs.last(sweep.name),
                self._next_run(sweep.name),
                self._runs.running == sweep.name,
            )
            for sweep in self._sweeps.values()
        ]

    def _add(self, sweep: Sweep, trigger: object, first: datetime) -> None:
        self._clock.add_job(self._run, trigger, args=[sweep], id=sweep.name, next_run_time=first)

    def _run(self, sweep: Sweep) -> None:
        """In the sweep thread: the sweep and those that follow it."""
        self._waiting.discard(sweep.name)
        if self._stopping.is_set():
            return
        self._runs.run(sweep, self._stopping.is_set)
        for follower in self._sweeps.values():
            if follower.schedule == After(sweep.name):
                self._run(follower)

    def _was_missed(self, sweep: Sweep) -> bool:
        last = self._runs.last(sweep.name)
        return last is None or not last.ok or self._house.now() - last.started_at > MISSED

    def _next_run(self, name: str) -> datetime | None:
        job = self._clock.get_job(name)
        due: datetime | None = job.next_run_time if job else None
        return due


def _be_nice() -> None:
    """On Linux each thread has a niceness of its own."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    except OSError:  # not Linux, or not allowed: then sweeps compete
        pass
