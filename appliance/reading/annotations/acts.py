"""What a person decides about an annotation that was deleted, or that a device asked to delete with many others."""

from appliance.house import House
from appliance.reading.annotations import journal
from appliance.reading.annotations.effects import Effect, Row, fold
from appliance.reading.annotations.report import Answer, Caller, Entry
from appliance.reading.annotations.rows import rows_of, update_rows
from appliance.reading.feed import take_versions
from appliance.reading.turn import take_turn


def keep(house: House, caller: Caller, annotation_id: str, operation_id: str | None = None) -> Answer:
    """The person wants to have it: a tombstone is lifted, a deletion that waits is refused, and every device is given
    it again. To confirm such a deletion is to delete the annotation (`annotations.exchange`).

    `outcome` of the answer: current, echo (nobody asked for it to go), duplicate, or rejected for an annotation that
    this person does not have in this book.
    """
    with house.database.write() as session:
        connection = session.connection()
        take_turn(connection, caller.user_id)
        row = rows_of(connection, [annotation_id]).get(annotation_id)
        if row is None or (row["user_id"], row["book_id"]) != (caller.user_id, caller.book_id):
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
        update_rows(connection, [row])
        payload = {"native_id": annotation_id, "kept": True}
        entry = Entry(annotation_id, payload, [effect], "current", reason, operation_id)
        journal.append(connection, caller, [entry])
    return _answer(row, "current", reason)


def _answer(row: Row, outcome: str, reason: str) -> Answer:
    return Answer(row["id"], outcome, reason, row["id"], row["version"], row["deleted_at"] is not None)
