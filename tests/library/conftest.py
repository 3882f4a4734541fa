"""A house with an empty book folder, and a clock that moves on with each look at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.house import House, open_house
from appliance.settings import load
from tests.databases import put_tables


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@contextmanager
def house_in(place: Path, database_url: str | None = None) -> Iterator[House]:
    """A house with an empty book folder in `place`. `database_url`: of an empty database, by default SQLite's."""
    (place / "books").mkdir()
    settings = load({"data": place / "data", "books": [place / "books"], "database_url": database_url}, {})
    if database_url is None:
        put_tables(settings.data / "bookwake.sqlite3")
    opened = open_house(settings)
    opened = House(opened.settings, opened.database, opened.shelf, Clock())
    yield opened
    opened.shelf.close()
    opened.database.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder(house: House) -> Path:
    """The book folder."""
    return house.settings.books[0]
