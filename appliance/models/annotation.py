"""Highlights, notes and bookmarks: derived from the journal, and what each device holds of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from appliance.models.columns import BIG, UtcDateTime


class Feed(SQLModel, table=True):
    """How many changes a person's reading record has seen. Rises by one with each changed row."""

    user_id: int = Field(primary_key=True, foreign_key="user.id")
    version: int = Field(default=0, sa_type=BIG)


class Annotation(SQLModel, table=True):
    """A highlight, note or bookmark of a person in a book. Folded from the effects in the journal.

    `kind`: highlight, bookmark or markup (ink, kept as it came). The range is in `reference_sha256`, canonical
    characters; `first`, `last` are its ticks in the book (equal for a bookmark), `None` while it has no place, which
    `place_status` and `place_reason` then explain. `quote`: the words to find it by (`positions.TextQuote`).
    `colour`: `reading.annotations.palette`. `style`: highlight, underline, strikeout, squiggly or invert. `versions`,
    `times`: of the last change of each field. `other_notes`: what was written elsewhere at the same time.
    `deleted_at`: the tombstone; `held_at`: a deletion that waits for a person. `created_at` as far as the device's
    clock can be believed. `version`: of the person's feed.
    """

    __table_args__ = (
        Index("ix_annotation_feed", "user_id", "version"),
        Index("ix_annotation_book", "user_id", "book_id", "first"),
    )

    id: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    book_id: str = Field(foreign_key="book.id")
    kind: str
    version: int = Field(sa_type=BIG)
    created_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    device_id: int = Field(foreign_key="device.id", description="where it was made")
    reference_sha256: str | None = None
    start_document: str | None = None
    start_occurrence: int = 0
    start_k: int | None = None
    end_document: str | None = None
    end_occurrence: int = 0
    end_k: int | None = None
    first: int | None = None
    last: int | None = None
    place_status: str = "failed"
    place_reason: str = ""
    quote: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    text: str = Field(default="", sa_type=Text)
    note: str = Field(default="", sa_type=Text)
    colour: str = ""
    style: str = "highlight"
    chapter: str = ""
    versions: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    times: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    other_notes: list[str] = Field(default_factory=list, sa_type=JSON)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeviceAnnotation(SQLModel, table=True):
    """An annotation as one device holds it: the ground of the three-way merge.

    `native_id`: what the device calls it. `sha256`: the rendition in whose coordinates `held` is. `native`: as the
    device sent it, given back unchanged; `fingerprint`: hash of its part that counts. `held`: the fields as the device
    spells them; `held_versions`: the version of each that this is. `held_version`: the version of the annotation that
    the device has seen all of. `given`: what it was offered since and may hold by now, oldest first, each with
    `fields`, `versions`, and the `sha256` of the rendition its range is in. `claimed_at`: when the device last changed
    it, by its own clock less its measured skew. `gone_at`: when the device deleted it or said that it followed a
    deletion.
    """

    __table_args__ = (Index("ix_device_annotation_native", "device_id", "book_id", "native_id"),)

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    annotation_id: str = Field(primary_key=True, foreign_key="annotation.id")
    book_id: str = Field(foreign_key="book.id")
    native_id: str
    sha256: str | None = None
    native: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    fingerprint: str = ""
    held: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    held_versions: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    held_version: int = Field(default=0, sa_type=BIG)
    given: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BookState(SQLModel, table=True):
    """Status, rating and review of a book by a person. `status`: unread, reading, finished or abandoned, set by
    `status_by` (automatic or person). `rating`: half stars, 0 for none. `versions`, `times`: of each field's last
    change. Folded from the effects in the journal."""

    __table_args__ = (Index("ix_book_state_feed", "user_id", "version"),)

    user_id: int = Field(primary_key=True, foreign_key="user.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id")
    version: int = Field(sa_type=BIG)
    status: str = "unread"
    status_by: str = "automatic"
    rating: int = 0
    review: str = Field(default="", sa_type=Text)
    versions: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    times: dict[str, str] = Field(default_factory=dict, sa_type=JSON)


class DeviceState(SQLModel, table=True):
    """What one device holds of a book's state: `held` by field as it spells them, at `held_version`."""

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    book_id: str = Field(primary_key=True, foreign_key="book.id")
    held: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    held_version: int = Field(default=0, sa_type=BIG)
