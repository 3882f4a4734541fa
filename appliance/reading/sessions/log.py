"""What was read when, for people: the sessions of a book, the days of a year."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from sqlalchemy import func
from sqlmodel import Session, col, select

from appliance.models import Device, ReadingSession
from appliance.reading.sessions.rule import SHORTEST, Day, daily, instant


@dataclass(frozen=True, slots=True)
class Logged:
    """One reading session. `seconds` were read between its begin and its end, of which only a counter knows
    `estimated`. Fractions of the book, 0 to 1, `None` when no device told. `devices`: their names."""

    started_at: datetime
    ended_at: datetime
    seconds: int
    estimated: int
    start_fraction: float | None
    end_fraction: float | None
    devices: list[str]


@dataclass(frozen=True, slots=True)
class BookTime:
    """All reading of a person in a book. `last_at`: the end of the latest session, `None` when there is none."""

    seconds: int
    sessions: int
    last_at: datetime | None


def sessions_of(
    session: Session, user_id: int, book_id: str, limit: int = 50, before: datetime | None = None
) -> list[Logged]:
    """The sessions of a person in a book, the latest first. `before`: only those that began earlier, for paging."""
    query = (
        select(ReadingSession)
        .where(*_counted(user_id), ReadingSession.book_id == book_id)
        .order_by(col(ReadingSession.started_at).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(ReadingSession.started_at) < before)
    rows = session.exec(query).all()
    ids = {device_id for row in rows for device_id in row.devices}
    names = dict(session.exec(select(Device.id, Device.name).where(col(Device.id).in_(ids))).all())
    return [
        Logged(
            row.started_at,
            row.ended_at,
            row.seconds,
            row.estimated,
            row.start_fraction,
            row.end_fraction,
            [names[device_id] for device_id in row.devices if device_id in names],
        )
        for row in rows
    ]


def time_in(session: Session, user_id: int, book_id: str) -> BookTime:
    """How long a person has read a book, in all."""
    query = select(
        func.coalesce(func.sum(ReadingSession.seconds), 0), func.count(), func.max(ReadingSession.ended_at)
    ).where(*_counted(user_id), ReadingSession.book_id == book_id)
    seconds, sessions, last_at = session.exec(query).one()
    return BookTime(seconds, sessions, last_at)


def days(session: Session, user_id: int, zone: tzinfo, first: date, last: date) -> list[Day]:
    """What a person read from the first day to the last, by their own midnight; days without reading are left out."""
    begin, end = instant(first, zone), instant(last + timedelta(days=1), zone)
    query = (
        select(ReadingSession.book_id, ReadingSession.started_at, ReadingSession.stretches)
        .where(
            *_counted(user_id),
            col(ReadingSession.started_at) < datetime.fromtimestamp(end, UTC),
            col(ReadingSession.ended_at) > datetime.fromtimestamp(begin, UTC),
        )
        .order_by(col(ReadingSession.started_at))
    )
    stretches = []
    for book_id, started_at, offsets in session.exec(query):
        start = int(started_at.timestamp())
        pairs = zip(offsets[::2], offsets[1::2], strict=True)
        cut = ((max(start + one, begin), min(start + other, end)) for one, other in pairs)
        stretches += [(book_id, one, other) for one, other in cut if one < other]
    return daily(stretches, zone)


def _counted(user_id: int) -> tuple[bool, bool]:
    return ReadingSession.user_id == user_id, ReadingSession.seconds >= SHORTEST
