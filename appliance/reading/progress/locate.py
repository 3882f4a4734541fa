"""From a device's own string to a place in the book's reference rendition. The only way in for locators."""

import json
import math
from dataclasses import dataclass, replace

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from appliance.house import House
from appliance.library.renditions import open_rendition
from appliance.models import Book, JournalEntry
from appliance.positions import KoboLocator, OpenBook, Place, Position, Reason, Status, translate
from appliance.positions.estimate import by_document, by_page, by_text
from appliance.positions.fraction import ENGINES
from appliance.reading.progress.pages import learned_pages

_REFERENCE = select(Book.main_sha256).where(col(Book.id) == bindparam("book_id"))

KOBO_STEP = 0.01  # a Kobo's percents are whole (kobo-protocol.md 5.4)
# The document is known and no place in it: a plain EPUB on a Kobo, a location without a span (kobo-protocol.md 5.3).
_DOCUMENT_ONLY = (Reason.NO_SPANS, Reason.WHOLE_DOCUMENT)

NOWHERE = Place(None, Status.FAILED, Reason.UNREADABLE, None, 0)


@dataclass(frozen=True, slots=True)
class Located:
    """`place` is in the coordinates of `reference_sha256`. `error`: canonical characters by which an approximate place
    may be wrong. `fraction`: of the text in reading order before it, 0 to 1, `None` without a place. `is_aside`: it is
    outside the reading order."""

    place: Place
    reference_sha256: str | None
    error: int = 0
    fraction: float | None = None
    is_aside: bool = False


UNPLACED = Located(NOWHERE, None)
"""Of what names no place, or one in a file that cannot be opened."""


def locate(
    house: House,
    session: Session,
    book_id: str,
    sha256: str,
    dialect: str,
    locator: str,
    percent: float | None = None,
    *,
    chapter_percent: float | None = None,
    device_id: int | None = None,
) -> Located:
    """Decode `locator` in rendition `sha256` and carry it to the book's reference rendition.

    `dialect`: xpointer, cfi or kobo (JSON with source and value). `percent` (0 to 1) is used when the locator cannot be
    resolved, as `device_id` counts where that is known; `chapter_percent` (0 to 100) when it names a document only. The
    place is then approximate. May open files: call it outside write transactions.
    """
    row = session.connection().execute(_REFERENCE, {"book_id": book_id}).first()
    rendition = open_rendition(house, session, sha256)
    if row is None or rendition is None:
        return UNPLACED
    reference_sha256 = row.main_sha256 or sha256
    reference = rendition if reference_sha256 == sha256 else open_rendition(house, session, reference_sha256)
    if reference is None:
        reference, reference_sha256 = rendition, sha256
    for referred in {sha256, reference_sha256}:  # the place must be found even when the file is replaced
        house.texts.want(referred)
    place, error = decode(rendition, dialect, locator), 0
    if place.reason in _DOCUMENT_ONLY and dialect == "kobo" and chapter_percent is not None:
        place, error = by_document(rendition, place, chapter_percent)
    place = translate(place, rendition, reference)
    if percent is not None and math.isfinite(percent) and (place.position is None or place.reason is Reason.NO_PLACE):
        total = reference.at_tick(0).total
        if dialect == "xpointer" and device_id is not None and total:
            pages = learned_pages(session, device_id, book_id, sha256, reference_sha256, total)
            guess, guess_error = by_page(reference, pages, percent)
        else:
            guess, guess_error = by_text(rendition, percent, KOBO_STEP if dialect == "kobo" else 0.0)
            guess = translate(guess, rendition, reference)
        # A document that the locator names counts more than a percentage (positions.md C.5, step 6).
        if guess.position is not None and (
            place.position is None or guess.position.document == place.position.document
        ):
            place, error = guess, guess_error
    if place.status is Status.APPROXIMATE and not error:
        error = math.ceil(ENGINES * place.total)
    return _located(place, reference, reference_sha256, error)


def _located(place: Place, reference: OpenBook, reference_sha256: str, error: int = 0) -> Located:
    if place.position is None:
        return Located(place, reference_sha256, error)
    return Located(place, reference_sha256, error, *share_of(reference, place.position))


def share_of(book: OpenBook, position: Position) -> tuple[float, bool]:
    """`Located.fraction` and `is_aside` of a position of this very rendition."""
    summary = book.summary
    document = summary.document(position.document, position.occurrence)
    weight = 0 if document is None else summary.weights[document.ordinal + 1] - summary.weights[document.ordinal]
    return book.fraction(position), document is not None and document.length > 0 and not weight


def as_known(place: Place, entry: JournalEntry) -> Place:
    """A place that follows from that of an entry. What was known roughly when it came is not known better now. (Failed:
    it was a status alone, without a place.)"""
    known = Status(entry.place_status)
    if known is Status.FAILED or known.rank <= place.status.rank:
        return place
    return replace(place, status=known, reason=Reason(entry.place_reason))


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
