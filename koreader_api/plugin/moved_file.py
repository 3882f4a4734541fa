"""A file that was taken for another book: what was made and read in it goes from there to the book that it is.

The device says all that the file has for the right book, in the same operation. From the wrong one goes only what this
device made there and nobody else has changed since; a deletion can be undone in the browser as any other.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlmodel import Session, col, select

from appliance.models import Annotation, Book, DeviceAnnotation, JournalEntry, Progress
from appliance.reading.annotations.acts import keep
from appliance.reading.annotations.record import exchange
from appliance.reading.annotations.report import Caller, Deletion
from appliance.reading.progress.put_back import put_back
from appliance.reading.sessions.record import attach
from koreader_api.plugin import sync_wire as wire
from koreader_api.plugin.call import Call

MOVED = ":moved:"
"""In the operations by which an annotation goes from a book with its file."""


def bring_back(call: Call, caller: Caller, said: wire.AnnotationsSaid, names: Collection[str]) -> None:
    """What went from this book when the file was taken for another one, and has come back with it, is no longer
    deleted."""
    with call.house.database.read() as session:
        gone = {row.id: row.version for name, row in _held(session, caller) if name in names and row.deleted_at}
        query = select(JournalEntry).where(
            JournalEntry.device_id == caller.device_id,
            JournalEntry.book_id == caller.book_id,
            col(JournalEntry.operation_id).contains(MOVED),
        )
        entries = session.exec(query).all() if gone else []
    for entry in entries:
        # Whoever deleted it since meant it.
        if entry.subject and entry.effects and gone.get(entry.subject) == entry.effects[0]["version"]:
            keep(call.house, caller, entry.subject, f"{said.id}:back:{entry.subject}")


def take_away(call: Call, caller: Caller, said: wire.AnnotationsSaid, names: Collection[str]) -> None:
    """From the book that the file was taken for before; reading time, too."""
    with call.house.database.write() as session:
        attach(session, caller.user_id, said.file, caller.book_id)
    with call.house.database.read() as session:
        book = session.get(Book, said.moved_from)
        if book is None or book.id == caller.book_id:
            return
        there = replace(caller, book_id=book.id, sha256=book.main_sha256 or "")
        made = [
            name
            for name, row in _held(session, there)
            if name in names and row.device_id == caller.device_id and row.deleted_at is None
        ]
        before = _place_before(session, there, said.file)
    deletions = [Deletion(name, is_confirmed=True, operation_id=f"{said.id}{MOVED}{name}") for name in made]
    if deletions:
        exchange(call.house, there, [], deletions)
    if before is not None:
        put_back(call.house, caller.user_id, caller.device_id, there.book_id, before, f"{said.id}:place")


def _held(session: Session, caller: Caller) -> Sequence[tuple[str, Annotation]]:
    """The annotations of a book that a device has or had, with what it calls them."""
    query = (
        select(DeviceAnnotation.native_id, Annotation)
        .join(Annotation, col(Annotation.id) == DeviceAnnotation.annotation_id)
        .where(
            DeviceAnnotation.device_id == caller.device_id,
            DeviceAnnotation.book_id == caller.book_id,
            Annotation.user_id == caller.user_id,
        )
    )
    return session.exec(query).all()


def _place_before(session: Session, caller: Caller, file: str) -> int | None:
    """The entry of the place that the person had before this file was read, if that is where the book is now."""
    mine = (JournalEntry.user_id == caller.user_id, JournalEntry.book_id == caller.book_id)
    now = session.get(Progress, (caller.user_id, caller.book_id))
    entry = session.get(JournalEntry, now.entry_id) if now is not None else None
    if entry is None or entry.asked_for != file:
        return None
    query = (
        select(JournalEntry.id)
        .where(*mine, JournalEntry.kind == "progress", JournalEntry.outcome == "current")
        .where(col(JournalEntry.asked_for).is_distinct_from(file), col(JournalEntry.k).is_not(None))
        .order_by(col(JournalEntry.id).desc())
        .limit(1)
    )
    return session.exec(query).first()
