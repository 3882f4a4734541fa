"""From a device's own range to the words in the book's reference rendition. The only way in for annotations."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlmodel import Session

from appliance.house import House
from appliance.library.renditions import open_rendition
from appliance.models import Book
from appliance.positions import OpenBook, Place, RangePlace, Reason, Status
from appliance.positions.book import UNREADABLE
from appliance.positions.dialects import Dialect, NotALocator, decode, parse
from appliance.positions.quote import quote_of
from appliance.positions.recover import confirm
from appliance.positions.translate import translate_range


@dataclass(frozen=True, slots=True)
class LocatedRange:
    """`place` is in the coordinates of `reference_sha256`; `quote`: its `TextQuote` as JSON, empty without a place."""

    place: RangePlace
    reference_sha256: str | None
    quote: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Files:
    """The rendition that a device speaks of, and the one that its book is kept in."""

    rendition: OpenBook
    reference: OpenBook
    reference_sha256: str


def open_files(house: House, session: Session, book_id: str, sha256: str) -> Files | None:
    """The files for ranges of rendition `sha256`; `None` when it cannot be opened."""
    book = session.get(Book, book_id)
    rendition = open_rendition(house, session, sha256)
    if book is None or rendition is None:
        return None
    reference_sha256 = book.main_sha256 or sha256
    for referred in {sha256, reference_sha256}:  # the place must be found even when the file is replaced
        house.texts.want(referred)
    reference = rendition if reference_sha256 == sha256 else open_rendition(house, session, reference_sha256)
    return Files(rendition, rendition, sha256) if reference is None else Files(rendition, reference, reference_sha256)


def locate_range(files: Files | None, dialect: Dialect, said: Any, text: str = "") -> LocatedRange:
    """Decode a range of the device's rendition and carry it to the book's reference rendition. May read files.

    `said`: as `positions.dialects` writes it; one locator alone is a bookmark. `text`: the words as the device has
    them; they decide only where they are others altogether.
    """
    if files is None:
        return LocatedRange(_failed(Reason.UNREADABLE), None)
    place = decode_range(files.rendition, dialect, said)
    if text:
        place = confirm(files.rendition, place, text)
    if files.reference is not files.rendition:
        place = translate_range(place, files.rendition, files.reference)
    return LocatedRange(place, files.reference_sha256, quote_in(files.reference, place))


def decode_range(rendition: OpenBook, dialect: Dialect, said: Any) -> RangePlace:
    """The range that a device's words mean in its own rendition; FAILED for anything that cannot be read."""
    try:
        found = decode(rendition, dialect, parse(dialect, said))
    except NotALocator:
        return _failed(Reason.SYNTAX)
    return RangePlace(found, found) if isinstance(found, Place) else found


def _failed(reason: Reason) -> RangePlace:
    nowhere = Place(None, Status.FAILED, reason, None, 0)
    return RangePlace(nowhere, nowhere)


def quote_in(reference: OpenBook, place: RangePlace) -> dict[str, Any]:
    """The words of a place in this very rendition, by which to find it again; empty when they cannot be read."""
    if place.range is None:
        return {}
    try:
        quoted: dict[str, Any] = msgspec.to_builtins(quote_of(reference, place.range))
    except (*UNREADABLE, ValueError):
        return {}
    return quoted
