"""The highlights of a book for people: in the order of the book, with where they were made and what waits for them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from appliance.models import Annotation, Book, Device, DeviceAnnotation
from appliance.positions import Status
from appliance.reading.annotations.palette import name_of
from appliance.reading.annotations.refusals import Refusal, refusals
from appliance.reading.reasons import why_not_placed, why_refused


@dataclass(frozen=True, slots=True)
class Highlight:
    """`kind`: highlight, bookmark or markup. `tick`, `document`: where it begins in the book, `None` while it has no
    place; `problem`: why not, or why the place is only roughly known. `colour`: its name. `other_notes`: written
    elsewhere at the same time; a person chooses. `held_by`: the device that asked to delete it with many others.
    `not_shown`: sentences, on which devices it could not be shown, and why."""

    id: str
    kind: str
    text: str
    note: str
    other_notes: list[str]
    colour: str
    style: str
    chapter: str
    device: str
    at: datetime
    tick: int | None
    document: str | None
    problem: str | None
    held_by: str | None
    not_shown: list[str]


@dataclass(frozen=True, slots=True)
class Highlights:
    """Those without a place come last. `total`, `deleted`: how many there are in all, and of how many were deleted."""

    shown: list[Highlight]
    total: int
    held: int
    deleted: int


def highlights(session: Session, user_id: int, book_id: str, limit: int) -> Highlights:
    """The first `limit` highlights, notes and bookmarks of a person in a book."""
    mine = (Annotation.user_id == user_id, Annotation.book_id == book_id)
    living = col(Annotation.deleted_at).is_(None)
    rows = session.exec(
        select(Annotation, Device.name, Book.main_sha256)
        .join(Device, col(Device.id) == Annotation.device_id)
        .join(Book, col(Book.id) == Annotation.book_id)
        .where(*mine, living)
        .order_by(col(Annotation.first).is_(None), col(Annotation.first), col(Annotation.last), col(Annotation.id))
        .limit(limit)
    ).all()
    held = [row.id for row, *_ in rows if row.held_at is not None]
    asked = dict(
        session.exec(
            select(DeviceAnnotation.annotation_id, Device.name)
            .join(Device, col(Device.id) == DeviceAnnotation.device_id)
            .where(col(DeviceAnnotation.annotation_id).in_(held), col(DeviceAnnotation.gone_at).is_not(None))
        ).all()
    )
    total, waiting, all_ = session.exec(
        select(
            func.count().filter(living),
            func.count().filter(living & col(Annotation.held_at).is_not(None)),
            func.count(),
        ).where(*mine)
    ).one()
    refused = refusals(session, user_id, book_id)
    shown = [_highlight(row, device, main, asked.get(row.id), refused.get(row.id, [])) for row, device, main in rows]
    return Highlights(shown, total, waiting, all_ - total)


def _highlight(
    row: Annotation, device: str, main_sha256: str | None, held_by: str | None, refused: list[Refusal]
) -> Highlight:
    return Highlight(
        id=row.id,
        kind=row.kind,
        text=row.text or _quoted(row),
        note=row.note,
        other_notes=list(row.other_notes),
        colour=name_of(row.colour),
        style=row.style,
        chapter=row.chapter,
        device=device,
        at=row.created_at,
        tick=row.first,
        document=row.start_document,
        problem=_problem(row, main_sha256),
        held_by=(held_by or "a device") if row.held_at is not None else None,
        not_shown=[f"It could not be shown on {one.device}. {why_refused(one.reason)}" for one in refused],
    )


def _problem(row: Annotation, main_sha256: str | None) -> str | None:
    if row.first is None:
        return f"It has no place in the book. {why_not_placed(row.place_reason)}"
    if main_sha256 not in (None, row.reference_sha256):
        return "Its words are not in the present file of the book."
    if row.place_status == Status.APPROXIMATE:
        return f"Its place is only roughly known. {why_not_placed(row.place_reason)}"
    return None


def _quoted(row: Annotation) -> str:
    """The words themselves, where the device did not send any."""
    return str((row.quote or {}).get("display") or (row.quote or {}).get("exact") or "")
