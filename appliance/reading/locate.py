"""From a device's own string to a place in the book's reference rendition. The only way in for locators."""

import json
import math
from dataclasses import dataclass

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from appliance.house import House
from appliance.library.renditions import open_rendition
from appliance.models import Book
from appliance.positions import KoboLocator, OpenBook, Place, Reason, Status, translate

_REFERENCE = select(Book.main_sha256).where(col(Book.id) == bindparam("book_id"))

NOWHERE = Place(None, Status.FAILED, Reason.UNREADABLE, None, 0)


@dataclass(frozen=True, slots=True)
class Located:
    """`place` is in the coordinates of `reference_sha256`."""

    place: Place
    reference_sha256: str | None


def locate(
    house: House, session: Session, book_id: str, sha256: str, dialect: str, locator: str, percent: float | None = None
) -> Located:
    """Decode `locator` in rendition `sha256` and carry it to the book's reference rendition.

    `dialect`: xpointer, cfi, kobo (JSON with source and value) or fraction. `percent` (0 to 1) is used when the
    locator cannot be resolved; the place is then approximate. May open files: call it outside write transactions.
    """
    row = session.connection().execute(_REFERENCE, {"book_id": book_id}).first()
    rendition = open_rendition(house, session, sha256)
    if row is None or rendition is None:
        return Located(NOWHERE, None)
    place = decode(rendition, dialect, locator)
    if place.position is None and percent is not None and math.isfinite(percent):
        place = rendition.decode_fraction(min(max(percent, 0.0), 1.0))
    reference_sha256 = row.main_sha256 or sha256
    if reference_sha256 != sha256:
        reference = open_rendition(house, session, reference_sha256)
        if reference is None:
            return Located(place, sha256)
        place = translate(place, rendition, reference)
    return Located(place, reference_sha256)


def decode(rendition: OpenBook, dialect: str, locator: str) -> Place:
    """The place a locator means in its own rendition; FAILED with a reason for anything that cannot be resolved."""
    match dialect:
        case "xpointer":
            return rendition.decode_xpointer(locator)
        case "cfi":
            return rendition.decode_cfi(locator)
        case "kobo":
            kobo = read_kobo(locator)
            return rendition.decode_kobo(kobo.source, kobo.value, kobo.offset) if kobo else NOWHERE
        case "fraction":
            try:
                return rendition.decode_fraction(float(locator))
            except ValueError:
                return NOWHERE
    raise ValueError(f"unknown dialect {dialect!r}")


def write_kobo(locator: KoboLocator) -> str:
    """A Kobo locator as the journal stores it."""
    return json.dumps({"source": locator.source, "value": locator.value}, ensure_ascii=False)


def read_kobo(text: str) -> KoboLocator | None:
    """The reverse of `write_kobo`; `None` for anything else."""
    try:
        value = json.loads(text)
        return KoboLocator(str(value["source"]), str(value["value"]))
    except (ValueError, TypeError, KeyError):
        return None
