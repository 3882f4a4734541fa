"""A house with a database of its own, and a person and a book in it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.database import Database
from appliance.house import House
from appliance.models import Book, User
from appliance.positions import Shelf
from appliance.settings import Settings, load
from tests.databases import put_tables

NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)


def settings_in(folder: Path, url: str | None = None) -> Settings:
    return load({"data": folder / "data", "books": [folder / "books"], "database_url": url}, {})


def open_house(settings: Settings) -> House:
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    database.migrate()
    return House(settings, database, Shelf(), lambda: NOW)


def new_book(number: int) -> Book:
    title = f"Book {number}"
    return Book(
        id=f"book-{number}", title=title, sort_title=title, description="x" * 2000, added_at=NOW, changed_at=NOW
    )


def add_book(house: House, number: int) -> None:
    with house.database.write() as session:
        session.add(new_book(number))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    put_tables(tmp_path / "data" / "bookwake.sqlite3")
    house = open_house(settings_in(tmp_path))
    with house.database.write() as session:
        session.add(User(name="Ann", name_key="ann", password_hash="-", created_at=NOW))
    add_book(house, 0)
    yield house
    house.database.close()
