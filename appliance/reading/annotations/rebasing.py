"""Carry annotations over to the new reference rendition when a book's file was replaced: an edit, a new edition.

The texts are compared first; what that does not settle is looked for by its own words and those around it.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from appliance.house import House
from appliance.library.renditions import open_rendition, remember_rendition
from appliance.models import Annotation, Book
from appliance.positions import OpenBook, Place, RangePlace, Reason, Status
from appliance.positions.grams import Grams
from appliance.positions.quote import TextQuote
from appliance.positions.recover import LARGE, confirm, recover
from appliance.positions.translate import translate_range
from appliance.reading.annotations.effects import Row
from appliance.reading.annotations.locate import LocatedRange, quote_in
from appliance.reading.annotations.place import as_known, columns_of, has_its_words, place_in
from appliance.reading.annotations.relocation import Relocated, relocate

_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]
_BOOK = Book.__table__  # type: ignore[attr-defined]

_AT_ONCE = 100
_SURE = (Status.EXACT, Status.RECOVERED)
_NOWHERE = Place(None, Status.FAILED, Reason.NO_PLACE, None, 0)


def rebase_annotations(
    house: House, stopping: Callable[[], bool] = lambda: False, stuck: set[Any] | None = None
) -> int:
    """Rewrite every annotation whose place is not in its book's reference rendition, tombstones too; returns how many.

    One whose words are not there stays in the file that has them while its text is kept, and is translated when it is
    needed; otherwise it goes to about where it was, as APPROXIMATE. `stuck` remembers what stays.
    """
    stuck = set() if stuck is None else stuck
    done, after = 0, ""
    words = _Words()
    while not stopping():
        with house.database.read() as session:
            rows = _outdated(session, after)
            found = [(row, _columns(house, session, row, words)) for row in rows if _key(row) not in stuck]
        if not rows:
            break
        after = rows[-1]["id"]
        stuck.update(_key(row) for row, columns in found if columns is None)
        moved = [Relocated(row, columns) for row, columns in found if columns is not None]
        done += _write(house, moved)
    return done


def _write(house: House, moved: list[Relocated]) -> int:
    done = 0
    for user_id, group in groupby(sorted(moved, key=_user), key=_user):
        with house.database.write() as session:
            done += relocate(session, user_id, list(group), "carried-over", house.now())
    return done


def _user(one: Relocated) -> int:
    return int(one.row["user_id"])


def _key(row: Row) -> tuple[Any, ...]:
    return row["id"], row["version"], row["main_sha256"]


def _outdated(session: Session, after: str) -> list[Row]:
    """The next of them: columns of `Annotation`, and the `main_sha256` of the book."""
    query = (
        select(_ANNOTATION, _BOOK.c.main_sha256)
        .join(_BOOK, _BOOK.c.id == _ANNOTATION.c.book_id)
        .where(_ANNOTATION.c.reference_sha256 != _BOOK.c.main_sha256, _ANNOTATION.c.id > after)
        .order_by(_ANNOTATION.c.id)
        .limit(_AT_ONCE)
    )
    return [dict(row) for row in session.execute(query).mappings()]


class _Words:
    """Of the file that was last looked at, where which words stand."""

    def __init__(self) -> None:
        self._sha256 = ""
        self._grams: Grams | None = None

    def of(self, book: OpenBook) -> Grams | None:
        """Takes a while, so it is for books in which several quotes are looked for."""
        if book.sha256 != self._sha256:
            self._sha256, self._grams = book.sha256, None
        elif self._grams is None and sum(document.size for document in book.summary.documents) <= LARGE:
            self._grams = Grams(book)
        return self._grams


def _columns(house: House, session: Session, row: Row, words: _Words) -> Row | None:
    """Those of its place in the present file; `None` where it should stay as it is."""
    former = remember_rendition(house, session, row["reference_sha256"])
    present = open_rendition(house, session, row["main_sha256"])
    if present is None:
        return None
    found = carry(row, former, present, words.of)
    if found.range is None:
        return None
    if not _is_sure(row, found):
        if row["start_k"] is None or open_rendition(house, session, row["reference_sha256"]) is not None:
            return None
        # Nothing better will be known of it, and its old place leads nowhere.
        found = RangePlace(*(replace(end, status=Status.APPROXIMATE) for end in (found.start, found.end)))
        # The words to find it by in yet another file are those of the last one that had them.
        return columns_of(LocatedRange(found, row["main_sha256"], row["quote"]))
    quote = quote_in(present, found)
    if has_its_words(row):
        found = as_known(found, row)
    return columns_of(LocatedRange(found, row["main_sha256"], quote))


def carry(
    row: Row,
    former: OpenBook | None,
    present: OpenBook,
    grams: Callable[[OpenBook], Grams | None] = lambda book: None,
) -> RangePlace:
    """The place of an annotation in another file of its book, by alignment, and where that is not sure by its words.
    Never raises. `former`: the file that its columns are counted in."""
    if row["start_k"] is None:
        # It could not be placed in the file it was made in; maybe this one has its words.
        return confirm(present, RangePlace(_NOWHERE, _NOWHERE), row["text"] if row["kind"] != "bookmark" else "")
    found = RangePlace(_NOWHERE, _NOWHERE)
    if former is not None and has_its_words(row):
        found = translate_range(place_in(former, row), former, present)
    if found.status not in _SURE and row["quote"]:
        again = recover(present, TextQuote(**row["quote"]), grams(present))
        if again.status in _SURE or again.status.rank < found.status.rank:
            found = again
    return found


def _is_sure(row: Row, found: RangePlace) -> bool:
    """Whether it may be drawn there. Words of which more than half are gone are not."""
    if found.status is not Status.SNAPPED or row["first"] == row["last"]:
        return found.status.rank < Status.APPROXIMATE.rank
    first, last = found.start.tick, found.end.tick
    return first is not None and last is not None and 2 * (last - first) >= row["last"] - row["first"]
