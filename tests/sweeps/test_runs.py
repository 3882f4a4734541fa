"""What is remembered of runs, and that an idle appliance does not write it down over and over."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.epub.errors import MissingEntry
from appliance.house import House, open_house
from appliance.models import SweepRun
from appliance.settings import load
from appliance.sweeps import SWEEPS, list_sweeps
from appliance.sweeps.runs import Runs
from appliance.sweeps.schedule import Every
from appliance.sweeps.sweep import Sweep

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = open_house(load({"data": tmp_path / "data", "books": [tmp_path / "books"]}, {}))
    (tmp_path / "books").mkdir()
    yield house
    house.database.close()


def at(house: House, moment: datetime) -> House:
    return replace(house, now=lambda: moment)


def saying(result: str | Exception) -> Sweep:
    def run(_house: House, _stopping: Callable[[], bool]) -> str:
        if isinstance(result, Exception):
            raise result
        return result

    return Sweep("test", "Tests.", Every(1), run)


def stored(house: House) -> SweepRun | None:
    with house.database.read() as session:
        return session.get(SweepRun, "test")


def writes(house: House) -> int:
    """How often the database was committed to."""
    return Path(f"{house.database.url.database}-wal").stat().st_mtime_ns


def test_the_first_run_is_stored_and_shown_elsewhere(house: House) -> None:
    runs = Runs(house)
    assert runs.last("test") is None
    run = runs.run(saying("2 files as before."))
    assert run.ok and run.result == "2 files as before."
    assert runs.last("test") == Runs(house).last("test") == run


def test_a_run_that_says_nothing_new_is_remembered_but_not_written(house: House) -> None:
    Runs(at(house, NOW)).run(saying("Nothing."))
    before = writes(house)
    runs = Runs(at(house, NOW + timedelta(hours=5)))
    runs.run(saying("Nothing."))
    assert writes(house) == before
    last = runs.last("test")
    assert last is not None and last.started_at == NOW + timedelta(hours=5)
    row = stored(house)
    assert row is not None and row.started_at == NOW


@pytest.mark.parametrize(
    ("later", "result"),
    [
        (timedelta(hours=1), "Something."),
        (timedelta(hours=1), ValueError("Nothing.")),
        (timedelta(days=1), "Nothing."),
    ],
)
def test_news_and_a_day_that_passed_are_written(house: House, later: timedelta, result: str | Exception) -> None:
    Runs(at(house, NOW)).run(saying("Nothing."))
    Runs(at(house, NOW + later)).run(saying(result))
    row = stored(house)
    assert row is not None and row.started_at == NOW + later


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MissingEntry("The file has no x.", "Get another."), "The file has no x. Get another."),
        (ZeroDivisionError("by zero"), "Failed: by zero (the log has the details)."),
        (ZeroDivisionError(), "Failed: ZeroDivisionError (the log has the details)."),
    ],
)
def test_a_failure_is_a_result_too(house: House, error: Exception, said: str) -> None:
    run = Runs(house).run(saying(error))
    assert (run.ok, run.result) == (False, said)


def test_a_run_counts_even_when_it_cannot_be_stored(house: House) -> None:
    runs = Runs(house)
    with house.database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE sweeprun")
    run = runs.run(saying("Done."))
    assert runs.last("test") == run


def test_every_sweep_is_listed_in_words(house: House) -> None:
    listed = {state.name: state for state in list_sweeps(house)}
    assert len(listed) == len(SWEEPS) == 7
    assert listed["scan"].schedule == "at each start and every hour"
    assert listed["preparation"].schedule == listed["placing"].schedule == "after each scan"
    assert listed["backup"].schedule.startswith("every night at 03:30")
    assert all(state.purpose.endswith(".") and state.last is None for state in listed.values())
