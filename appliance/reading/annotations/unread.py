"""What a device said of annotations that could not be understood: kept in the journal as it came, and nothing else."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert

from appliance.models import JournalEntry
from appliance.positions.dialects import Dialect

_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]


def keep_unread(
    connection: Connection,
    *,
    user_id: int,
    device_id: int,
    book_id: str | None,
    asked_for: str | None,
    dialect: Dialect,
    texts: Sequence[str],
    received_at: datetime,
) -> None:
    """`asked_for`: the document that the device named, where no book of the library is meant. `texts`: its words."""
    reason = "not-understood" if book_id is not None else "unknown-book"
    entries = [
        {
            "user_id": user_id,
            "book_id": book_id,
            "device_id": device_id,
            "kind": "annotation",
            "asked_for": asked_for,
            "received_at": received_at,
            "dialect": dialect,
            "locator": "",
            "payload": {"raw": text},
            "outcome": "rejected",
            "reason": reason,
        }
        for text in texts
    ]
    if entries:
        connection.execute(insert(_JOURNAL), entries)
