"""Annotations that could not be placed when they came: the file was away, or its long chapter still being prepared.

What the device said waits in the journal. Once the file can be read, its range is looked up as if it came now. A place
found for an annotation that had none is nobody's change; other words that a device gave it are a change of that time;
one that another device made meanwhile is the same (`joining`).
As with progress (`placing`), the journal gets a second entry, named after the first.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, cast, exists, insert, literal, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from appliance.house import House
from appliance.models import DeviceAnnotation, JournalEntry
from appliance.positions import Reason, Status
from appliance.positions.dialects import DIALECTS
from appliance.reading.annotations.effects import Effect, Row
from appliance.reading.annotations.joining import join
from appliance.reading.annotations.locate import LocatedRange, locate_range, open_files
from appliance.reading.annotations.place import columns_of, range_of
from appliance.reading.annotations.relocation import put
from appliance.reading.annotations.rows import rows_of
from appliance.reading.clock import happened, skew_of
from appliance.reading.feed import take_versions
from appliance.reading.turn import take_turn

LATER = (Reason.UNREADABLE, Reason.INDEXING)

_HELD = DeviceAnnotation.__table__  # type: ignore[attr-defined]
_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]

_AT_ONCE = 100


def place_annotations(house: House, stopping: Callable[[], bool] = lambda: False) -> int:
    """Place what can be placed now; returns how many annotations were. Writes nothing when there is nothing to do."""
    placed, after = 0, 0
    while not stopping():
        with house.database.read() as session:
            waiting = _waiting(session, after)
            found = [(entry, _look_up(house, session, entry)) for entry in waiting]
        if not waiting:
            break
        after = waiting[-1].id or 0
        for entry, located in found:
            if located is not None:
                with house.database.write() as session:
                    placed += _put(house, session.connection(), entry, located)
    return placed


def _waiting(session: Session, after: int) -> Sequence[JournalEntry]:
    """The next entries, in the order they came, whose range has not been looked up late already."""
    late = aliased(JournalEntry)
    is_done = exists().where(
        col(late.device_id) == col(JournalEntry.device_id),
        col(late.operation_id) == literal("placed:") + cast(col(JournalEntry.id), String),
    )
    query = (
        select_rows(JournalEntry)
        .where(
            col(JournalEntry.id) > after,
            col(JournalEntry.kind) == "annotation",
            col(JournalEntry.place_status) == Status.FAILED.value,
            col(JournalEntry.place_reason).in_(LATER),
            ~is_done,
        )
        .order_by(col(JournalEntry.id))
        .limit(_AT_ONCE)
    )
    return session.exec(query).all()


def _look_up(house: House, session: Session, entry: JournalEntry) -> LocatedRange | None:
    """The range of an entry; `None` while its file cannot be read."""
    said = entry.payload or {}
    dialect = next(one for one in DIALECTS if one == entry.dialect)
    if entry.book_id is None or entry.sha256 is None:
        return None
    files = open_files(house, session, entry.book_id, entry.sha256)
    if files is None:
        return None
    text = said.get("fields", {}).get("text", "")
    located = locate_range(files, dialect, said.get("range"), text if said.get("kind") != "bookmark" else "")
    return None if located.place.range is None and located.place.reason in LATER else located


def _put(house: House, connection: Connection, entry: JournalEntry, located: LocatedRange) -> bool:
    """Whether the annotation has another place now."""
    take_turn(connection, entry.user_id)
    row = rows_of(connection, [entry.subject]).get(entry.subject) if entry.subject is not None else None
    if row is None:
        return False
    if row["start_k"] is None and (effect := join(connection, entry, row, located, house.now())) is not None:
        connection.execute(insert(_JOURNAL), {**_late(house, entry, located, effect), "reason": "joined"})
        return True
    effect = _effect(connection, house, entry, row, located)
    if effect is not None:
        row = put(connection, row, effect)
        if effect["do"] == "set":
            _hold(connection, entry, row)
    connection.execute(insert(_JOURNAL), _late(house, entry, located, effect))
    return effect is not None and located.place.range is not None


def _effect(
    connection: Connection, house: House, entry: JournalEntry, row: Row, located: LocatedRange
) -> Effect | None:
    effect: Effect = {"id": row["id"], "columns": columns_of(located)}
    if row["start_k"] is None:
        at = house.now()
        effect |= {"do": "place"}
    else:
        at = happened(entry.claimed_at, entry.received_at, skew_of(entry.skew))
        columns = effect["columns"]
        if (
            columns["start_k"] is None
            or range_of(columns) == range_of(row)
            or at <= datetime.fromisoformat(row["times"]["range"])
        ):
            return None
        effect |= {"do": "set", "fields": ["range"], "other_notes": row["other_notes"], "revived": False}
    return effect | {"version": take_versions(connection, entry.user_id, 1), "at": at.isoformat()}


def _hold(connection: Connection, entry: JournalEntry, row: Row) -> None:
    """The device that said it holds it so."""
    where = (_HELD.c.device_id == entry.device_id, _HELD.c.annotation_id == row["id"])
    link = connection.execute(select(_HELD.c.held, _HELD.c.held_versions).where(*where)).first()
    if link is not None and link.held.get("range") == (entry.payload or {}).get("range"):
        versions = {**link.held_versions, "range": row["versions"]["range"]}
        connection.execute(update(_HELD).where(*where).values(held_versions=versions))


def _late(house: House, entry: JournalEntry, located: LocatedRange, effect: Effect | None) -> dict[str, Any]:
    place = located.place
    return {
        "user_id": entry.user_id,
        "book_id": entry.book_id,
        "device_id": entry.device_id,
        "kind": "annotation",
        "subject": entry.subject,
        "operation_id": f"placed:{entry.id}",
        "received_at": house.now(),
        "sha256": entry.sha256,
        "reference_sha256": located.reference_sha256,
        "dialect": entry.dialect,
        "locator": "",
        "place_status": place.status.value,
        "place_reason": str(place.reason),
        "effects": [effect] if effect is not None else [],
        "outcome": "current" if effect is not None else "history",
        "reason": "placed" if place.range is not None else "not-found",
    }
