"""Undo: a person puts an earlier place back, for every device. Nothing else ever brings an old place back."""

from sqlmodel import Session

from appliance.house import House
from appliance.library.renditions import open_rendition
from appliance.models import Book, JournalEntry
from appliance.positions import Place, Position, Reason, Status, translate
from appliance.reading.progress.locate import Located, as_known, share_of
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Act, Outcome, Report


def put_back(
    house: House, user_id: int, device_id: int, book_id: str, entry_id: int, operation_id: str | None = None
) -> Outcome | None:
    """Make the place of an entry of the journal the current one again, whatever became of it then: an earlier place, or
    a suggestion. It is an act of the person at `device_id`, now, and goes out to every device as any other.

    `None` when the person has no such entry in this book; rejected when its place cannot be found any more. A book that
    was finished since is being read again.
    """
    with house.database.read() as session:
        entry = session.get(JournalEntry, entry_id)
        book = session.get(Book, book_id)
        if entry is None or book is None or (entry.user_id, entry.book_id) != (user_id, book_id):
            return None
        located = _located(house, session, entry, book.main_sha256)
    report = Report(
        user_id=user_id,
        device_id=device_id,
        received_at=house.now(),
        dialect=entry.dialect,
        locator=entry.locator,
        place=located.place,
        book_id=book_id,
        sha256=entry.sha256,
        reference_sha256=located.reference_sha256,
        act=Act.JUMPED,
        reading_status="reading",
        fraction=located.fraction,
        is_aside=located.is_aside,
        operation_id=operation_id,
        of_entry=entry_id,
    )
    with house.database.write() as session:
        return record(session, report)


def _located(house: House, session: Session, entry: JournalEntry, main_sha256: str | None) -> Located:
    """Where the entry's place is in the present reference rendition."""
    if entry.document is None or entry.k is None or entry.reference_sha256 is None:
        return Located(Place(None, Status.FAILED, Reason.NO_PLACE, None, 0), None)
    source = open_rendition(house, session, entry.reference_sha256)
    if source is None:
        return Located(Place(None, Status.FAILED, Reason.UNREADABLE, None, 0), None)
    place, book = source.place(Position(entry.document, entry.occurrence, entry.k)), source
    target = open_rendition(house, session, main_sha256) if main_sha256 else None
    if target is not None and target.sha256 != source.sha256:
        place, book = translate(place, source, target), target
    if place.position is None:
        return Located(place, book.sha256)
    return Located(as_known(place, entry), book.sha256, 0, *share_of(book, place.position))
