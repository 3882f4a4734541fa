"""What each Kobo has been offered, has downloaded, and is known to hold (docs/reference/kobo-protocol.md 4.10)."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from appliance.models.columns import UtcDateTime


class KoboEntitlement(SQLModel, table=True):
    """The id under which a user's Kobos know a book: one random UUID per (user, book), for ever."""

    __table_args__ = (UniqueConstraint("user_id", "book_id"),)

    id: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    book_id: str = Field(foreign_key="book.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class KoboDelivery(SQLModel, table=True):
    """The ledger: one row for everything ever offered to a device."""

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id", index=True)
    revision: str
    sha256: str | None = Field(default=None, description="the KEPUB that was actually sent")
    metadata_fingerprint: str = ""
    progress_version: int | None = Field(default=None, description="`Progress.version` last sent or received")
    offered_at: datetime = Field(sa_type=UtcDateTime)
    downloaded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    removed_by: str | None = None


class KoboCheckpoint(SQLModel, table=True):
    """A sync run of a device, named by the small token it holds."""

    id: int | None = Field(default=None, primary_key=True)
    device_id: int = Field(foreign_key="device.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    committed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
