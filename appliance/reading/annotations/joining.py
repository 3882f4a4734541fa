"""An annotation that gets its place late may be the one that another device made meanwhile: the two become one, by the
same rules as two that are placed when they come.

Only while nobody but the device that made it has anything to do with it; else both stay.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from appliance.models import Annotation, DeviceAnnotation, JournalEntry
from appliance.positions.dialects import DIALECTS, Dialect
from appliance.reading.annotations.effects import Effect, Row
from appliance.reading.annotations.exchange import Exchange
from appliance.reading.annotations.links import Link
from appliance.reading.annotations.locate import LocatedRange
from appliance.reading.annotations.merge import FIELDS
from appliance.reading.annotations.palette import Surface
from appliance.reading.annotations.record import store
from appliance.reading.annotations.relocation import put
from appliance.reading.annotations.report import Caller, Said
from appliance.reading.feed import take_versions

_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]
_HELD = DeviceAnnotation.__table__  # type: ignore[attr-defined]

_SURFACES: dict[Dialect, Surface] = {"kobo": "kobo", "xpointer": "koreader", "cfi": "web"}


def join(connection: Connection, entry: JournalEntry, row: Row, located: LocatedRange, now: datetime) -> Effect | None:
    """Make the annotation one with another that is the same; returns what becomes of it, `None` if there is no such.
    `entry`: what the device said of it; `located`: where that is. What the other gets is in the journal already."""
    caller = _caller(entry, now)
    links = _dicts(connection, select(_HELD).where(_HELD.c.annotation_id == row["id"]))
    said = _said(entry, row, links, caller)
    if said is None or located.place.range is None:
        return None
    own = _HELD.c.device_id == caller.device_id
    theirs = select(_HELD).where(own, _HELD.c.book_id == caller.book_id, _HELD.c.annotation_id != row["id"])
    others = select(_ANNOTATION).where(
        _ANNOTATION.c.user_id == caller.user_id,
        _ANNOTATION.c.book_id == caller.book_id,
        _ANNOTATION.c.id != row["id"],
        _ANNOTATION.c.deleted_at.is_(None),
    )
    version = take_versions(connection, caller.user_id, 2)
    work = Exchange(
        caller,
        {one["id"]: one for one in _dicts(connection, others)},
        {} if caller.is_person else {one["native_id"]: one for one in _dicts(connection, theirs)},
        {},
        version,
    )
    work.take(said, located)
    if work.created:
        return None
    connection.execute(delete(_HELD).where(own, _HELD.c.annotation_id == row["id"]))
    store(connection, work)
    effect: Effect = {"do": "delete", "id": row["id"], "version": version + 1, "at": now.isoformat()}
    put(connection, row, effect)
    return effect


def _caller(entry: JournalEntry, now: datetime) -> Caller:
    dialect = next(one for one in DIALECTS if one == entry.dialect)
    assert entry.book_id is not None and entry.sha256 is not None
    ids = entry.user_id, entry.device_id, entry.book_id
    return Caller(*ids, _SURFACES[dialect], dialect, entry.sha256, now, is_person=dialect == "cfi")


def _said(entry: JournalEntry, row: Row, links: list[Link], caller: Caller) -> Said | None:
    """The annotation as the device has it; `None` if others have it too, or changed it, or it was changed again."""
    if row["deleted_at"] is not None or row["held_at"] is not None or row["other_notes"]:
        return None
    if caller.is_person:
        fields = {name: row[name] for name in ("text", "note", "style")}
        return Said(row["id"], row["kind"], None, fields, changed_at=row["changed_at"]) if not links else None
    if len(links) != 1 or links[0]["device_id"] != caller.device_id or links[0]["gone_at"] is not None:
        return None
    link = links[0]
    range = link["held"].get("range")
    is_as_said = range is not None and range == (entry.payload or {}).get("range")
    if not is_as_said or any(link["held_versions"][name] < row["versions"][name] for name in FIELDS):
        return None
    fields = {name: value for name, value in link["held"].items() if name != "range"}
    # The time is as it was believed when it came (`Links.hold`).
    at = link["claimed_at"] or row["changed_at"]
    return Said(link["native_id"], row["kind"], range, fields, link["native"], row["chapter"], changed_at=at)


def _dicts(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]
