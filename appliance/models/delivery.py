"""What each Kobo has been offered, has downloaded, and is known to hold (docs/reference/kobo-protocol.md 4.10)."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from appliance.models.columns import UtcDateTime
from appliance.models.library import Book


class KoboEntitlement(SQLModel, table=True):
    """The id under which a user's Kobos know a book: one random UUID per (user, book), for ever."""

    __table_args__ = (UniqueConstraint("user_id", "book_id"),)

    id: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    book_id: str = Field(foreign_key="book.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class KoboDelivery(SQLModel, table=True):
    """The ledger: one row for everything ever offered to a device, kept even when the book is gone.

    The offer. `offered_in`: the checkpoint whose page told the device of this book last; `None`: it has yet to be told
    (or told again). `source_sha256`, `edition`: the file and the fingerprint of the text that was offered;
    `metadata_fingerprint`: the rest of what was shown; `book_changed_at`: `Book.changed_at` when they were looked at.
    `wanted`: whether the book should be on the device; `leaves_at`: when one that should not is to be taken off it.

    The file. `sha256`: what the device was last sent, in whose coordinates its positions are. `began_at`,
    `downloaded_at`: when the transfer of what was offered last began and ended; from `began_at` on the device may hold
    it. `notes_refused_at`: when the device last tried to hand over notes, so it holds some that exist nowhere else.

    The place. `reading_state`: what the device last said, as JSON of its sections, with the stamp (`Told`) of a status
    that it was told since. `given_version`: `Progress.version` it was last told, in checkpoint `given_in` if by a sync;
    `answered_version`: the newest that it is known to have taken into account, because it made it or reported after
    having been told. `told_state`: the `BookState.version` it knows.
    """

    # What is due, of which there is little: a sync asks for it each time.
    __table_args__ = (
        Index("ix_kobodelivery_offered_in", "device_id", "offered_in"),
        Index(
            "ix_kobodelivery_leaves_at",
            "device_id",
            "leaves_at",
            sqlite_where=text("leaves_at IS NOT NULL"),
            postgresql_where=text("leaves_at IS NOT NULL"),
        ),
    )

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id", index=True)

    offered_in: int | None = None
    offered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    source_sha256: str | None = None
    edition: str | None = None
    metadata_fingerprint: str = ""
    book_changed_at: datetime = Field(sa_type=UtcDateTime)
    wanted: bool = True
    leaves_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    removed_by: str | None = Field(default=None, description="device or server")

    sha256: str | None = None
    began_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    downloaded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    notes_refused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    reading_state: str | None = Field(default=None, sa_type=Text)
    given_version: int | None = None
    given_in: int | None = None
    answered_version: int | None = None
    told_state: int | None = Field(default=None, sa_type=BigInteger)


class KoboCheckpoint(SQLModel, table=True):
    """One page of a sync run, named by the small token that was returned with it (kobo-protocol.md 4.2).

    `presented`: the token that the device showed for it. `settled_at`: when it became known whether the page arrived:
    the device showed this token, or an earlier one again. `more`: another page was announced. `run_started_at`: of all
    pages of a run. `cursor_at`, `cursor_id`: how far the run has gone through the books by (changed_at, id). `horizon`:
    books that changed before it need not be looked at in the next run.
    """

    id: int | None = Field(default=None, primary_key=True)
    device_id: int = Field(foreign_key="device.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    presented: int | None = None
    more: bool = False
    run_started_at: datetime = Field(sa_type=UtcDateTime)
    cursor_at: datetime = Field(sa_type=UtcDateTime)
    cursor_id: str = ""
    horizon: datetime = Field(sa_type=UtcDateTime)


# A sync walks the books by this order, a page at a time.
Index("ix_book_changed_at_id", Book.__table__.c.changed_at, Book.__table__.c.id)  # type: ignore[attr-defined]
