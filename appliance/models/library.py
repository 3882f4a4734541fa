"""Books, their renditions, and the files they were found in."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from appliance.models.columns import UtcDateTime


class Book(SQLModel, table=True):
    """A work in the library. `id` is a random UUID. Lists are JSON: `authors` and `subjects` of names,
    `identifiers` of "scheme:value". `cover_sha256` names the picture in the cover store, by its original bytes."""

    id: str = Field(primary_key=True)
    title: str
    sort_title: str = Field(index=True)
    authors: list[str] = Field(default_factory=list, sa_type=JSON)
    language: str = ""
    identifiers: list[str] = Field(default_factory=list, sa_type=JSON)
    series: str | None = None
    series_index: float | None = None
    description: str = ""
    subjects: list[str] = Field(default_factory=list, sa_type=JSON)
    publisher: str = ""
    published: str = ""
    cover_sha256: str | None = None
    main_sha256: str | None = Field(default=None, description="the reference rendition: the newest EPUB of the book")
    unique_identifier: str | None = Field(default=None, index=True)
    text_fingerprint: str | None = Field(default=None, index=True)
    added_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Rendition(SQLModel, table=True):
    """One concrete file of a book, by its bytes. Kept for ever, because positions may refer to it.

    `kind`: epub or kepub. `origin_sha256` and `engine`: what a KEPUB was made from, and by what ("built-in 1").
    `summary`: `positions.BookSummary` as JSON. `contents`: the table of contents, nested
    `{"title", "path", "fragment", "children"}`. `doubts`: sentences about what is odd in the file.
    """

    sha256: str = Field(primary_key=True)
    book_id: str = Field(foreign_key="book.id", index=True)
    kind: str
    origin_sha256: str | None = Field(default=None, index=True)
    engine: str | None = None
    size: int
    summary: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    contents: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    doubts: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)


class LibraryFile(SQLModel, table=True):
    """A file in a book folder. `problem` and `remedy` say why it is not a book; `missing_since` that it went away."""

    id: int | None = Field(default=None, primary_key=True)
    path: str = Field(unique=True)
    size: int
    mtime_ns: int
    sha256: str | None = Field(default=None, index=True)
    problem: str | None = None
    remedy: str | None = None
    missing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Digest(SQLModel, table=True):
    """How KOReader names a file: `kind` partial_md5 (of the bytes) or filename_md5 (weak). Never deleted, because
    devices keep asking for files that are gone (koreader.md 2.3)."""

    __table_args__ = (Index("ix_digest_sha256", "sha256"),)

    value: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    sha256: str = Field(primary_key=True, foreign_key="rendition.sha256")
