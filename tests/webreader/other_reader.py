"""A Kobo or a KOReader of a person whose book is open in a browser. What it says goes into the server's data."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlmodel import select

from appliance.house import House, open_house
from appliance.library.kepub_rendition import prepare
from appliance.library.renditions import open_rendition
from appliance.models import Book, Device, User
from appliance.positions import OpenBook, Position, Range
from appliance.positions.canonical import NO_INK
from appliance.positions.dialects import write
from appliance.reading.annotations.projection import ProjectedAnnotation
from appliance.reading.annotations.record import exchange, follow, offer
from appliance.reading.annotations.report import Answer, Caller, Deletion, Said
from appliance.settings import load
from tests.server import Server


def ink(text: str) -> str:
    """Without what does not count as text (docs/reference/positions.md C.1)."""
    return re.sub(f"[{NO_INK}]", "", text)


DIALECTS: dict[str, Any] = {"koreader": "xpointer", "kobo": "kobo"}


@contextmanager
def house_of(server: Server) -> Iterator[House]:
    """The house of a running server, opened a second time."""
    house = open_house(load({"data": server.data, "books": [server.books]}, {}))
    try:
        yield house
    finally:
        house.shelf.close()
        house.database.close()


class OtherReader:
    """`kind`: kobo or koreader. `person`: the name."""

    def __init__(self, house: House, person: str, kind: Any, book_id: str) -> None:
        self.house, self.kind, self.book_id = house, kind, book_id
        self.dialect = DIALECTS[kind]
        with house.database.write() as session:
            user = session.exec(select(User).where(User.name == person)).one()
            device = Device(user_id=user.id, kind=kind, name=f"My {kind}", created_at=house.now())
            session.add(device)
            session.flush()
            self.user_id, self.device_id = user.id, device.id
            book = session.get_one(Book, book_id)
        self.sha256 = prepare(house, book_id).sha256 if kind == "kobo" else book.main_sha256

    @property
    def caller(self) -> Caller:
        return Caller(
            self.user_id, self.device_id, self.book_id, self.kind, self.dialect, self.sha256, self.house.now()
        )

    @property
    def book(self) -> OpenBook:
        with self.house.database.read() as session:
            book = open_rendition(self.house, session, self.sha256)
        assert book is not None
        return book

    def range(self, words: str) -> Any:
        """Where the words stand first, in this reader's own way."""
        wanted = ink(words)
        for one in self.book.summary.documents:
            k = self.book.canonical_text(one).find(wanted)
            if k >= 0:
                start = Position(one.path, one.occurrence, k)
                end = Position(one.path, one.occurrence, k + len(wanted), "before")
                return write(self.book, self.dialect, Range(start, end)).value
        raise AssertionError(f"“{words}” is not in the book")

    def highlight(self, name: str, words: str, **fields: str) -> Answer:
        """Highlight the words, or change what is called `name`."""
        said = {"text": words, "note": "", "colour": "", "style": "highlight", **fields}
        return exchange(self.house, self.caller, [Said(name, "highlight", self.range(words), said)])[0]

    def say(self, *said: Said) -> list[Answer]:
        return exchange(self.house, self.caller, said)

    def delete(self, *names: str) -> list[Answer]:
        return exchange(self.house, self.caller, [], [Deletion(name) for name in names])

    def sync(self) -> list[ProjectedAnnotation]:
        """What it is told; it does as it is told."""
        offers = offer(self.house, self.caller)
        follow(self.house, self.caller, {one.native_id: one.row["version"] for one in offers})
        return offers
