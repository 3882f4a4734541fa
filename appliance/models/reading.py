"""The reading record: facts in the journal, and what is derived from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from appliance.models.columns import BIG, UtcDateTime


class JournalEntry(SQLModel, table=True):
    """One report of one device, as it came, with what became of it. Never changed, never deleted.

    `locator` is the device's own string, in the coordinates of `sha256`. The position is in those of
    `reference_sha256`, the book's reference rendition at that time; `tick` counts canonical characters before it in
    the book, of `total`; `fraction` is the share of the text in reading order before it. `place_status`: see
    `positions.Status`. `epoch`: the reading it belongs to, which rises when a book is started over. `outcome`: current,
    history, suggestion, echo, duplicate or rejected, with a `reason`.
    `kind`: progress, annotation or state. What the last two claim is in `payload`; what was done is in `effects`, which
    annotations and book states are folded from.
    """

    __table_args__ = (
        Index("ix_journal_user_book", "user_id", "book_id", "id"),
        Index("ix_journal_asked_for", "asked_for", "user_id", "id"),
        Index("ix_journal_device", "device_id", "id"),
        Index("ix_journal_operation", "device_id", "operation_id", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    user_id: int = Field(foreign_key="user.id")
    book_id: str | None = Field(default=None, foreign_key="book.id")
    device_id: int = Field(foreign_key="device.id")
    kind: str = "progress"
    operation_id: str | None = None
    received_at: datetime = Field(sa_type=UtcDateTime)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    asked_for: str | None = Field(default=None, description="document digest or annotation that the device named")
    sha256: str | None = Field(default=None, description="rendition in whose coordinates the locator is")
    dialect: str
    locator: str
    percent: float | None = Field(default=None, description="what the device claimed, 0 to 1")
    reference_sha256: str | None = None
    document: str | None = None
    occurrence: int = 0
    k: int | None = None
    tick: int | None = None
    total: int | None = None
    fraction: float | None = None
    epoch: int | None = None
    place_status: str = "failed"
    place_reason: str = ""
    reading_status: str | None = None
    skew: int | None = Field(default=None, description="seconds that the device's clock was ahead")
    subject: str | None = Field(default=None, description="the annotation it is about")
    payload: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    effects: list[dict[str, Any]] | None = Field(default=None, sa_type=JSON)
    outcome: str
    reason: str = ""


class Progress(SQLModel, table=True):
    """The current position of a user in a book: derived from the journal entry `entry_id`.

    `version` rises with each change. `activity_at`: when the reading that led here happened (device clock if
    plausible). `epoch` rises when a book is started over.
    """

    __table_args__ = (Index("ix_progress_feed", "user_id", "feed_version"),)

    user_id: int = Field(primary_key=True, foreign_key="user.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id")
    entry_id: int = Field(foreign_key="journalentry.id", sa_type=BIG)
    version: int = 1
    epoch: int = 1
    activity_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime, index=True)
    reference_sha256: str | None = None
    document: str | None = None
    occurrence: int = 0
    k: int | None = None
    tick: int | None = None
    total: int | None = None
    fraction: float | None = None
    feed_version: int = Field(default=0, sa_type=BIG)


class DeviceProgress(SQLModel, table=True):
    """What one device last said of a book and what it was last told: the ground of the echo rule (positions.md C.8)."""

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id")
    reported_entry_id: int | None = Field(default=None, sa_type=BIG)
    given_version: int | None = Field(default=None, description="`Progress.version` that was last given")
    given_locator: str | None = None
    given_tick: int | None = None
    given_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
