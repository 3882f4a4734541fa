"""Books, their renditions, and the files they were found in."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Text
from sqlmodel import Field, SQLModel

from appliance.models.columns import UtcDateTime


def _empty() -> list[Any]:
    """Pydantic looks at the signature of a factory at each use, which takes it a hundred times longer for `list`."""
    return []


class Book(SQLModel, table=True):
    """A work in the library. `id` is a random UUID. Lists are JSON: `authors` and `subjects` of names,
    `identifiers` of "scheme:value". `cover_sha256` names the picture, by its original bytes.

    `sort_title` and `sort_author` are for people ("Oz, The Wizard of"); `title_key`, `author_key` and `search_text`
    are the same without case and accents, for ordering and finding.
    """

    id: str = Field(primary_key=True)
    title: str
    sort_title: str
    authors: list[str] = Field(default_factory=_empty, sa_type=JSON)
    sort_author: str = ""
    title_key: str = Field(default="", index=True)
    author_key: str = Field(default="", index=True)
    search_text: str = ""
    language: str = ""
    identifiers: list[str] = Field(default_factory=_empty, sa_type=JSON)
    series: str | None = Field(default=None, index=True)
    series_index: float | None = None
    description: str = ""
    subjects: list[str] = Field(default_factory=_empty, sa_type=JSON)
    publisher: str = ""
    published: str = ""
    cover_sha256: str | None = None
    main_sha256: str | None = Field(default=None, description="the reference rendition: the newest EPUB of the book")
    added_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Rendition(SQLModel, table=True):
    """One concrete file of a book, by its bytes. Kept for ever, because positions may refer to it.

    `kind`: epub or kepub. `origin_sha256`, `engine` and `engine_version`: what a KEPUB was made from, and by what.
    `conversion_problem`: why no KEPUB could be made of an EPUB, by the engine and version in `conversion_tried`.
    `summary`: `positions.BookSummary` as JSON. `contents`: the table of contents, nested
    `{"title", "path", "fragment", "children"}`. `doubts`: sentences about what is odd in the file. `cover_path`: the
    archive entry that is the cover, or that carries it inside (`cover_embedded`). `text_fingerprint`: that of the
    summary. `unique_identifier`: what the package document calls the book.
    """

    sha256: str = Field(primary_key=True)
    book_id: str = Field(foreign_key="book.id", index=True)
    kind: str
    origin_sha256: str | None = Field(default=None, index=True)
    engine: str | None = None
    engine_version: str | None = None
    conversion_tried: str | None = None
    conversion_problem: str | None = None
    size: int = Field(sa_type=BigInteger)
    unique_identifier: str | None = Field(default=None, index=True)
    text_fingerprint: str | None = Field(default=None, index=True)
    cover_sha256: str | None = None
    cover_path: str | None = None
    cover_embedded: bool = False
    summary: str = Field(default="", sa_type=Text)
    contents: list[dict[str, Any]] = Field(default_factory=_empty, sa_type=JSON)
    doubts: list[str] = Field(default_factory=_empty, sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)


class LibraryFile(SQLModel, table=True):
    """A file in a book folder. `problem` and `remedy` say why it is not a book; `missing_since` that it went away.
    `examined`: the version of the examination it passed through, 0 for one that is to be tried again."""

    id: int | None = Field(default=None, primary_key=True)
    path: str = Field(unique=True)
    size: int = Field(sa_type=BigInteger)
    mtime_ns: int = Field(sa_type=BigInteger)
    sha256: str | None = Field(default=None, index=True)
    problem: str | None = None
    remedy: str | None = None
    examined: int = 0
    missing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Digest(SQLModel, table=True):
    """How KOReader names a file: `kind` partial_md5 (of the bytes) or filename_md5 (weak). Never deleted, because
    devices keep asking for files that are gone (koreader.md 2.3)."""

    __table_args__ = (Index("ix_digest_sha256", "sha256"),)

    value: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    sha256: str = Field(primary_key=True, foreign_key="rendition.sha256")
