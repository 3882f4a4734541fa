"""A house with an empty book folder, and a clock that moves on with each look at it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.house import House, open_house
from appliance.settings import load


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    folder = tmp_path / "books"
    folder.mkdir()
    opened = open_house(load({"data": tmp_path / "data", "books": [folder]}, {}))
    opened = House(opened.settings, opened.database, opened.shelf, Clock())
    yield opened
    opened.shelf.close()
    opened.database.close()


@pytest.fixture
def folder(house: House) -> Path:
    """The book folder."""
    return house.settings.books[0]
