"""What is known of the notes that each Kobo holds, and what it is being given (docs/reference/kobo-protocol.md 7)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text
from sqlmodel import Field, SQLModel

from appliance.models.columns import BIG, UtcDateTime


class KoboNotes(SQLModel, table=True):
    """The notes of a book on a device since the download that began at `began_at`; of other downloads it says nothing.

    `said_at`: when the device last sent changes. `owed`: ids of what it sent and was not kept, so that it holds the
    only copy. `doubt`: why what is known here may be less than what the device holds: restored, newer-token,
    newer-etag, elsewhere, not-understood or refused-before; empty for no doubt.
    `served_at`: when it was last given a whole set to the last page: from then on every change is known. What it holds
    is the person's set as it was at feed number `served_version`, and what it said since; 0 when it was given its own
    alone. `etag`: of that set. `is_due`: a set was begun and not given to the end, so that what it holds is not known.
    `repeats`: how often the same set was given again. `left_out`: why annotations are not on the device, by their ids.
    """

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id", index=True)
    began_at: datetime = Field(sa_type=UtcDateTime)
    said_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    owed: list[str] = Field(default_factory=list, sa_type=JSON)
    doubt: str = ""
    served_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    served_version: int = Field(default=0, sa_type=BIG)
    etag: str = ""
    is_due: bool = False
    repeats: int = 0
    left_out: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class KoboNotePage(SQLModel, table=True):
    """A page of the set that a device is being given: what it asks for page by page must not change meanwhile.

    `revision` names the set; `kind`: all, own (what the device said itself, after a download) or same (what it holds).
    `version`: of the newest change that it takes into account. `body`: the answer.
    """

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id", index=True)
    number: int = Field(primary_key=True)
    revision: str
    kind: str
    made_at: datetime = Field(sa_type=UtcDateTime)
    version: int = Field(sa_type=BIG)
    etag: str
    page_size: int
    is_last: bool
    body: str = Field(sa_type=Text)
