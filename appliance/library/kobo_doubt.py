"""When Kobos may hold notes that this database does not know: it is a backup, and they went on after it was made.

A Kobo sends each note once. From then on its own copy counts for more than what is here, so it is given no set of notes
that would replace it, and no new file, until it downloads the book again (docs/reference/kobo-protocol.md 7.4).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from appliance.models import KoboDelivery, KoboNotes

_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_NOTES = KoboNotes.__table__  # type: ignore[attr-defined]


def doubt(connection: Connection, why: str, at: datetime, device_id: int | None = None) -> int:
    """Doubt what is known of every book on a device, or on all. `why`: of `KoboNotes.doubt`. Returns how many books on
    devices it is about."""
    here = _DELIVERY.c.began_at.is_not(None)
    if device_id is not None:
        here &= _DELIVERY.c.device_id == device_id
    known = connection.execute(select(_DELIVERY.c.device_id, _DELIVERY.c.book_id, _DELIVERY.c.began_at).where(here))
    rows = [{**_NOTHING, **row, "doubt": why} for row in known.mappings()]
    mine = _NOTES.c.device_id == device_id if device_id is not None else _NOTES.c.device_id.is_not(None)
    connection.execute(delete(_NOTES).where(mine))
    if rows:
        connection.execute(insert(_NOTES), rows)
        connection.execute(update(_DELIVERY).where(here).values(notes_refused_at=at))
    return len(rows)


_NOTHING: dict[str, Any] = {
    "said_at": None,
    "owed": [],
    "served_at": None,
    "served_version": 0,
    "etag": "",
    "is_due": False,
    "repeats": 0,
    "left_out": {},
}
