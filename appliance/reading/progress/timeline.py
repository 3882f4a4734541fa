"""The timeline of a book: "why am I here?", from the journal. Newest first; paged by id, so that nothing repeats."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from appliance.models import Device, DeviceProgress, JournalEntry, Progress
from appliance.reading.clock import happened, skew_of
from appliance.reading.progress.rule import SITTING
from appliance.reading.reasons import sentence

_TURNED = ("read", "newest", "read-on")  # reasons of a place that became current because somebody read on
_CHOSEN = ("jumped", "put-back")  # reasons of a place that a person went to on purpose
_LONGEST = 40  # entries of one line
_AT_ONCE = 200
_MOST_READ = 2_000  # entries looked at for one page, however few of them are shown

_COLUMNS: tuple[Any, ...] = (
    col(JournalEntry.id).label("id"),
    col(JournalEntry.kind).label("kind"),
    col(JournalEntry.claimed_at).label("claimed_at"),
    col(JournalEntry.received_at).label("received_at"),
    col(JournalEntry.skew).label("skew"),
    col(JournalEntry.outcome).label("outcome"),
    col(JournalEntry.reason).label("reason"),
    # Entries of before shares were kept.
    func.coalesce(
        col(JournalEntry.fraction), 1.0 * col(JournalEntry.tick) / func.nullif(col(JournalEntry.total), 0)
    ).label("fraction"),
    col(JournalEntry.document).label("document"),
    col(JournalEntry.epoch).label("epoch"),
    col(JournalEntry.effects).label("effects"),
    col(JournalEntry.device_id).label("device_id"),
    col(Device.name).label("device"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One place on the way. `fraction`: of the book, 0 to 1."""

    id: int
    at: datetime
    fraction: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """What one device said, or a run of pages that were read on it.

    `id`: of the entry in the journal, of a run the newest. `at`: when it happened, `began_at` when the run began.
    `fraction`, `document`: where it led. `outcome`, `reason`: as in the journal; `sentence`: what they mean. `changes`:
    fields of the book's state that changed with it. `epoch`: how often the book was begun, then. `has_place`: it can be
    put back. `is_current`: this is the place that counts. `steps`: the earlier places of a run, newest first.
    """

    id: int
    kind: str
    device_id: int
    device: str
    at: datetime
    began_at: datetime
    fraction: float | None
    outcome: str
    reason: str
    sentence: str
    changes: dict[str, Any]
    epoch: int | None
    document: str | None
    has_place: bool
    is_current: bool
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A stretch of it. `before`: where the next stretch starts, `None` at the end."""

    lines: list[Line]
    before: int | None


def timeline(
    session: Session,
    user_id: int,
    book_id: str,
    before: int | None = None,
    limit: int = 20,
    *,
    everything: bool = False,
) -> Timeline:
    """The next `limit` lines before the entry `before`. `everything`: also what devices only repeated, and what was
    done to highlights."""
    progress = session.get(Progress, (user_id, book_id))
    current = progress.entry_id if progress is not None else None
    lines: list[Line] = []
    last = before
    for seen, row in enumerate(_entries(session, user_id, book_id, before, everything)):
        line = _line(row, current)
        if lines and _goes_on(lines[-1], line):
            lines[-1] = _joined(lines[-1], line)
        elif len(lines) == limit or seen == _MOST_READ:
            return Timeline(lines, last)
        else:
            lines.append(line)
        last = line.id
    return Timeline(lines, None)


def suggestions(session: Session, user_id: int, book_id: str) -> list[Line]:
    """Places that devices named last and that were not taken over, the newest first. They wait for the person, until
    that one chooses a place, this or another."""
    progress = session.get(Progress, (user_id, book_id))
    if progress is None:
        return []
    chosen = aliased(JournalEntry)
    is_decided = exists().where(
        col(chosen.user_id) == user_id,
        col(chosen.book_id) == book_id,
        col(chosen.id) > col(JournalEntry.id),
        col(chosen.outcome) == "current",
        col(chosen.reason).in_(_CHOSEN),
    )
    query = (
        select(*_COLUMNS)
        .join(Device, col(Device.id) == JournalEntry.device_id)
        .join(DeviceProgress, col(DeviceProgress.reported_entry_id) == JournalEntry.id)
        .where(
            col(JournalEntry.user_id) == user_id,
            col(JournalEntry.book_id) == book_id,
            col(JournalEntry.outcome) == "suggestion",
            col(JournalEntry.kind) == "progress",
            col(Device.revoked_at).is_(None),
            ~is_decided,
        )
        .order_by(col(JournalEntry.id).desc())
    )
    return [_line(row, progress.entry_id) for row in session.execute(query)]


def _entries(session: Session, user_id: int, book_id: str, before: int | None, everything: bool) -> Iterator[Row[Any]]:
    query = (
        select(*_COLUMNS)
        .join(Device, col(Device.id) == JournalEntry.device_id)
        .where(col(JournalEntry.user_id) == user_id, col(JournalEntry.book_id) == book_id)
        .order_by(col(JournalEntry.id).desc())
        .limit(_AT_ONCE)
    )
    if not everything:
        query = query.where(col(JournalEntry.kind) != "annotation", col(JournalEntry.outcome) != "echo")
    while True:
        rows = session.execute(query if before is None else query.where(col(JournalEntry.id) < before)).all()
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        before = rows[-1].id


def _line(row: Row[Any], current: int | None) -> Line:
    at = happened(row.claimed_at, row.received_at, skew_of(row.skew))
    changes: dict[str, Any] = {}
    for effect in row.effects or ():
        if effect["do"] == "state":
            changes |= effect["fields"]
    return Line(
        id=row.id,
        kind=row.kind,
        device_id=row.device_id,
        device=row.device,
        at=at,
        began_at=at,
        fraction=row.fraction,
        outcome=row.outcome,
        reason=row.reason,
        sentence=sentence(row.kind, row.reason),
        changes=changes,
        epoch=row.epoch,
        document=row.document,
        has_place=row.kind == "progress" and row.document is not None,
        is_current=row.id == current,
    )


def _goes_on(newer: Line, older: Line) -> bool:
    """Whether both are pages read on one device in one sitting."""
    both = (newer, older)
    return (
        all(line.outcome == "current" and line.reason in _TURNED and line.has_place for line in both)
        and (newer.device_id, newer.epoch) == (older.device_id, older.epoch)
        and not older.changes
        and newer.began_at - older.at < SITTING
        and len(newer.steps) < _LONGEST
    )


def _joined(newer: Line, older: Line) -> Line:
    step = Step(older.id, older.at, older.fraction)
    return replace(newer, began_at=older.at, steps=[*newer.steps, step])
