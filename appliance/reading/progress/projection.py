"""The current position as one device needs it: in the coordinates of the file it holds. The only way out."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from appliance.house import House
from appliance.library.renditions import open_rendition, remember_rendition
from appliance.models import BookState, Device, JournalEntry, Progress
from appliance.positions import Encoded, OpenBook, Place, Position, Reason, Status, is_indexed, translate, worst
from appliance.reading.progress.locate import as_known, decode


@dataclass(frozen=True, slots=True)
class Projected:
    """A position for a device.

    `encoded.locator` is in the asked dialect; `None` (with status FAILED) when the place cannot be named there: send
    no locator then. `place`: the same place in the asked rendition. `echo_tick`: where the locator leads when it comes
    back, in the reference rendition. `fraction`: 0 to 1 of the book. `entry`: the report it came from, with the
    percentage that device claimed. `device`: where the reading happened. `status`: unread, reading,
    finished or abandoned.
    """

    encoded: Encoded[Any]
    place: Place
    echo_tick: int | None
    fraction: float
    progress: Progress
    entry: JournalEntry
    device: Device
    status: str

    @property
    def version(self) -> int:
        """Rises with each change of the current position."""
        return self.progress.version

    @property
    def activity_at(self) -> datetime:
        """When the reading happened."""
        return self.progress.activity_at


def project(
    house: House, session: Session, user_id: int, book_id: str, sha256: str, dialect: str, device_id: int | None = None
) -> Projected | None:
    """The current position in rendition `sha256` and `dialect` (xpointer, xpointer-indexed, cfi, kobo); `None` when
    nothing was read. `device_id`: who asks, where that is certain: its own string comes back unchanged. May open
    files."""
    progress = session.get(Progress, (user_id, book_id))
    if progress is None:
        return None
    entry = session.get_one(JournalEntry, progress.entry_id)
    device = session.get_one(Device, entry.device_id)
    place = _place_in(house, session, progress, entry, sha256)
    encoded = _own_string(house, session, entry, sha256, dialect, device_id)
    echo_tick = progress.tick
    if encoded is None:
        encoded = _encode(house, session, place, sha256, dialect)
        echo_tick = _echo_tick(house, session, progress, place, encoded, sha256)
    state = session.get(BookState, (user_id, book_id))
    status = state.status if state is not None else "reading"
    return Projected(encoded, place, echo_tick, progress.fraction or 0.0, progress, entry, device, status)


def encode(book: OpenBook, position: Position, dialect: str) -> Encoded[Any]:
    """A position of this very rendition in a dialect. Raises `ValueError` for an unknown dialect."""
    match dialect:
        case "xpointer" | "xpointer-indexed":
            return book.encode_xpointer(position, indexed=dialect == "xpointer-indexed")
        case "cfi":
            return book.encode_cfi(position)
        case "kobo":
            return book.encode_kobo(position)
    raise ValueError(f"unknown dialect {dialect!r}")


def _place_in(house: House, session: Session, progress: Progress, entry: JournalEntry, sha256: str) -> Place:
    if progress.document is None or progress.k is None or progress.reference_sha256 is None:
        return Place(None, Status.FAILED, Reason.NO_PLACE, None, progress.total or 0)
    reference = remember_rendition(house, session, progress.reference_sha256)
    if reference is None:
        return Place(None, Status.FAILED, Reason.UNREADABLE, None, progress.total or 0)
    place = as_known(reference.place(Position(progress.document, progress.occurrence, progress.k)), entry)
    if sha256 == progress.reference_sha256:
        return place
    target = open_rendition(house, session, sha256)
    if target is None:
        return Place(None, Status.FAILED, Reason.UNREADABLE, None, progress.total or 0)
    return translate(place, reference, target)


def _encode(house: House, session: Session, place: Place, sha256: str, dialect: str) -> Encoded[Any]:
    book = open_rendition(house, session, sha256)
    if book is None or place.position is None:
        return Encoded(None, Status.FAILED, place.reason)
    encoded = encode(book, place.position, dialect)
    status = worst(place.status, encoded.status)
    if status is encoded.status:
        return encoded
    return Encoded(
        encoded.locator, status, place.reason, encoded.distance, encoded.content_percent, encoded.book_percent
    )


def _echo_tick(
    house: House, session: Session, progress: Progress, place: Place, encoded: Encoded[Any], sha256: str
) -> int | None:
    """A locator may stand for a place before or behind the one that was asked for (`Encoded.distance`); the device that
    follows it will name that one."""
    if encoded.locator is None or place.position is None or progress.tick is None:
        return None
    if not encoded.distance:
        return progress.tick
    if sha256 == progress.reference_sha256:
        return progress.tick - encoded.distance
    target = open_rendition(house, session, sha256)
    reference = open_rendition(house, session, progress.reference_sha256 or "")
    if target is None or reference is None:
        return progress.tick - encoded.distance
    named = replace(place.position, k=place.position.k - encoded.distance)
    return translate(target.place(named), target, reference).tick


def _own_string(
    house: House, session: Session, entry: JournalEntry, sha256: str, dialect: str, device_id: int | None
) -> Encoded[Any] | None:
    """The string that the very same file produced, unchanged (positions.md C.8 rule 1). A Kobo's is encoded again all
    the same, because its percentages belong to it; the span comes out equal.

    The device that made it gets it even where it is not exact: it is a place that its own reader found in this file.
    Others get it only where it is exact and in the spelling they use. A string that leads nowhere, so that only its
    percentage placed the report, is never repeated (positions.md A.2, rows 31 and 32).
    """
    asked, _, spelling = dialect.partition("-")
    if (entry.sha256, entry.dialect) != (sha256, asked) or asked == "kobo" or entry.place_status == Status.FAILED:
        return None
    if entry.place_status == Status.EXACT:
        shared = _is_strict(entry.locator, asked, spelling == "indexed")
        return Encoded(entry.locator, Status.EXACT, Reason.NONE) if shared or entry.device_id == device_id else None
    book = open_rendition(house, session, sha256) if entry.device_id == device_id else None
    if book is None or decode(book, asked, entry.locator).position is None:
        return None
    return Encoded(entry.locator, Status(entry.place_status), Reason(entry.place_reason))


def _is_strict(locator: str, dialect: str, indexed: bool) -> bool:
    """Whether every reader of that dialect reads this as we did: our decoders overlook stray white space."""
    if dialect == "cfi":
        return locator.startswith("epubcfi(") and locator.endswith(")")
    return locator.startswith("/body") and locator == locator.strip() and is_indexed(locator) == indexed
