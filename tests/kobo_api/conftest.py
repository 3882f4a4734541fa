"""A house with Kobos in it, without a server: calls go straight to the handlers."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.accounts.devices import add_device
from appliance.database import Database
from appliance.house import House
from appliance.library.scan import scan
from appliance.models import Book, KoboDelivery, LibraryFile, Rendition, User
from appliance.positions import Shelf
from appliance.settings import Settings
from kobo_api import contents
from kobo_api.call import Answer, Call, FileAnswer
from kobo_api.caller import by_path_token
from tests.conftest import ROOT
from tests.databases import put_tables

BOOKS = ROOT / "tests" / "data" / "books"
BASE = "https://books.example.net"
EPOCH = datetime(2026, 3, 1, 8, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    time: datetime = EPOCH

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **step: float) -> None:
        self.time += timedelta(**step)


@dataclass
class Desk:
    """Calls of one Kobo. `token`: the sync token it holds."""

    house: House
    secret: str
    device_id: int
    user_id: int
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer | FileAnswer:
        """One call; header names with `_` for `-`."""
        given = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        with self.house.database.read() as session:
            caller = by_path_token(self.house, session, self.secret, given)
            assert caller is not None, "the token is not known"
            return contents.respond(Call(self.house, session, caller, method, path, query, given, data))

    def json(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        answer = self.call(method, path, body, **headers)
        assert isinstance(answer, Answer) and answer.status == 200, answer
        return json.loads(answer.body)

    def page(self) -> tuple[list[dict[str, Any]], bool]:
        """One page of a sync, with the token that the last one gave."""
        answer = self.call("GET", "/v1/library/sync?Filter=ALL", x_kobo_synctoken=self.token)
        assert isinstance(answer, Answer) and answer.status == 200
        self.token = answer.headers["x-kobo-synctoken"]
        return json.loads(answer.body), answer.headers.get("x-kobo-sync") == "continue"

    def sync(self) -> list[dict[str, Any]]:
        """A whole run."""
        events, more = self.page()
        while more:
            page, more = self.page()
            assert page, "`continue` led to an empty page"
            events += page
        return events

    def take(self, id: str) -> FileAnswer:
        """Download a book to its last byte."""
        answer = self.call("GET", f"/download/{id}.kepub.epub")
        assert isinstance(answer, FileAnswer), answer
        if answer.on_sent:
            answer.on_sent()
        return answer

    def pretend_taken(self, book_id: str, sha256: str = "kepub") -> None:
        """Note that the device has downloaded a book whose file does not exist."""
        with self.house.database.write() as session:
            delivery = session.get_one(KoboDelivery, (self.device_id, book_id))
            delivery.sha256, delivery.began_at, delivery.downloaded_at = sha256, self.house.now(), self.house.now()

    def delivery(self, book_id: str) -> KoboDelivery:
        with self.house.database.read() as session:
            return session.get_one(KoboDelivery, (self.device_id, book_id))


class Home:
    """A house on a temporary folder."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        (folder / "books").mkdir(exist_ok=True)
        data = folder / "data"
        settings = Settings(data, (folder / "books",), f"sqlite:///{data / 'bookwake.sqlite3'}", public_url=BASE)
        put_tables(data / "bookwake.sqlite3")
        self.house = House(settings, Database(settings.database_url), Shelf(), now=clock)

    @property
    def database(self) -> Database:
        return self.house.database

    def person(self, name: str = "Ida") -> int:
        with self.database.write() as session:
            user = User(name=name, name_key=name.lower(), password_hash="-", created_at=EPOCH)
            session.add(user)
            session.flush()
            assert user.id is not None
            return user.id

    def kobo(self, user_id: int) -> Desk:
        with self.database.write() as session:
            new = add_device(self.house, session, session.get_one(User, user_id), "kobo", None)
            assert new.token and new.device.id
            return Desk(self.house, new.token, new.device.id, user_id)

    def put_books(self, count: int, prefix: str = "Book", here: bool = True) -> list[str]:
        """Books without files behind them; returns their ids."""
        ids = []
        with self.database.write() as session:
            for number in range(count):
                id, sha256 = str(uuid.uuid4()), uuid.uuid4().hex * 2
                title = f"{prefix} {number}"
                session.add(
                    Book(
                        id=id,
                        title=title,
                        sort_title=title,
                        authors=["Ida Moss"],
                        language="en-GB",
                        main_sha256=sha256,
                        added_at=self.clock(),
                        changed_at=self.clock(),
                    )
                )
                session.flush()
                session.add(_rendition(id, sha256, f"text of {id}", self.clock()))
                session.add(
                    LibraryFile(
                        path=f"/books/{sha256}",
                        size=1,
                        mtime_ns=1,
                        sha256=sha256,
                        missing_since=None if here else EPOCH,
                    )
                )
                ids.append(id)
        return ids

    def edit(self, book_id: str, *, text: str | None = None, **fields: Any) -> None:
        """Change a book: its metadata, or with `text` its file."""
        with self.database.write() as session:
            book = session.get_one(Book, book_id)
            for name, value in fields.items():
                setattr(book, name, value)
            if text is not None:
                sha256 = uuid.uuid4().hex * 2
                session.add(_rendition(book_id, sha256, text, self.clock()))
                session.add(LibraryFile(path=f"/books/{sha256}", size=1, mtime_ns=1, sha256=sha256))
                book.main_sha256 = sha256
            book.changed_at = self.clock()

    def import_books(self, *names: str) -> None:
        for name in names:
            shutil.copy(BOOKS / name, self.folder / "books" / name)
        scan(self.house)


def _rendition(book_id: str, sha256: str, text: str, now: datetime) -> Rendition:
    return Rendition(sha256=sha256, book_id=book_id, kind="epub", size=1000, text_fingerprint=text, created_at=now)


@contextmanager
def open_home(folder: Path) -> Iterator[Home]:
    """A house that is closed at the end."""
    home = Home(folder, Clock())
    try:
        yield home
    finally:
        home.house.shelf.close()
        home.database.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path) as opened:
        yield opened


@pytest.fixture
def kobo(home: Home) -> Desk:
    """A Kobo of the only person."""
    return home.kobo(home.person())
