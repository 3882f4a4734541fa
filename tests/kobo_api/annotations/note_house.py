"""A person who marks one book on Kobos, in KOReader and in a browser, without a server in between."""

import json
import sqlite3
import uuid
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from sqlmodel import col, select

from appliance.library.renditions import open_rendition
from appliance.models import Annotation, Book, Device, KoboNotes, User
from appliance.positions import OpenBook, Range, RangePlace
from appliance.positions.dialects import decode, parse, write
from appliance.positions.ranges import range_text
from appliance.reading.annotations.record import exchange, survey
from appliance.reading.annotations.report import Answer, Caller, Deletion, Said
from kobo_api.annotations import incoming, outgoing
from kobo_api.call import Answer as KoboAnswer
from kobo_api.call import FileAnswer
from kobo_api.reading_services import CONTENT, Request, content, harmless, identified
from tests.kobo_api.conftest import BASE, Desk, Home
from tests.kobo_api.shapes import offered
from tests.simulators.kobo.annotations import Annotations, Habits
from tests.simulators.kobo.connection import SyncFailed
from tests.simulators.kobo.kepub import Kepub, Span
from tests.simulators.kobo.shelf import Book as HeldBook
from tests.simulators.kobo.shelf import Shelf
from tests.simulators.kobo.violation import Violation

OZ = "l-frank-baum_the-marvelous-land-of-oz.epub"


class Broken(Exception):
    """Something in the server does not work."""


class Wire:
    """What lies between a Kobo and the server. `failing`: of the next calls, by method: "error" (the server breaks
    while it keeps or reads), "hang" (so it does, and there is no answer in time), "lost" (the answer does not arrive),
    "cut" (the power goes after the commit).

    A PATCH that never reaches the server, when the question right after it does, is no case: no server can know that
    notes are missing from the set that it gives then.
    """

    def __init__(self, home: Home, headers: dict[str, str]) -> None:
        self.home, self.headers = home, headers
        self.failing: dict[str, str] = {}
        self.answers: list[httpx.Response] = []

    def send(self, method: str, url: str, body: object = None, headers: dict[str, str] | None = None) -> httpx.Response:
        path, _, query = url.removeprefix(BASE + CONTENT).partition("?")
        how = self.failing.get(method, "")
        given = harmless(CONTENT, method, path)
        data = b"" if body is None else json.dumps(body).encode()
        request = identified(self.home.house, method, path, query, {**self.headers, **(headers or {})}, data)
        with suppress(Broken), ExitStack() as parts:
            if how in ("error", "hang"):
                part = (incoming, "exchange") if method == "PATCH" else (outgoing, "_page")
                parts.enter_context(patch.object(*part, side_effect=Broken))
            given = self._content(request)
        if how in ("hang", "lost", "cut"):
            raise SyncFailed(how)
        if given.on_sent is not None:
            given.on_sent()
        type = {"content-type": given.content_type} if given.status not in (204, 304) else {}
        answer = httpx.Response(given.status, headers={**given.headers, **type}, content=given.body)
        self.answers.append(answer)
        return answer

    def _content(self, request: Request) -> KoboAnswer:
        try:
            return content(self.home.house, request)
        except OSError:  # what a test breaks itself
            return harmless(CONTENT, request.method, request.path)


class NoteKobo:
    """A Kobo with the book: what the simulator knows of it, the file it was sent, and the server's side of it."""

    def __init__(self, house: "NoteHouse", habits: Habits) -> None:
        self.house = house
        self.desk: Desk = house.home.kobo(house.user_id)
        [self.id] = offered(self.desk.sync()).values()
        token = self.desk.json("POST", "/v1/auth/device", {})["AccessToken"]
        self.wire = Wire(house.home, {"authorization": f"Bearer {token}", "x-kobo-deviceid": self.desk.secret[:64]})
        self.book = HeldBook(self.id, {"Title": "the book"})
        shelf = Shelf(books={self.id: self.book}, resources={"reading_services_host": BASE})
        self.sim = Annotations(self.wire, shelf, lambda _: None, habits)  # type: ignore[arg-type]
        self.file: Kepub = None  # type: ignore[assignment]

    def download(self) -> None:
        """Fetch the file; the notes on the device go with the old one, and it asks for them (7.3)."""
        given = self.desk.take(self.id)
        assert isinstance(given, FileAnswer)
        self.file = Kepub(given.path)
        self.house.home.clock.forward(seconds=5)
        self.sim.after_download(self.book)

    @property
    def notes(self) -> dict[str, dict[str, Any]]:
        return self.book.notes

    @property
    def stamp(self) -> str:
        return self.house.home.clock().isoformat(timespec="seconds")[:19] + "Z"

    def mark(self, words: str, note: str | None = None, **how: Any) -> str:
        """Highlight words that stand within one span."""
        span = self.file.find(words)
        start = span.text.index(words)
        at = len(span.text[:start].encode("utf-16-le")) // 2
        end = at + len(words.encode("utf-16-le")) // 2
        return self.sim.add(self.book, span, note, self.stamp, start=at, end=end, **how)

    def mark_many(self, count: int) -> list[str]:
        """Highlight whole sentences, one after another."""
        all_spans = [span for document in self.file.documents for span in document.spans if span.text.strip()]
        return [self.sim.add(self.book, span, None, self.stamp) for span in all_spans[:count]]

    @property
    def spans(self) -> list[Span]:
        """Those of the longest chapter."""
        longest = max(self.file.documents, key=lambda document: len(document.spans))
        return [span for span in longest.spans if span.text.strip()]

    def edit(self, id: str, **how: Any) -> None:
        self.sim.edit(self.book, id, self.stamp, **how)

    def delete(self, id: str) -> None:
        self.sim.delete(self.book, id)

    def meet(self) -> None:
        """Open or close the book on Wi-Fi."""
        self.house.home.clock.forward(minutes=3)
        try:
            self.sim.exchange(self.book)
        except Violation:
            raise
        except SyncFailed:
            pass
        self.sim.check_places(self.book, self.file)

    def ledger(self) -> KoboNotes:
        with self.house.home.database.read() as session:
            return session.get_one(KoboNotes, (self.desk.device_id, self.house.book_id))

    def holds(self) -> list[str]:
        return sorted(one.get("highlightedText", "") for one in self.notes.values())


class NoteHouse:
    """`pushes`: the switch of the person. The reference rendition is the EPUB, the Kobos hold the KEPUB made of it. The
    book is the only one in the folder; without `name` it is there already."""

    def __init__(self, home: Home, name: str | None = OZ, pushes: bool = True) -> None:
        self.home = home
        home.import_books(*([name] if name is not None else []))
        self.user_id = home.person()
        self.switch(pushes)
        with home.database.read() as session:
            book = session.exec(select(Book)).one()
            self.book_id, self.epub = book.id, str(book.main_sha256)
        self.readers: dict[str, int] = {}

    def switch(self, pushes: bool) -> None:
        with self.home.database.write() as session:
            session.get_one(User, self.user_id).kobo_pushes = pushes

    def kobo(self, **habits: Any) -> NoteKobo:
        """A Kobo that has just downloaded the book."""
        kobo = NoteKobo(self, Habits(**habits))
        kobo.download()
        return kobo

    # The other readers

    def caller(self, surface: str) -> Caller:
        if surface not in self.readers:
            with self.home.database.write() as session:
                kind = "browser" if surface == "web" else surface
                device = Device(user_id=self.user_id, kind=kind, name=surface, created_at=self.home.clock())
                session.add(device)
                session.flush()
                assert device.id is not None
                self.readers[surface] = device.id
        self.home.clock.forward(minutes=1)
        dialect = "cfi" if surface == "web" else "xpointer"
        person = surface == "web"
        return Caller(
            self.user_id, self.readers[surface], self.book_id, surface, dialect, self.epub, self.home.clock(),  # type: ignore[arg-type]
            timedelta(0), is_person=person,
        )  # fmt: skip

    def open(self) -> OpenBook:
        with self.home.database.read() as session:
            book = open_rendition(self.home.house, session, self.epub)
        assert book is not None
        return book

    def range_of(self, kepub: Kepub, words: str) -> Range:
        """The words in the EPUB, found by the words alone."""
        return words_in(self.open(), words)

    def marks(self, surface: str, words: str, note: str = "", colour: str = "", kind: str = "highlight") -> str:
        """KOReader or the browser marks words (or the page they begin on); returns the annotation's id."""
        caller, book = self.caller(surface), self.open()
        where = words_in(book, words)
        written = write(book, caller.dialect, where.start if kind == "bookmark" else where)
        fields = {"text": words if kind == "highlight" else "", "note": note, "colour": colour, "style": "highlight"}
        name = str(uuid.uuid4())
        said = Said(name, kind, written.value, fields, created_at=caller.received_at, operation_id=name)
        [answer] = exchange(self.home.house, caller, [said])
        assert answer.annotation_id is not None
        return answer.annotation_id

    def changes(self, id: str, **fields: str) -> Answer:
        """The person changes an annotation in the browser."""
        caller = self.caller("web")
        said = Said(id, "highlight", None, fields, base_version=self.row(id)["version"], operation_id=str(uuid.uuid4()))
        return exchange(self.home.house, caller, [said])[0]

    def removes(self, id: str) -> Answer:
        """The person deletes it in the browser."""
        gone = Deletion(id, None, self.row(id)["version"], True, str(uuid.uuid4()))
        return exchange(self.home.house, self.caller("web"), [], [gone])[0]

    def seen(self, surface: str) -> dict[str, tuple[str, Any]]:
        """What lives, as the reader is told of it: words that its range selects in its own file, and the fields."""
        caller, book = self.caller(surface), self.open()
        with self.home.database.read() as session:
            projected = survey(self.home.house, session, caller).projected
        found = {}
        for one in projected:
            if one.row["deleted_at"] is None and one.range is not None:
                place = decode(book, caller.dialect, parse(caller.dialect, one.range))
                chosen = place.range if isinstance(place, RangePlace) else None
                words = range_text(book, chosen) if chosen is not None else ""
                found[one.row["id"]] = (words, one.fields)
        return found

    def rows(self, living: bool = True) -> list[dict[str, Any]]:
        query = select(Annotation).where(Annotation.user_id == self.user_id).order_by(col(Annotation.first))
        with self.home.database.read() as session:
            rows = [row.model_dump() for row in session.exec(query).all()]
        return [row for row in rows if not living or row["deleted_at"] is None]

    def row(self, id: str) -> dict[str, Any]:
        return next(row for row in self.rows(living=False) if row["id"] == id)

    def row_of(self, words: str) -> dict[str, Any]:
        [row] = [row for row in self.rows() if row["text"].strip() == words.strip()]
        return row

    def restore(self, backup: Path) -> None:
        """Yesterday's database is put back, in whatever way people do that: `bookwake restore` tells of it, others do
        not."""
        with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(self._file)) as live:
            source.backup(live)

    def back_up(self) -> Path:
        copy = self.home.folder / f"backup-{uuid.uuid4()}"
        with closing(sqlite3.connect(self._file)) as live, closing(sqlite3.connect(copy)) as target:
            live.backup(target)
        return copy

    @property
    def _file(self) -> Path:
        return self.home.folder / "data" / "bookwake.sqlite3"


def words_in(book: OpenBook, words: str) -> Range:
    """Where words stand first in a book, by its canonical text."""
    from appliance.positions import Position

    wanted = ink(words)
    for document in book.summary.documents:
        at = book.canonical_text(document).find(wanted)
        if at >= 0:
            end = Position(document.path, document.occurrence, at + len(wanted), "before")
            return Range(Position(document.path, document.occurrence, at), end)
    raise LookupError(words)


def ink(words: str) -> str:
    """Without white space."""
    return "".join(words.split())
