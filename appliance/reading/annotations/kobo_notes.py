"""What stands between the notes of a person and those on their Kobo, for people to read."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session

from appliance.models import Annotation, Book, DeviceAnnotation, KoboDelivery, KoboNotes
from appliance.reading.reasons import PLACES

_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]
_BOOK = Book.__table__  # type: ignore[attr-defined]
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_HELD = DeviceAnnotation.__table__  # type: ignore[attr-defined]
_NOTES = KoboNotes.__table__  # type: ignore[attr-defined]

MOST = 200
"""Books shown of a device, and annotations of a book."""

LEFT_OUT = {
    **PLACES,
    "ink": "Drawn on another Kobo, which has the only picture of it.",
    "other-words": "The file on the Kobo has other words there.",
}

DOUBTS = {
    "restored": "A backup was put back here, and this Kobo may hold notes that were made after it.",
    "newer-token": "This Kobo remembers more than this database: it may hold notes that are not here.",
    "newer-etag": "This Kobo remembers more than this database: it may hold notes that are not here.",
    "elsewhere": "The Kobo was with another server meanwhile, which may have taken notes that are not here.",
    "not-understood": "The Kobo sent something that could not be understood. It is kept as it came.",
    "refused-before": "An earlier version of Bookwake refused some of its notes, which only the Kobo has.",
}
OWED = "Some of its notes could not be stored yet. The Kobo sends them again."
UNPROVEN = "The Kobo has not taken its notes from here since it fetched the book, so it may hold others."


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An annotation that is not on the Kobo, and a sentence that says why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class BookNotes:
    """`held`: how many annotations the Kobo is known to hold. `problem`: why nothing from elsewhere is brought to it,
    `None` when it is. `left_out`: single ones that are not."""

    book_id: str
    title: str
    held: int
    problem: str | None
    left_out: list[LeftOut] = field(default_factory=list)


def notes_on(session: Session, device_id: int) -> list[BookNotes]:
    """The books on a Kobo that have notes there, or elsewhere without reaching it; at most `MOST`, by title."""
    connection = session.connection()
    held = (
        select(_HELD.c.book_id, func.count().label("held"))
        .where(_HELD.c.device_id == device_id, _HELD.c.gone_at.is_(None), _HELD.c.sha256 == _DELIVERY.c.sha256)
        .where(_DELIVERY.c.device_id == device_id, _DELIVERY.c.book_id == _HELD.c.book_id)
        .group_by(_HELD.c.book_id)
        .subquery()
    )
    known = and_(_NOTES.c.device_id == _DELIVERY.c.device_id, _NOTES.c.book_id == _DELIVERY.c.book_id)
    query = (
        select(_BOOK.c.id, _BOOK.c.title, held.c.held, _NOTES.c.owed, _NOTES.c.doubt, _NOTES.c.served_at)
        .add_columns(_NOTES.c.left_out)
        .select_from(
            _DELIVERY.join(_BOOK, _BOOK.c.id == _DELIVERY.c.book_id)
            .join(_NOTES, and_(known, _NOTES.c.began_at == _DELIVERY.c.began_at))
            .outerjoin(held, held.c.book_id == _BOOK.c.id)
        )
        .where(_DELIVERY.c.device_id == device_id)
        .order_by(_BOOK.c.sort_title, _BOOK.c.id)
        .limit(MOST)
    )
    found = [_book(row, _words(session, row.left_out)) for row in connection.execute(query)]
    return [one for one in found if one.held or one.problem or one.left_out]


def _book(row: Any, left_out: list[LeftOut]) -> BookNotes:
    problem = DOUBTS.get(row.doubt) or (OWED if row.owed else None)
    if problem is None and row.served_at is None:
        problem = UNPROVEN
    return BookNotes(row.id, row.title, row.held or 0, problem, left_out)


def _words(session: Session, left_out: dict[str, str] | None) -> list[LeftOut]:
    ids = list(left_out or {})[:MOST]
    if not ids or left_out is None:
        return []
    query = select(_ANNOTATION.c.id, _ANNOTATION.c.text, _ANNOTATION.c.quote).where(
        _ANNOTATION.c.id.in_(ids), _ANNOTATION.c.deleted_at.is_(None)
    )
    rows = session.connection().execute(query.order_by(_ANNOTATION.c.first))
    return [
        LeftOut(
            row.text or str((row.quote or {}).get("display") or ""),
            LEFT_OUT.get(left_out[row.id]) or "Its place could not be understood.",
        )
        for row in rows
    ]
