"""Reading time: facts, and the sessions derived from them.

Facts hold times as whole seconds since 1970 (UTC) and little else, because one person has hundreds of thousands.
"""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, text
from sqlmodel import Field, SQLModel

from appliance.models.columns import BIG, UtcDateTime


class ReadDocument(SQLModel, table=True):
    """What a person's reading time is about. `name`: "book:" and a book's id, or "md5:" and the digest by which
    KOReader knows a file. `book_id`: the book; `None` as long as no file of that digest is in the library."""

    __table_args__ = (
        Index("ix_readdocument_name", "user_id", "name", unique=True),
        Index("ix_readdocument_book", "user_id", "book_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    name: str
    book_id: str | None = Field(default=None, foreign_key="book.id")


class ReadingEvent(SQLModel, table=True):
    """One thing that a device said of reading time. Never changed, never deleted.

    `source`: `reading.sessions.event.Source`. `claimed`: when it began by the device's clock; `started`: the same as
    we believe it. `received`: when we heard of it. `seconds`: how long; of a Kobo's counter, what it showed. `page` of
    `pages` in the layout of that moment, or fractions of the book, 0 to 1. `counted`: `False` when the time cannot be
    true. A page visit is told from others by what it says, whoever sends it: KOReader's own merge carries the rows of
    one device to the others (docs/reference/koreader.md 9.9). Everything else has an `operation_id`.
    """

    __table_args__ = (
        Index("ix_readingevent_visit", "document_id", "page", "claimed", "seconds", unique=True),
        Index(
            "ix_readingevent_operation",
            "device_id",
            "operation_id",
            unique=True,
            sqlite_where=text("operation_id IS NOT NULL"),
            postgresql_where=text("operation_id IS NOT NULL"),
        ),
        Index("ix_readingevent_started", "document_id", "started"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    document_id: int = Field(foreign_key="readdocument.id")
    device_id: int = Field(foreign_key="device.id")
    source: str
    claimed: int = Field(sa_type=BigInteger)
    started: int = Field(sa_type=BigInteger)
    received: int = Field(sa_type=BigInteger)
    seconds: int
    page: int | None = None
    pages: int | None = None
    start_fraction: float | None = None
    end_fraction: float | None = None
    counted: bool = True
    operation_id: str | None = None


class ReadingSession(SQLModel, table=True):
    """Continuous reading of a person in a book (`reading.sessions.rule.Sitting`): derived from the events, made anew
    when others come. Those too short to count are here too, to be joined by what comes late.

    `stretches`: a flat list of begin and end of each part that counts, in seconds from `started_at`. `devices`: ids.
    """

    __table_args__ = (Index("ix_readingsession_time", "user_id", "started_at"),)

    user_id: int = Field(primary_key=True, foreign_key="user.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id")
    started_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    seconds: int
    estimated: int
    start_fraction: float | None = None
    end_fraction: float | None = None
    devices: list[int] = Field(default_factory=list, sa_type=JSON)
    stretches: list[int] = Field(default_factory=list, sa_type=JSON)
