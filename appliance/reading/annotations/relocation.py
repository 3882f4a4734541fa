"""Give annotations another place than they had: found later than they came, or carried over to another file.

That is nobody's act. The version of the range stays, so that no device is taken to have changed it or is told of a
change; the feed tells that the annotation is placed otherwise now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update
from sqlmodel import Session

from appliance.models import DeviceAnnotation, JournalEntry
from appliance.reading.annotations.effects import Effect, Row, fold
from appliance.reading.annotations.rows import rows_of, update_rows
from appliance.reading.feed import take_versions
from appliance.reading.turn import take_turn

_HELD = DeviceAnnotation.__table__  # type: ignore[attr-defined]
_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]

# Whoever has seen all of it still has: its words are where they were.
_FOLLOW = (
    update(_HELD)
    .where(_HELD.c.annotation_id == bindparam("this_id"), _HELD.c.held_version == bindparam("former"))
    .values(held_version=bindparam("version"))
)


@dataclass(frozen=True, slots=True)
class Relocated:
    """`row`: the annotation as it was looked at; `columns`: of its new place (`place.PLACE`)."""

    row: Row
    columns: Mapping[str, Any]


def relocate(session: Session, user_id: int, relocated: Sequence[Relocated], reason: str, at: datetime) -> int:
    """Write the places of one person's annotations, with one entry in the journal for each device of each book;
    returns how many. One that changed since it was looked at is left alone. The caller's transaction commits it."""
    connection = session.connection()
    take_turn(connection, user_id)
    present = rows_of(connection, [one.row["id"] for one in relocated])
    still = [one for one in relocated if present.get(one.row["id"], {}).get("version") == one.row["version"]]
    still.sort(key=_origin)
    version = take_versions(connection, user_id, len(still)) if still else 0
    for (book_id, device_id), group in groupby(still, key=_origin):
        effects: list[Effect] = []
        for one in group:
            effect: Effect = {"do": "place", "id": one.row["id"], "version": version, "at": at.isoformat()}
            effects.append(effect | {"columns": dict(one.columns)})
            put(connection, present[one.row["id"]], effects[-1])
            version += 1
        connection.execute(insert(_JOURNAL), _entry(user_id, book_id, device_id, effects, reason, at))
    return len(still)


def put(connection: Connection, row: Row, effect: Effect) -> Row:
    """Write what becomes of an annotation by an effect that is no change for any device; returns it."""
    folded = fold(row, effect)
    update_rows(connection, [folded])
    connection.execute(_FOLLOW, {"this_id": row["id"], "former": row["version"], "version": folded["version"]})
    return folded


def _origin(one: Relocated) -> tuple[str, int]:
    return one.row["book_id"], one.row["device_id"]


def _entry(
    user_id: int, book_id: str, device_id: int, effects: list[Effect], reason: str, at: datetime
) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "book_id": book_id,
        "device_id": device_id,
        "kind": "annotation",
        "received_at": at,
        "reference_sha256": effects[0]["columns"]["reference_sha256"],
        "dialect": "",
        "locator": "",
        "effects": effects,
        "outcome": "current",
        "reason": reason,
    }
