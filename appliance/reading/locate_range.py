"""From a device's own range to the words in the book's reference rendition. The only way in for annotations."""

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from appliance.house import House
from appliance.library.renditions import open_rendition
from appliance.models import Book
from appliance.positions import KoboLocator, OpenBook, Place, RangePlace, Reason, Status
from appliance.positions.ranges import decode_cfi_range, decode_kobo_range, decode_xpointer_range
from appliance.positions.translate import translate_range

_FAILED = Place(None, Status.FAILED, Reason.SYNTAX, None, 0)
_GONE = Place(None, Status.FAILED, Reason.UNREADABLE, None, 0)
UNREADABLE = RangePlace(_GONE, _GONE)


@dataclass(frozen=True, slots=True)
class LocatedRange:
    """`place` is in the coordinates of `reference_sha256`; `quote`: its words, as JSON."""

    place: RangePlace
    reference_sha256: str | None
    quote: dict[str, Any] = field(default_factory=dict)


NOT_SAID = LocatedRange(RangePlace(_FAILED, _FAILED), None)
"""The range of an annotation that came without one."""


def locate_range(
    house: House, session: Session, book_id: str, sha256: str, dialect: str, said: Any, text: str = ""
) -> LocatedRange:
    """Decode a range in rendition `sha256` and carry it to the book's reference rendition. May open files.

    `said`, as JSON: for xpointer a list of two pointers, or one for a bookmark; for cfi a CFI; for kobo a list of two
    locators `{"source", "value", "offset"}`, or one. `text`: the words as the device has them.
    """
    book = session.get(Book, book_id)
    rendition = open_rendition(house, session, sha256)
    if book is None or rendition is None:
        return LocatedRange(UNREADABLE, None)
    place = decode_range(rendition, dialect, said)
    reference_sha256 = book.main_sha256 or sha256
    reference = rendition if reference_sha256 == sha256 else open_rendition(house, session, reference_sha256)
    if reference is None:
        return LocatedRange(place, sha256)
    if reference is not rendition:
        place = translate_range(place, rendition, reference)
    return LocatedRange(place, reference_sha256, {})


def decode_range(rendition: OpenBook, dialect: str, said: Any) -> RangePlace:
    """The range that a device's words mean in its own rendition; FAILED for anything that cannot be read."""
    match dialect, said:
        case "xpointer", [str(start)]:
            return decode_xpointer_range(rendition, start, start)
        case "xpointer", [str(start), str(end)]:
            return decode_xpointer_range(rendition, start, end)
        case "cfi", str(text):
            return decode_cfi_range(rendition, text)
        case "kobo", [{"source": str(), "value": str()} as start]:
            return decode_kobo_range(rendition, _kobo(start), _kobo(start))
        case "kobo", [{"source": str(), "value": str()} as start, {"source": str(), "value": str()} as end]:
            return decode_kobo_range(rendition, _kobo(start), _kobo(end))
    return RangePlace(_FAILED, _FAILED)


def _kobo(locator: dict[str, Any]) -> KoboLocator:
    offset = locator.get("offset")
    return KoboLocator(locator["source"], locator["value"], offset if isinstance(offset, int) else None)
