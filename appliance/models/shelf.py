"""A person's shelves, and what of them goes to which Kobo (docs/reference/kobo-protocol.md 4.11, 6.6)."""

from datetime import datetime

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from appliance.models.columns import UtcDateTime


def _empty() -> list[str]:
    return []


class BookShelf(SQLModel, table=True):
    """A shelf of a person, which Kobos show as a collection. `id`: a random UUID, the same on every device.

    `name_key`: the name without case and accents; no two shelves of a person have the same. `version` rises with each
    change that can be seen. `deleted_at`: the tombstone, kept for devices that have not heard of it, and for restoring.
    """

    __table_args__ = (
        Index(
            "ix_bookshelf_name",
            "user_id",
            "name_key",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    name: str
    name_key: str
    version: int = 1
    created_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ShelvedBook(SQLModel, table=True):
    """A book on a shelf, at `place` in its order. `removed_at`: it was taken off."""

    shelf_id: str = Field(primary_key=True, foreign_key="bookshelf.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id", index=True)
    place: int = 0
    added_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class KoboTag(SQLModel, table=True):
    """What a Kobo was told of a collection. `tag_id`: that of a shelf, or one that only the device knows.

    `told_version`: `BookShelf.version` that it was last told or that it made itself. `due`: it must be told again,
    because what it has of the books changed, or it may not have heard. `told_in`: the checkpoint whose page told it;
    `None` if the device said it. `fingerprint`: of what it holds. `is_known`: whether the device has this collection.
    `others`: what the device put on it that is no book of ours, given back to it alone.
    """

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    tag_id: str = Field(primary_key=True)
    told_version: int = 0
    due: bool = False
    told_in: int | None = None
    fingerprint: str = ""
    is_known: bool = False
    others: list[str] = Field(default_factory=_empty, sa_type=JSON)


class KoboSync(SQLModel, table=True):
    """What a Kobo is to get, and what its syncs have shown of it. A device without a row gets everything.

    `everything`: all books but those it never gets; else what was chosen. `due`: the choice, or a shelf in it, changed.
    `looked_at`: when the choice was last compared with the library. `shows_tokens`: whether it ever came with a sync
    token of ours. `registered_at`: when it last introduced itself as a new device; `reset_at`: when it turned out to be
    empty.
    """

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    everything: bool = True
    due: bool = False
    looked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    shows_tokens: bool = False
    registered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reset_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class KoboChoice(SQLModel, table=True):
    """One thing that a Kobo gets. `kind`: shelf (by id), series (by name) or book (by id); never: a book that it does
    not get, whatever else was chosen."""

    __table_args__ = (Index("ix_kobochoice_value", "kind", "value"),)

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    kind: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
