"""One person with one book and several readers, in a real house: what the surfaces do, without their wire formats."""

from datetime import timedelta
from typing import Any

from sqlmodel import select

from appliance.house import House
from appliance.library.kepub_rendition import prepare
from appliance.library.renditions import open_rendition
from appliance.library.scan import scan
from appliance.models import Book, Device, JournalEntry, Progress, User
from appliance.positions import OpenBook
from appliance.reading.progress.locate import locate, write_kobo
from appliance.reading.progress.projection import Projected, project
from appliance.reading.progress.record import note_given, record
from appliance.reading.progress.report import Act, Outcome, Report
from tests.library.making import put

SCREEN = 3000  # canonical characters that a Kobo may show before the span it was given


class Household:
    """A house with the book `data` and the KEPUB made from it. `epub`, `kepub`: their hashes."""

    def __init__(self, house: House, data: bytes) -> None:
        self.house = house
        put(house.settings.books[0] / "book.epub", data)
        scan(house)
        with house.database.read() as session:
            book = session.exec(select(Book)).one()
        self.book_id, self.epub = book.id, str(book.main_sha256)
        self.kepub = prepare(house, self.book_id).sha256
        self.user_id = 0
        self.somebody_else()

    def somebody_else(self) -> None:
        """From now on this is about a person who has read nothing yet."""
        self.user_id += 1
        name = f"Person {self.user_id}"
        with self.house.database.write() as session:
            now = self.house.now()
            session.add(User(id=self.user_id, name=name, name_key=name, password_hash="-", created_at=now))

    def device(self, kind: str) -> int:
        """A reader of the person."""
        with self.house.database.write() as session:
            device = Device(user_id=self.user_id, kind=kind, name=kind, created_at=self.house.now())
            session.add(device)
            session.flush()
            assert device.id is not None
            return device.id

    def says(self, device: int, dialect: str, locator: str, sha256: str = "", **fields: Any) -> Outcome:
        """A report, five minutes after the last one."""
        sha256 = sha256 or (self.kepub if dialect == "kobo" else self.epub)
        self.house.now.moment += timedelta(minutes=5)  # type: ignore[attr-defined]
        now = self.house.now()
        with self.house.database.read() as session:
            percent = fields.get("percent")
            located = locate(self.house, session, self.book_id, sha256, dialect, locator, percent)
        values: dict[str, Any] = {
            "place": located.place,
            "reference_sha256": located.reference_sha256,
            "fraction": located.fraction,
            "is_aside": located.is_aside,
            "slack": SCREEN if dialect == "kobo" else 0,
            "act": Act.JUMPED if dialect == "cfi" else Act.UNKNOWN,
        }
        report = Report(
            self.user_id, device, now, dialect, locator, book_id=self.book_id, sha256=sha256, **{**values, **fields}
        )
        with self.house.database.write() as session:
            return record(session, report)

    def asks(self, device: int, dialect: str, sha256: str = "") -> Projected:
        """What a reader is given; that it was, is remembered."""
        sha256 = sha256 or (self.kepub if dialect == "kobo" else self.epub)
        with self.house.database.read() as session:
            projected = project(self.house, session, self.user_id, self.book_id, sha256, dialect, device)
        assert projected is not None
        locator = projected.encoded.locator
        if locator is not None:
            text = write_kobo(locator) if dialect == "kobo" else locator
            with self.house.database.write() as session:
                at = self.house.now()
                note_given(session, device, self.book_id, projected.version, text, projected.echo_tick, at)
        return projected

    def progress(self) -> dict[str, Any] | None:
        """The whole row of the current position."""
        with self.house.database.read() as session:
            row = session.get(Progress, (self.user_id, self.book_id))
            return None if row is None else Progress.model_dump(row)

    def last_entry(self) -> JournalEntry:
        with self.house.database.read() as session:
            return session.exec(select(JournalEntry).order_by(JournalEntry.id.desc())).first()  # type: ignore

    def open(self, sha256: str) -> OpenBook:
        """A rendition."""
        with self.house.database.read() as session:
            book = open_rendition(self.house, session, sha256)
        assert book is not None
        return book
