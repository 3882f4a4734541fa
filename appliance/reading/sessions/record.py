"""Reading time: facts are appended first, sessions are derived from them in the same transaction.

`record_events` is the only way in, `log` the way out. What counts is decided by the pure rules in `rule`, `kobo_time`
and `event`. Written with SQLAlchemy Core, because KOReader brings years of page visits at once.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlmodel import Session

from appliance.library.renditions import by_digest
from appliance.models import Digest, ReadDocument, ReadingEvent, ReadingSession
from appliance.reading.sessions.event import Event, Source, believed, refusal
from appliance.reading.sessions.kobo_time import Counter, estimated
from appliance.reading.sessions.rule import GAP, Interval, Sitting, joined, page_visit
from appliance.reading.turn import take_turn

AT_ONCE = 5_000
"""Events held in memory at a time."""

_EVER = (0, 2**37)

_DOCUMENT = ReadDocument.__table__  # type: ignore[attr-defined]
_DIGEST = Digest.__table__  # type: ignore[attr-defined]
_EVENT = ReadingEvent.__table__  # type: ignore[attr-defined]
_SESSION = ReadingSession.__table__  # type: ignore[attr-defined]

_COLUMNS = [column.name for column in _EVENT.c if column.name != "id"]

# Built once, because each message of a device runs them.
_OF_THIS = (_DOCUMENT.c.user_id == bindparam("this_user"), _DOCUMENT.c.book_id == bindparam("this_book"))
# A Kobo speaks of books; the many page visits are about documents of another kind.
_SELECT_OF_KOBO = (
    select(_EVENT.c.id, _EVENT.c.source, _EVENT.c.device_id, _EVENT.c.started, _EVENT.c.seconds)
    .where(
        _EVENT.c.document_id.in_(select(_DOCUMENT.c.id).where(*_OF_THIS, _DOCUMENT.c.name.like("book:%"))),
        _EVENT.c.source.in_([Source.KOBO.value, Source.KOBO_COUNTER.value]),
        _EVENT.c.counted,
    )
    .order_by(_EVENT.c.started)
)
_SELECT_EVENTS = (
    select(
        _EVENT.c.started,
        _EVENT.c.seconds,
        _EVENT.c.device_id,
        _EVENT.c.page,
        _EVENT.c.pages,
        _EVENT.c.start_fraction,
        _EVENT.c.end_fraction,
    )
    .where(
        _EVENT.c.document_id.in_(select(_DOCUMENT.c.id).where(*_OF_THIS)),
        _EVENT.c.started.between(bindparam("start"), bindparam("end")),
        _EVENT.c.counted,
        _EVENT.c.source != Source.KOBO_COUNTER.value,
    )
    .order_by(_EVENT.c.started)
    .execution_options(yield_per=AT_ONCE)
)
_THIS_BOOK = (_SESSION.c.user_id == bindparam("this_user"), _SESSION.c.book_id == bindparam("this_book"))
_SELECT_NEAR = select(_SESSION).where(
    *_THIS_BOOK, _SESSION.c.ended_at > bindparam("after"), _SESSION.c.started_at < bindparam("before")
)
_DELETE_SESSION = delete(_SESSION).where(*_THIS_BOOK, _SESSION.c.started_at == bindparam("this_start"))
_INSERT_SESSION = insert(_SESSION)
_SELECT_NEWEST = select(func.coalesce(func.max(_EVENT.c.id), 0))
_SELECT_NAMED = select(_DOCUMENT.c.name, _DOCUMENT.c.id).where(
    _DOCUMENT.c.user_id == bindparam("this_user"), _DOCUMENT.c.name.in_(bindparam("names", expanding=True))
)
_SELECT_COUNTED = (
    select(_EVENT.c.seconds)
    .where(
        _EVENT.c.document_id == bindparam("document"),
        _EVENT.c.device_id == bindparam("device"),
        _EVENT.c.source == Source.KOBO_COUNTER.value,
        _EVENT.c.claimed <= bindparam("at"),
    )
    .order_by(_EVENT.c.claimed.desc(), _EVENT.c.id.desc())
    .limit(1)
)
_SELECT_NEWS = (
    select(
        _DOCUMENT.c.book_id,
        _EVENT.c.counted,
        func.count().label("events"),
        func.min(_EVENT.c.started).label("start"),
        func.max(_EVENT.c.started + _EVENT.c.seconds).label("end"),
    )
    .join_from(_EVENT, _DOCUMENT, _DOCUMENT.c.id == _EVENT.c.document_id)
    .where(_EVENT.c.id > bindparam("known"), _EVENT.c.document_id.in_(bindparam("documents", expanding=True)))
    .group_by(_DOCUMENT.c.book_id, _EVENT.c.counted)
)
_SELECT_BY_NAME = select(_DOCUMENT.c.book_id).where(
    _DOCUMENT.c.user_id == bindparam("this_user"),
    _DOCUMENT.c.book_id.in_(bindparam("books", expanding=True)),
    _DOCUMENT.c.name.like("book:%"),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of events. `duplicate`: known already. `refused`: not kept, because it makes no sense. `doubted`: of
    the new ones, how many do not count, because their time cannot be true."""

    new: int = 0
    duplicate: int = 0
    refused: int = 0
    doubted: int = 0


@dataclass(slots=True)
class _Window:
    """Where in a book something is new: the events whose id is above `known`. `by_name`: whether any of its reading
    was told by the name of the book, as Kobos do, and not of a file."""

    start: int
    end: int
    known: int
    by_name: bool = True


def record_events(
    session: Session,
    user_id: int,
    device_id: int,
    events: Iterable[Event],
    received_at: datetime,
    skew: int | None = None,
) -> Counted:
    """Append what a device says to the facts, and make the sessions anew that it touches. The caller's transaction
    commits both or none.

    `events` may be any number, in any order, and be sent again. `skew`: seconds that the device's clock was ahead when
    it sent them, `None` if unknown. A digest that no file of the library has waits for it (`attach_found`).
    """
    connection = session.connection()
    take_turn(connection, user_id)
    received = int(received_at.timestamp())
    before = connection.execute(_SELECT_NEWEST).scalar_one()
    documents: dict[str, int] = {}
    seen = refused = appended = 0
    incoming = iter(events)
    while chunk := list(islice(incoming, AT_ONCE)):
        seen += len(chunk)
        kept = [(_name_of(event), event) for event in chunk if refusal(event) is None]
        refused += len(chunk) - len(kept)
        _name(session, user_id, kept, documents)
        rows = [
            _row(event, documents[name], device_id, received, skew)
            for name, event in kept
            if not _is_said_already(connection, event, documents[name], device_id)
        ]
        if rows:
            _append(connection, rows)
            appended += len(rows)
    if not appended:
        return Counted(0, seen - refused, refused, 0)
    new, doubted, windows = _news(connection, user_id, before, documents)
    for book_id, window in windows.items():
        _derive(connection, user_id, book_id, window)
    return Counted(new, seen - refused - new, refused, doubted)


def attach(session: Session, user_id: int, digest: str, book_id: str) -> bool:
    """From now on the person's reading time of a file belongs to a book, whatever it belonged to before. Returns
    whether that is a change."""
    connection = session.connection()
    take_turn(connection, user_id)
    mine = (_DOCUMENT.c.user_id == user_id, _DOCUMENT.c.name == f"md5:{digest.strip().lower()}")
    row = connection.execute(select(_DOCUMENT.c.id, _DOCUMENT.c.book_id).where(*mine)).first()
    if row is None or row.book_id == book_id:
        return False
    connection.execute(update(_DOCUMENT).where(_DOCUMENT.c.id == row.id).values(book_id=book_id))
    for changed in (row.book_id, book_id):
        if changed is not None:
            _derive(connection, user_id, changed, _Window(*_EVER, 0))
    return True


def attach_found(session: Session) -> int:
    """Attach what was read of files that were not in the library then and are now; returns how many. Writes nothing
    when there are none."""
    waiting = (
        select(_DOCUMENT.c.user_id, _DIGEST.c.value)
        .join_from(_DOCUMENT, _DIGEST, _DIGEST.c.value == func.substr(_DOCUMENT.c.name, len("md5:") + 1))
        .where(_DOCUMENT.c.book_id.is_(None))
        .distinct()
        .order_by(_DOCUMENT.c.user_id)  # everybody's turn comes once, and in the same order for all who wait
    )
    found = 0
    for user_id, digest in session.connection().execute(waiting).all():
        named = by_digest(session, digest)
        found += named is not None and attach(session, user_id, digest, named.book_id)
    return found


def rebuild(session: Session, user_id: int | None = None) -> None:
    """Derive all sessions anew, of one person or of everybody."""
    connection = session.connection()
    everybody = select(_DOCUMENT.c.user_id).distinct().order_by(_DOCUMENT.c.user_id)
    for person in connection.execute(everybody).scalars().all() if user_id is None else [user_id]:
        take_turn(connection, person)
        connection.execute(delete(_SESSION).where(_SESSION.c.user_id == person))
        read = (_DOCUMENT.c.user_id == person, _DOCUMENT.c.book_id.is_not(None))
        for book_id in connection.execute(select(_DOCUMENT.c.book_id).where(*read).distinct()).scalars().all():
            _derive(connection, person, book_id, _Window(*_EVER, 0))


def _name_of(event: Event) -> str:
    return f"book:{event.book_id}" if event.digest is None else f"md5:{event.digest.strip().lower()}"


def _name(session: Session, user_id: int, events: Iterable[tuple[str, Event]], documents: dict[str, int]) -> None:
    """Fill in the rows of what the events are about, by name."""
    missing = {name: event for name, event in events if name not in documents}
    if not missing:
        return
    connection = session.connection()
    known = connection.execute(_SELECT_NAMED, {"this_user": user_id, "names": list(missing)})
    documents.update((row.name, row.id) for row in known)
    for name, event in missing.items():
        if name in documents:
            continue
        named = by_digest(session, event.digest) if event.digest is not None else None
        book_id = named.book_id if named is not None else event.book_id
        values = {"user_id": user_id, "name": name, "book_id": book_id}
        documents[name] = connection.execute(insert(_DOCUMENT).values(values).returning(_DOCUMENT.c.id)).scalar_one()


def _is_said_already(connection: Connection, event: Event, document_id: int, device_id: int) -> bool:
    """A counter that has not moved is repeated with every state that a Kobo sends, each time with another time."""
    if event.source is not Source.KOBO_COUNTER:
        return False
    before = {"document": document_id, "device": device_id, "at": event.started}
    return connection.execute(_SELECT_COUNTED, before).scalar() == event.seconds


def _row(event: Event, document_id: int, device_id: int, received: int, skew: int | None) -> tuple[object, ...]:
    """In the order of `_COLUMNS`."""
    started = believed(event, received, skew)
    return (
        document_id,
        device_id,
        event.source.value,
        event.started,
        event.started if started is None else started,
        received,
        event.seconds,
        event.page,
        event.pages,
        event.start_fraction,
        event.end_fraction,
        started is not None,
        event.operation_id,
    )


def _append(connection: Connection, rows: list[tuple[object, ...]]) -> None:
    """What a device sends again is there already, by one of two unique indexes."""
    # Straight to the driver: SQLAlchemy would take as long over the rows as everything else together.
    place = "?" if connection.dialect.name == "sqlite" else "%s"
    columns, places = ", ".join(_COLUMNS), ", ".join([place] * len(_COLUMNS))
    connection.exec_driver_sql(f"INSERT INTO {_EVENT.name} ({columns}) VALUES ({places}) ON CONFLICT DO NOTHING", rows)


def _news(
    connection: Connection, user_id: int, before: int, documents: dict[str, int]
) -> tuple[int, int, dict[str, _Window]]:
    """How many events after `before` are new, how many of them do not count, and where the others are, by book."""
    new = doubted = 0
    windows: dict[str, _Window] = {}
    for row in connection.execute(_SELECT_NEWS, {"known": before, "documents": list(documents.values())}):
        new += row.events
        if not row.counted:
            doubted += row.events
        elif row.book_id is not None:
            windows[row.book_id] = _Window(row.start, row.end, before, False)
    if windows:
        named = connection.execute(_SELECT_BY_NAME, {"this_user": user_id, "books": list(windows)})
        for book_id in named.scalars():
            windows[book_id].by_name = True
    return new, doubted, windows


def _derive(connection: Connection, user_id: int, book_id: str, window: _Window) -> None:
    """Make the sessions of a book anew where something changed, and write those that differ."""
    start, end = window.start, window.end
    this = {"this_user": user_id, "this_book": book_id}
    guesses, before = _of_kobos(connection, this, window.known) if window.by_name else ([], [])
    # Another counter, or a sitting between two, changes what those around it tell.
    for changed in set(guesses) ^ set(before):
        start, end = min(start, changed.start), max(end, changed.end)
    # What is near becomes part of the same session. All others are too far away to be touched.
    near = {"after": _at(start - GAP), "before": _at(end + GAP)}
    old = {row.started_at: row._asdict() for row in connection.execute(_SELECT_NEAR, {**this, **near})}
    start = min([start, *(int(row["started_at"].timestamp()) for row in old.values())])
    end = max([end, *(int(row["ended_at"].timestamp()) for row in old.values())])
    known = _intervals(connection, {**this, "start": start, "end": end})
    guessed = [each for each in guesses if start <= each.start <= end]
    ordered = heapq.merge(known, guessed, key=lambda interval: interval.start) if guessed else known
    new = {row["started_at"]: row for row in (_session_row(user_id, book_id, sitting) for sitting in joined(ordered))}
    gone = [{**this, "this_start": started_at} for started_at, row in old.items() if new.get(started_at) != row]
    come = [row for started_at, row in new.items() if old.get(started_at) != row]
    if gone:
        connection.execute(_DELETE_SESSION, gone)
    if come:
        connection.execute(_INSERT_SESSION, come)


def _of_kobos(connection: Connection, this: dict[str, Any], known: int) -> tuple[list[Interval], list[Interval]]:
    """What the counters of a book tell beyond the sittings, now and by the events up to the id `known`."""
    said = connection.execute(_SELECT_OF_KOBO, this).all()
    if not said:
        return [], []
    now, before = _beyond(said), [row for row in said if row.id <= known]
    return now, now if len(before) == len(said) else _beyond(before)


def _beyond(said: Iterable[Any]) -> list[Interval]:
    counters, sittings = [], []
    for _, source, device_id, started, seconds in said:
        if source == Source.KOBO_COUNTER.value:
            counters.append(Counter(device_id, started, seconds))
        else:
            sittings.append(Interval(started, started + seconds, device_id))
    return estimated(counters, sittings)


def _intervals(connection: Connection, parameters: dict[str, Any]) -> Iterator[Interval]:
    """What counts in a stretch of time, in order of its begin; read as it is used."""
    with connection.execute(_SELECT_EVENTS, parameters) as rows:
        for started, seconds, device_id, page, pages, start_fraction, end_fraction in rows:
            if page is not None:
                yield page_visit(started, seconds, device_id, page, pages or 0)
            else:
                yield Interval(started, started + seconds, device_id, False, start_fraction, end_fraction)


def _session_row(user_id: int, book_id: str, sitting: Sitting) -> dict[str, Any]:
    begin = sitting.start
    return {
        "user_id": user_id,
        "book_id": book_id,
        "started_at": _at(begin),
        "ended_at": _at(sitting.end),
        "seconds": sitting.seconds,
        "estimated": sitting.estimated,
        "start_fraction": sitting.start_fraction,
        "end_fraction": sitting.end_fraction,
        "devices": list(sitting.devices),
        "stretches": [moment - begin for stretch in sitting.stretches for moment in stretch],
    }


def _at(moment: int) -> datetime:
    return datetime.fromtimestamp(min(max(moment, 0), _EVER[1]), UTC)
