"""The scheduler at work in a real event loop."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.house import House, open_house
from appliance.models import SweepRun
from appliance.settings import load
from appliance.sweeps import scheduler as module
from appliance.sweeps.schedule import After, AtStart, Every, Nightly
from appliance.sweeps.scheduler import Scheduler
from appliance.sweeps.sweep import Stopping, Sweep


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = open_house(load({"data": tmp_path / "data", "books": [tmp_path / "books"]}, {}))
    yield house
    house.database.close()


class Diary:
    """Sweeps that note what happens to them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.busy = 0

    def sweep(self, name: str, schedule: object, work: Callable[[Stopping], None] = lambda stopping: None) -> Sweep:
        def run(_house: House, stopping: Stopping) -> str:
            self.busy += 1
            assert self.busy == 1, "two sweeps at once"
            try:
                work(stopping)
                self.lines.append(name)
                return f"{name} done"
            finally:
                self.busy -= 1

        return Sweep(name, "Tests.", schedule, run)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


def test_at_the_start_the_scan_runs_and_then_what_follows_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SOON", timedelta())
    diary = Diary()
    sweeps = (
        diary.sweep("placing", After("scan")),
        diary.sweep("scan", Every(1)),
        diary.sweep("covers", After("scan")),
        diary.sweep("thumbnails", After("covers")),
        diary.sweep("never", AtStart(60)),
    )

    async def main() -> None:
        scheduler = Scheduler(house, sweeps)
        scheduler.start()
        await until(lambda: len(diary.lines) == 4)
        states = {state.name: state for state in scheduler.states()}
        scheduler.stop()
        assert diary.lines == ["scan", "placing", "covers", "thumbnails"]
        assert states["scan"].last is not None and states["scan"].last.result == "scan done"
        assert states["scan"].next_run is not None
        assert timedelta(minutes=59) < states["scan"].next_run - datetime.now(UTC) < timedelta(minutes=61)
        assert states["placing"].next_run is None
        assert states["never"].last is None and states["never"].next_run is not None

    asyncio.run(main())


def test_one_at_a_time_in_a_nice_thread_and_a_failure_stops_nothing(house: House) -> None:
    diary = Diary()
    niceness: list[int] = []
    gate = threading.Event()

    def fail(_stopping: Stopping) -> None:
        niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        assert gate.wait(30)
        raise ValueError("no")

    sweeps = (diary.sweep("bad", AtStart(60), fail), diary.sweep("good", AtStart(60)))

    async def main() -> None:
        scheduler = Scheduler(house, sweeps)
        scheduler.start()
        for name in ("bad", "good", "good"):  # asked for twice while it waits, it runs once
            scheduler.run_soon(name)
        await until(lambda: any(state.running for state in scheduler.states()))
        gate.set()
        await until(lambda: "good" in diary.lines)
        scheduler.stop()
        states = {state.name: state for state in scheduler.states()}
        assert states["bad"].last is not None and not states["bad"].last.ok
        assert diary.lines == ["good"]
        with pytest.raises(KeyError):
            scheduler.run_soon("unheard of")

    before = os.getpriority(os.PRIO_PROCESS, 0)
    asyncio.run(main())
    assert niceness == [min(max(before, module.NICENESS), 19)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_a_stop_asks_the_running_sweep_to_end_and_runs_no_other(house: House) -> None:
    diary = Diary()
    begun = threading.Event()

    def work(stopping: Stopping) -> None:
        begun.set()
        while not stopping():
            pass

    sweeps = (diary.sweep("long", AtStart(60), work), diary.sweep("after", After("long")))

    async def main() -> None:
        scheduler = Scheduler(house, sweeps)
        scheduler.start()
        scheduler.run_soon("long")
        await until(begun.is_set)
        scheduler.stop()
        await until(lambda: diary.lines == ["long"])
        await asyncio.sleep(0.1)
        assert diary.lines == ["long"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("last", "ok", "made_up"),
    [
        (None, True, True),
        (timedelta(hours=30), True, True),
        (timedelta(hours=2), False, True),
        (timedelta(hours=2), True, False),
    ],
)
def test_a_missed_night_is_made_up_for(house: House, last: timedelta | None, ok: bool, made_up: bool) -> None:
    if last is not None:
        begun = datetime.now(UTC) - last
        with house.database.write() as session:
            session.add(SweepRun(name="backup", started_at=begun, finished_at=begun, ok=ok, result="x"))
    # Twelve hours from now, so that the regular run is not what is seen.
    hour = (datetime.now().astimezone() + timedelta(hours=12)).hour

    async def main() -> datetime:
        scheduler = Scheduler(house, (Diary().sweep("backup", Nightly(hour, 0)),))
        scheduler.start()
        due = scheduler.states()[0].next_run
        scheduler.stop()
        assert due is not None
        return due

    soon = asyncio.run(main()) - datetime.now(UTC) < timedelta(minutes=11)
    assert soon == made_up
