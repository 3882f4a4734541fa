"""What KOReaders with our plugin hold and could not show, and how they become somebody's devices."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer
from sqlmodel import Field, SQLModel

from appliance.models.columns import UtcDateTime


def _nothing() -> dict[str, Any]:
    return {}


class Pairing(SQLModel, table=True):
    """A code by which a KOReader becomes a person's device; only its hash is kept.

    `user_id`: whose device it becomes; `None` while a reader shows the code and nobody has typed it in yet. Such a
    reader asks by its secret (`secret_hash`) whether somebody did. `name`: what to call it, if somebody said. `about`:
    what the reader said of itself (model, koreader, plugin, device_id). `device_id`: what it became.
    """

    code_hash: str = Field(primary_key=True)
    secret_hash: str | None = Field(default=None, unique=True)
    user_id: int | None = Field(default=None, foreign_key="user.id")
    name: str | None = None
    about: dict[str, Any] = Field(default_factory=_nothing, sa_type=JSON)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    device_id: int | None = Field(default=None, foreign_key="device.id")


class FileLink(SQLModel, table=True):
    """A file on a person's KOReaders whose bytes the library does not have, by its partial MD5.

    `book_id`: the book that it is, `None` as long as nobody knows. `how`: stored or identifier (as far as the file
    tells), linked (a person said so), or none. `title`, `authors`, `name`, `size`: what the reader says of it, for a
    person to recognise it by. `device_id`: which reader said so last.
    """

    user_id: int = Field(primary_key=True, foreign_key="user.id")
    file: str = Field(primary_key=True)
    book_id: str | None = Field(default=None, foreign_key="book.id", index=True)
    how: str = "none"
    title: str = ""
    authors: str = ""
    name: str = ""
    size: int | None = Field(default=None, sa_type=BigInteger)
    device_id: int = Field(foreign_key="device.id")
    seen_at: datetime = Field(sa_type=UtcDateTime)


class RefusedOffer(SQLModel, table=True):
    """An annotation that a KOReader was given at `version` and could not show in its file: not given again until it
    changes. `reason`: the device's fixed code."""

    __table_args__ = (Index("ix_refusedoffer_annotation", "annotation_id"),)

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    annotation_id: str = Field(primary_key=True, foreign_key="annotation.id")
    book_id: str = Field(foreign_key="book.id")
    version: int = Field(sa_type=BigInteger().with_variant(Integer, "sqlite"))
    reason: str
    refused_at: datetime = Field(sa_type=UtcDateTime)


class SidecarBackup(SQLModel, table=True):
    """What KOReader keeps beside a book (its sidecar), as it was at `taken_at`. `file`: partial MD5 of the book's file.

    `parts`: files by `name`, `size` (bytes), `mtime` and `sha256`, whose bytes lie in the data folder; `here`: they
    have come. It counts when all of them have (`is_complete`). `location`: in which of its places KOReader keeps
    sidecars; `book_path`: where the book was. `annotations`, `percent`: what is in it, for a person to choose by.
    """

    __table_args__ = (Index("ix_sidecarbackup_file", "user_id", "file", "device_id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    device_id: int = Field(foreign_key="device.id")
    file: str
    title: str = ""
    taken_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    location: str = ""
    book_path: str = ""
    koreader: str = ""
    parts: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    size: int = Field(default=0, sa_type=BigInteger)
    is_complete: bool = False
    annotations: int | None = None
    percent: float | None = None
