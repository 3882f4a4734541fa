"""Status, rating and review of a book, from all devices: facts into the journal, the state folded from them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlmodel import Session

from appliance.models import BookState, DeviceState, JournalEntry, Progress
from appliance.reading.book_state.rule import (
    FINISHED,
    By,
    CurrentState,
    StateChange,
    fold_state,
    merge_state,
    whole_stars,
)
from appliance.reading.clock import happened
from appliance.reading.feed import take_versions
from appliance.reading.turn import take_turn

_STATE = BookState.__table__  # type: ignore[attr-defined]
_HELD = DeviceState.__table__  # type: ignore[attr-defined]
_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]
_PROGRESS = Progress.__table__  # type: ignore[attr-defined]

_SELECT = select(_STATE).where(_STATE.c.user_id == bindparam("user_id"), _STATE.c.book_id == bindparam("book_id"))
_SELECT_HELD = select(_HELD.c.held, _HELD.c.held_version).where(
    _HELD.c.device_id == bindparam("device_id"), _HELD.c.book_id == bindparam("book_id")
)
_UPDATE = update(_STATE).where(_STATE.c.user_id == bindparam("this_user"), _STATE.c.book_id == bindparam("this_book"))
_READ = (
    select(_PROGRESS.c.fraction, _JOURNAL.c.reading_status)
    .join(_JOURNAL, _JOURNAL.c.id == _PROGRESS.c.entry_id)
    .where(_PROGRESS.c.user_id == bindparam("user_id"), _PROGRESS.c.book_id == bindparam("book_id"))
)

Effect = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SaidState:
    """What a device says of a book. `fields`: status, rating and review as it spells them; one that is missing is not
    spoken of. `has_whole_stars`: its rating is 0 to 5, else 0 to 10 half stars. `by`: whether a person chose the status
    there, or handed it back to follow the reading (`hand_back`). `base_version`: of the state it showed, for those who
    know; others are compared with what they last held.
    """

    user_id: int
    device_id: int
    book_id: str
    fields: Mapping[str, Any]
    received_at: datetime
    changed_at: datetime | None = None
    skew: timedelta | None = None
    has_whole_stars: bool = False
    by: By = "person"
    base_version: int | None = None
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class StateAnswer:
    """`outcome`: current, echo or duplicate; `version`: of the state afterwards, 0 when there is none."""

    outcome: str
    version: int


def record_state(session: Session, said: SaidState) -> StateAnswer:
    """Take in what a device says; what it held before is no news. The caller's transaction commits it."""
    connection = session.connection()
    take_turn(connection, said.user_id)
    ids = {"user_id": said.user_id, "book_id": said.book_id, "device_id": said.device_id}
    row = _row(connection, said.user_id, said.book_id)
    version = row["version"] if row else 0
    if said.operation_id is not None and _is_done(connection, said):
        return StateAnswer("duplicate", version)
    found = connection.execute(_SELECT_HELD, ids).first()
    held: dict[str, Any] = dict(found.held) if found is not None else {}
    news = {
        name: value for name, value in said.fields.items() if said.base_version is not None or held.get(name) != value
    }
    if not news:
        return StateAnswer("echo", version)
    current = _current(row)
    base = said.base_version if said.base_version is not None else found.held_version if found is not None else 0
    at = happened(said.changed_at, said.received_at, said.skew)
    change = StateChange(_kept(news, said, current), base, at, said.by)
    fields = merge_state(current, change)
    effects: list[Effect] = []
    if fields:
        effects = [apply_state(connection, said.user_id, said.book_id, row, fields, at)]
        version = effects[0]["version"]
    connection.execute(insert(_JOURNAL), _entry(said, effects))
    _hold(connection, said, {**held, **said.fields}, version, is_new=found is None)
    return StateAnswer("current" if effects else "echo", version)


def hand_back(
    session: Session, user_id: int, device_id: int, book_id: str, received_at: datetime, operation_id: str | None
) -> StateAnswer:
    """The status that a person set follows from reading again. The caller's transaction commits it."""
    connection = session.connection()
    take_turn(connection, user_id)
    fields = {"status": _status_by_reading(connection, user_id, book_id)}
    row = _row(connection, user_id, book_id)
    version = row["version"] if row else 0
    said = SaidState(user_id, device_id, book_id, fields, received_at, by="handed-back", base_version=version)
    return record_state(session, replace(said, operation_id=operation_id))


def _status_by_reading(connection: Connection, user_id: int, book_id: str) -> str:
    """The status that follows from how far somebody has read."""
    row = connection.execute(_READ, {"user_id": user_id, "book_id": book_id}).first()
    if row is None or (row.fraction is None and row.reading_status != "finished"):
        return "unread"
    is_finished = row.reading_status == "finished" or row.fraction >= FINISHED
    return "finished" if is_finished else "reading"


def apply_state(
    connection: Connection,
    user_id: int,
    book_id: str,
    row: Mapping[str, Any] | None,
    fields: Mapping[str, Any],
    at: datetime,
) -> Effect:
    """Set fields of a book's state, of which `row` is the present one; returns the effect for the journal."""
    version = take_versions(connection, user_id, 1)
    effect: Effect = {"do": "state", "fields": dict(fields), "version": version, "at": at.isoformat()}
    folded = fold_state(dict(row) if row is not None else None, effect)
    if row is None:
        connection.execute(insert(_STATE), {**folded, "user_id": user_id, "book_id": book_id})
    else:
        values = {name: value for name, value in folded.items() if name not in ("user_id", "book_id")}
        connection.execute(_UPDATE, {"this_user": user_id, "this_book": book_id, **values})
    return effect


def follow_status(
    connection: Connection,
    user_id: int,
    book_id: str,
    status: str,
    at: datetime,
    *,
    starts_over: bool,
    takes_back: bool,
) -> Effect | None:
    """The status that follows from reading. What a person set stays, unless the book is started over."""
    row = _row(connection, user_id, book_id)
    fields = merge_state(_current(row), StateChange({"status": status}, 0, at, "automatic", starts_over, takes_back))
    return apply_state(connection, user_id, book_id, row, fields, at) if fields else None


def _row(connection: Connection, user_id: int, book_id: str) -> dict[str, Any] | None:
    row = connection.execute(_SELECT, {"user_id": user_id, "book_id": book_id}).mappings().first()
    return dict(row) if row is not None else None


def _current(row: Mapping[str, Any] | None) -> CurrentState:
    if row is None:
        return CurrentState()
    times = {name: datetime.fromisoformat(at) for name, at in row["times"].items()}
    return CurrentState(row["status"], row["rating"], row["review"], row["status_by"], row["versions"], times)


def _kept(news: Mapping[str, Any], said: SaidState, current: CurrentState) -> dict[str, Any]:
    """The changes as they are kept. Whole stars that show somebody's half stars are no rating of their own."""
    fields = dict(news)
    if said.has_whole_stars and "rating" in fields:
        same = fields["rating"] == whole_stars(current.rating)
        fields["rating"] = current.rating if same else 2 * fields["rating"]
    return fields


def _is_done(connection: Connection, said: SaidState) -> bool:
    query = select(_JOURNAL.c.id).where(
        _JOURNAL.c.device_id == said.device_id, _JOURNAL.c.operation_id == said.operation_id
    )
    return connection.execute(query).first() is not None


def _hold(connection: Connection, said: SaidState, held: dict[str, Any], version: int, *, is_new: bool) -> None:
    values = {"held": held, "held_version": version}
    if is_new:
        connection.execute(insert(_HELD), {"device_id": said.device_id, "book_id": said.book_id, **values})
    else:
        where = (_HELD.c.device_id == said.device_id, _HELD.c.book_id == said.book_id)
        connection.execute(update(_HELD).where(*where).values(**values))


def _entry(said: SaidState, effects: list[Effect]) -> dict[str, Any]:
    return {
        "user_id": said.user_id,
        "book_id": said.book_id,
        "device_id": said.device_id,
        "kind": "state",
        "operation_id": said.operation_id,
        "received_at": said.received_at,
        "claimed_at": said.changed_at,
        "skew": round(said.skew.total_seconds()) if said.skew is not None else None,
        "dialect": "",
        "locator": "",
        "payload": {"fields": dict(said.fields), "by": said.by, "base_version": said.base_version},
        "effects": effects,
        "outcome": "current" if effects else "echo",
        "reason": "changed" if effects else "as-current",
    }
