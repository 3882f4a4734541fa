"""Reports that could not be placed when they came, because the file they speak of was not in the library.

A person reads a copy in KOReader before the same file is put into the library, or its disk is away for a day. What was
reported meanwhile waits in the journal. Once the file is there it is read again and judged by the same rule as ever,
as of the time it was received, so that it becomes the current position only if no newer reading did.

The journal never changes: a report that is placed late is a second entry, named after the first by its operation id,
which also keeps it from being placed twice.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, String, and_, cast, exists, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from appliance.house import House
from appliance.library.renditions import by_digest, open_rendition
from appliance.models import Digest, JournalEntry
from appliance.positions import Reason, Status
from appliance.reading.clock import skew_of
from appliance.reading.progress.locate import locate
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Report

# The file was away, or its document so long that its index was still being made.
_LATER = (Reason.UNREADABLE, Reason.INDEXING)

_AT_ONCE = 100
"""Entries read, and then recorded in one transaction."""


def retry(house: House, stopping: Callable[[], bool] = lambda: False) -> int:
    """Place what can be placed now; returns how many reports were. Writes nothing when there is nothing to place."""
    placed, after = 0, 0
    while not stopping():
        with house.database.read() as session:
            waiting = _waiting(session, after)
            reports = [report for entry in waiting if (report := _read_again(house, session, entry))]
        if not waiting:
            break
        after = waiting[-1].id or 0
        if reports:
            with house.database.write() as session:
                placed += sum(record(session, report).kind != "duplicate" for report in reports)
    return placed


def _waiting(session: Session, after: int) -> Sequence[JournalEntry]:
    """The next entries in the order they came that a file may be there for, and that were not placed late already."""
    late = aliased(JournalEntry)
    placed_late = exists().where(
        col(late.device_id) == col(JournalEntry.device_id),
        col(late.operation_id) == _operation_id(),
    )
    of_unknown_document = and_(
        col(JournalEntry.book_id).is_(None), col(JournalEntry.asked_for).in_(select(Digest.value))
    )
    query = (
        select(JournalEntry)
        .where(col(JournalEntry.id) > after, or_(of_unknown_document, _of_absent_file()), ~placed_late)
        .order_by(col(JournalEntry.id))
        .limit(_AT_ONCE)
    )
    return session.exec(query).all()


def _of_absent_file() -> ColumnElement[bool]:
    """The book was known but its file was away; only the last word of a device about a book can still matter."""
    newer = aliased(JournalEntry)
    return and_(
        col(JournalEntry.book_id).is_not(None),
        col(JournalEntry.outcome) == "rejected",
        col(JournalEntry.place_status) == Status.FAILED.value,
        col(JournalEntry.place_reason).in_(_LATER),
        ~exists().where(
            col(newer.device_id) == col(JournalEntry.device_id),
            col(newer.book_id) == col(JournalEntry.book_id),
            col(newer.id) > col(JournalEntry.id),
        ),
    )


def _operation_id() -> ColumnElement[str]:
    return literal("placed:") + cast(col(JournalEntry.id), String)


def _read_again(house: House, session: Session, entry: JournalEntry) -> Report | None:
    """The report of an entry, placed; `None` while its file cannot be opened."""
    book_id, sha256 = entry.book_id, entry.sha256
    if book_id is None and entry.asked_for is not None:
        rendition = by_digest(session, entry.asked_for)
        if rendition is not None:
            book_id, sha256 = rendition.book_id, rendition.sha256
    if book_id is None or sha256 is None or open_rendition(house, session, sha256) is None:
        return None
    located = locate(
        house, session, book_id, sha256, entry.dialect, entry.locator, entry.percent, device_id=entry.device_id
    )
    if located.place.position is None and located.place.reason in _LATER:
        return None
    return Report(
        user_id=entry.user_id,
        device_id=entry.device_id,
        received_at=entry.received_at,
        dialect=entry.dialect,
        locator=entry.locator,
        place=located.place,
        book_id=book_id,
        sha256=sha256,
        reference_sha256=located.reference_sha256,
        asked_for=entry.asked_for,
        percent=entry.percent,
        claimed_at=entry.claimed_at,
        reading_status=entry.reading_status,
        error=located.error,
        fraction=located.fraction,
        is_aside=located.is_aside,
        operation_id=f"placed:{entry.id}",
        placed_at=house.now(),
        skew=skew_of(entry.skew),
    )
