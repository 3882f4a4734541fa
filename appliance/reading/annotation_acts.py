"""What a person decides about an annotation that was deleted, or that a device asked to delete with many others."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from appliance.house import House
from appliance.models import Annotation, JournalEntry
from appliance.reading.annotation_effects import Effect, Row, fold
from appliance.reading.annotation_report import Answer, Caller
from appliance.reading.feed import take_versions
from appliance.reading.turn import take_turn

_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]
_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]

_ROW = select(_ANNOTATION).where(
    _ANNOTATION.c.id == bindparam("id"),
    _ANNOTATION.c.user_id == bindparam("user_id"),
    _ANNOTATION.c.book_id == bindparam("book_id"),
)
_UPDATE = update(_ANNOTATION).where(_ANNOTATION.c.id == bindparam("this_id"))
_DONE = select(_JOURNAL.c.subject).where(
    _JOURNAL.c.device_id == bindparam("device_id"), _JOURNAL.c.operation_id == bindparam("operation_id")
)


def keep(house: House, caller: Caller, annotation_id: str, operation_id: str | None = None) -> Answer:
    """The person wants to have it: a tombstone is lifted, a deletion that waits is refused, and every device is given
    it again. To confirm such a deletion is to delete the annotation (`annotations.exchange`).

    `outcome` of the answer: current, echo (nobody asked for it to go), duplicate, or rejected for an annotation that
    this person does not have in this book.
    """
    with house.database.write() as session:
        connection = session.connection()
        take_turn(connection, caller.user_id)
        row = _row(connection, caller, annotation_id)
        if row is None:
            return Answer(annotation_id, "rejected", "unknown-annotation")
        if operation_id is not None and _is_done(connection, caller, operation_id):
            return _answer(row, "duplicate", "same-operation")
        if row["deleted_at"] is None and row["held_at"] is None:
            return _answer(row, "echo", "unchanged")
        reason = "restored" if row["deleted_at"] is not None else "kept"
        effect: Effect = {
            "do": "restore" if reason == "restored" else "release",
            "id": annotation_id,
            "version": take_versions(connection, caller.user_id, 1),
            "at": caller.received_at.isoformat(),
        }
        row = fold(row, effect)
        connection.execute(_UPDATE, {"this_id": annotation_id, **{k: v for k, v in row.items() if k != "id"}})
        connection.execute(insert(_JOURNAL), _entry(caller, annotation_id, operation_id, effect, reason))
    return _answer(row, "current", reason)


def _row(connection: Connection, caller: Caller, annotation_id: str) -> Row | None:
    ids = {"id": annotation_id, "user_id": caller.user_id, "book_id": caller.book_id}
    found = connection.execute(_ROW, ids).mappings().first()
    return dict(found) if found is not None else None


def _is_done(connection: Connection, caller: Caller, operation_id: str) -> bool:
    names = {"device_id": caller.device_id, "operation_id": operation_id}
    return connection.execute(_DONE, names).first() is not None


def _answer(row: Row, outcome: str, reason: str) -> Answer:
    return Answer(row["id"], outcome, reason, row["id"], row["version"], row["deleted_at"] is not None)


def _entry(caller: Caller, annotation_id: str, operation_id: str | None, effect: Effect, reason: str) -> dict[str, Any]:
    return {
        "user_id": caller.user_id,
        "book_id": caller.book_id,
        "device_id": caller.device_id,
        "kind": "annotation",
        "subject": annotation_id,
        "operation_id": operation_id,
        "received_at": caller.received_at,
        "sha256": caller.sha256,
        "dialect": caller.dialect,
        "locator": "",
        "payload": {"native_id": annotation_id, "kept": True},
        "effects": [effect],
        "outcome": "current",
        "reason": reason,
    }
