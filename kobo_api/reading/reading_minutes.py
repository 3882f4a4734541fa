"""The counter of minutes read that a Kobo keeps for each book (docs/reference/kobo-protocol.md 5.3)."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlmodel import Session

from appliance.models import ReadDocument, ReadingEvent
from appliance.reading.sessions.event import Source, kobo_counter
from appliance.reading.sessions.record import record_events
from kobo_api.call import Caller

_DOCUMENT = ReadDocument.__table__  # type: ignore[attr-defined]
_EVENT = ReadingEvent.__table__  # type: ignore[attr-defined]


def note_minutes(session: Session, caller: Caller, book_id: str, minutes: int, at: datetime, now: datetime) -> None:
    """What the counter showed at `at`, by the device's clock."""
    event = kobo_counter(book_id, int(at.timestamp()), minutes)
    record_events(session, caller.user_id, caller.device_id, [event], now)


def note_arrival(session: Session, caller: Caller, book_id: str, now: datetime) -> None:
    """The book has just come to the device, so its counter begins at nothing; unless it was there before: a device goes
    on counting where it was."""
    of_device = (_EVENT.c.device_id == caller.device_id, _EVENT.c.source == Source.KOBO_COUNTER.value)
    document = (_DOCUMENT.c.user_id == caller.user_id, _DOCUMENT.c.name == f"book:{book_id}")
    counted = exists().where(*document, _EVENT.c.document_id == _DOCUMENT.c.id, *of_device)
    if not session.connection().execute(select(counted)).scalar_one():
        note_minutes(session, caller, book_id, 0, now, now)
