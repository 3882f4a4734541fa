"""What was said of annotations, in the journal."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import Connection, bindparam, func, insert, select

from appliance.models import JournalEntry
from appliance.reading.annotations.locate import LocatedRange
from appliance.reading.annotations.report import Caller, Entry

_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]

MASS_WINDOW = timedelta(minutes=10)
"""Deletions of one device in one book within this time are looked at together."""

_LATELY = select(func.count()).where(
    _JOURNAL.c.device_id == bindparam("device_id"),
    _JOURNAL.c.book_id == bindparam("book_id"),
    _JOURNAL.c.kind == "annotation",
    _JOURNAL.c.reason.in_(["deleted", "many-deleted"]),
    _JOURNAL.c.received_at > bindparam("since"),
)
_AT_ONCE = 500


def append(connection: Connection, caller: Caller, entries: Sequence[Entry]) -> None:
    """Add to the journal what was said, in order."""
    always = {
        "user_id": caller.user_id,
        "book_id": caller.book_id,
        "device_id": caller.device_id,
        "kind": "annotation",
        "received_at": caller.received_at,
        "skew": round(caller.skew.total_seconds()) if caller.skew is not None else None,
        "sha256": caller.sha256,
        "dialect": caller.dialect,
        "locator": "",
    }
    rows = [
        {
            **always,
            "subject": entry.subject,
            "asked_for": entry.asked_for,
            "operation_id": entry.operation_id,
            "claimed_at": entry.claimed_at,
            "payload": entry.payload,
            "effects": entry.effects,
            **_place(entry.located),
            "outcome": entry.outcome,
            "reason": entry.reason,
        }
        for entry in entries
    ]
    if rows:
        connection.execute(insert(_JOURNAL), rows)


def _place(located: LocatedRange | None) -> dict[str, str | None]:
    if located is None:
        return {"reference_sha256": None, "place_status": "failed", "place_reason": ""}
    place = located.place
    return {
        "reference_sha256": located.reference_sha256,
        "place_status": place.status.value,
        "place_reason": str(place.reason),
    }


def done(connection: Connection, caller: Caller, operations: Iterable[str | None]) -> dict[str, str | None]:
    """Those operations of this device that the journal has, with the annotation each was about."""
    found: dict[str, str | None] = {}
    names = [operation for operation in operations if operation is not None]
    for at in range(0, len(names), _AT_ONCE):
        query = select(_JOURNAL.c.operation_id, _JOURNAL.c.subject).where(
            _JOURNAL.c.device_id == caller.device_id, _JOURNAL.c.operation_id.in_(names[at : at + _AT_ONCE])
        )
        found |= {row.operation_id: row.subject for row in connection.execute(query)}
    return found


def deleted_names(connection: Connection, caller: Caller, names: Sequence[str]) -> set[str]:
    """Those names whose annotations the device deleted, also when nobody knew them yet."""
    found: set[str] = set()
    for at in range(0, len(names), _AT_ONCE):
        query = select(_JOURNAL.c.asked_for).where(
            _JOURNAL.c.asked_for.in_(names[at : at + _AT_ONCE]),
            _JOURNAL.c.user_id == caller.user_id,
            _JOURNAL.c.device_id == caller.device_id,
            _JOURNAL.c.book_id == caller.book_id,
            _JOURNAL.c.kind == "annotation",
        )
        found |= set(connection.execute(query).scalars())
    return found


def deleted_lately(connection: Connection, caller: Caller) -> int:
    """How many annotations of the book the device asked to delete within `MASS_WINDOW`."""
    since = caller.received_at - MASS_WINDOW
    values = {"device_id": caller.device_id, "book_id": caller.book_id, "since": since}
    return int(connection.execute(_LATELY, values).scalar_one())


def former_notes(connection: Connection, caller: Caller) -> dict[str, set[str]]:
    """All notes that each of the person's annotations in the book ever had. Reads the whole history of the book."""
    mine = (_JOURNAL.c.user_id == caller.user_id, _JOURNAL.c.book_id == caller.book_id)
    query = select(_JOURNAL.c.effects).where(*mine, _JOURNAL.c.kind == "annotation")
    found: dict[str, set[str]] = {}
    for effects in connection.execute(query).scalars():
        for effect in effects or ():
            columns = effect.get("row") or effect.get("columns") or {}
            notes = {columns.get("note", ""), *effect.get("other_notes", ())} - {""}
            if notes:
                found.setdefault(effect["id"], set()).update(notes)
    return found
