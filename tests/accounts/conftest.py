"""An empty house whose clock the test moves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.house import House, open_house
from appliance.settings import load
from tests.databases import put_tables


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 12, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[House]:
    put_tables(tmp_path / "data" / "bookwake.sqlite3")
    house = replace(open_house(load({"data": tmp_path / "data", "books": tmp_path / "books"}, {})), now=clock)
    yield house
    house.database.close()
