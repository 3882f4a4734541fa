"""What a person decides about an annotation that was deleted, or that a device asked to delete with many others."""

from sqlalchemy import Connection, bindparam, select, update

from appliance.house import House
from appliance.models import Annotation
from appliance.reading.annotations import journal
from appliance.reading.annotations.effects import Effect, Row, fold
from appliance.reading.annotations.report import Answer, Caller, Entry
from appliance.reading.feed import take_versions
from appliance.reading.turn import take_turn

_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]

_ROW = select(_ANNOTATION).where(
    _ANNOTATION.c.id == bindparam("id"),
    _ANNOTATION.c.user_id == bindparam("user_id"),
    _ANNOTATION.c.book_id == bindparam("book_id"),
)
_UPDATE = update(_ANNOTATION).where(_ANNOTATION.c.id == bindparam("this_id"))


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
        if journal.done(connection, caller, [operation_id]):
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
        payload = {"native_id": annotation_id, "kept": True}
        entry = Entry(annotation_id, payload, [effect], "current", reason, operation_id)
        journal.append(connection, caller, [entry])
    return _answer(row, "current", reason)


def _row(connection: Connection, caller: Caller, annotation_id: str) -> Row | None:
    ids = {"id": annotation_id, "user_id": caller.user_id, "book_id": caller.book_id}
    found = connection.execute(_ROW, ids).mappings().first()
    return dict(found) if found is not None else None


def _answer(row: Row, outcome: str, reason: str) -> Answer:
    return Answer(row["id"], outcome, reason, row["id"], row["version"], row["deleted_at"] is not None)
