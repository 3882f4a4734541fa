"""A status that a person set is news for every device, although the place has not moved.

Devices are told what changed by the version of `Progress`, so that rises too; where nothing was ever read there is a
position without a place from then on.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from appliance.models import JournalEntry, Progress
from appliance.reading.feed import take_versions
from appliance.reading.rule import FINISHED

_PROGRESS = Progress.__table__  # type: ignore[attr-defined]
_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]

_SELECT = select(_PROGRESS).where(
    _PROGRESS.c.user_id == bindparam("user_id"), _PROGRESS.c.book_id == bindparam("book_id")
)
_UPDATE = update(_PROGRESS).where(
    _PROGRESS.c.user_id == bindparam("this_user"), _PROGRESS.c.book_id == bindparam("this_book")
)
_SAID = (
    select(_PROGRESS.c.fraction, _JOURNAL.c.reading_status)
    .join(_JOURNAL, _JOURNAL.c.id == _PROGRESS.c.entry_id)
    .where(_PROGRESS.c.user_id == bindparam("user_id"), _PROGRESS.c.book_id == bindparam("book_id"))
)

Row = dict[str, Any]


def effect(connection: Connection, user_id: int, at: datetime) -> dict[str, Any]:
    """What the journal keeps of it."""
    return {"do": "status-news", "version": take_versions(connection, user_id, 1), "at": at.isoformat()}


def fold_news(row: Row | None, effect: dict[str, Any], entry_id: int, received_at: datetime) -> Row:
    """The columns of the current position afterwards."""
    news = {"feed_version": effect["version"], "updated_at": received_at}
    if row is not None:
        return {**row, **news, "version": row["version"] + 1}
    nowhere = {"reference_sha256": None, "document": None, "occurrence": 0, "k": None, "tick": None, "total": None}
    at = datetime.fromisoformat(effect["at"])
    return {**nowhere, "fraction": None, "entry_id": entry_id, "version": 1, "epoch": 1, "activity_at": at, **news}


def put_news(
    connection: Connection, user_id: int, book_id: str, effect: dict[str, Any], entry_id: int, received_at: datetime
) -> int:
    """Write it; returns the version of the position. `entry_id`: of the entry that has the effect."""
    found = connection.execute(_SELECT, {"user_id": user_id, "book_id": book_id}).mappings().first()
    row = fold_news(dict(found) if found is not None else None, effect, entry_id, received_at)
    if found is None:
        connection.execute(insert(_PROGRESS), {"user_id": user_id, "book_id": book_id, **row})
    else:
        values = {name: value for name, value in row.items() if name not in ("user_id", "book_id")}
        connection.execute(_UPDATE, {"this_user": user_id, "this_book": book_id, **values})
    return int(row["version"])


def status_by_reading(connection: Connection, user_id: int, book_id: str) -> str:
    """The status that follows from how far somebody has read."""
    row = connection.execute(_SAID, {"user_id": user_id, "book_id": book_id}).first()
    if row is None or (row.fraction is None and row.reading_status != "finished"):
        return "unread"
    is_finished = row.reading_status == "finished" or row.fraction >= FINISHED
    return "finished" if is_finished else "reading"
