"""Shapes of BookOrbit's plugin API, named as on the wire (docs/reference/koreader.md 7.1)."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

Hash = Annotated[str, Meta(pattern="^[0-9a-fA-F]{32}$")]
Text = Annotated[str, Meta(max_length=1_000)]
Long = Annotated[str, Meta(max_length=100_000)]
Pointer = Annotated[str, Meta(max_length=4_000)]
Number = Annotated[int, Meta(ge=0, le=2**53)]


class Envelope(Struct, rename="camel"):
    """What every request carries. `deviceTime`: `YYYY-MM-DD HH:MM:SS` as the device's clock shows it."""

    device_id: Text = ""
    device_model: Text = ""
    plugin_version: Text = ""
    device_time: Text = ""


class Candidate(Struct, rename="camel"):
    hash: Hash
    title: Text | None = None
    authors: Text | None = None


class MatchCheck(Envelope, rename="camel"):
    hashes: Annotated[list[str], Meta(max_length=500)] = field(default_factory=list)
    books: list[Candidate] = field(default_factory=list)


class Key(Struct):
    """`k`: MD5 of `"<dt>|<position>"`."""

    k: Annotated[str, Meta(max_length=64)]
    dt: Text = ""


class Note(Struct, rename="camel"):
    """A highlight (`pos0`, `pos1`) or a bookmark (`pos`)."""

    datetime: Annotated[str, Meta(max_length=40)]
    pos0: Pointer | None = None
    pos1: Pointer | None = None
    pos: Pointer | None = None
    datetime_updated: Annotated[str, Meta(max_length=40)] | None = None
    drawer: Text | None = None
    color: Annotated[str, Meta(max_length=64)] | None = None
    text: Long | None = None
    note: Long | None = None
    chapter: Text | None = None


class ExchangeBook(Struct, rename="camel"):
    hash: Hash
    keys: Annotated[list[Key], Meta(max_length=5_000)] = field(default_factory=list)
    keys_complete: bool = False
    changes: Annotated[list[Note], Meta(max_length=50)] = field(default_factory=list)


class Exchange(Envelope, rename="camel"):
    books: Annotated[list[ExchangeBook], Meta(max_length=20)] = field(default_factory=list)


class Applied(Struct, rename="camel"):
    """`key`: under what it is kept there. `pos0`: where the client's engine has put it."""

    server_id: Number
    status: Literal["applied", "failed"] = "applied"
    version: Number | None = None
    pos0: Pointer | None = None
    key: Text | None = None


class AckBook(Struct):
    hash: Hash
    applied: Annotated[list[Applied], Meta(max_length=200)] = field(default_factory=list)
    deleted: Annotated[list[Applied], Meta(max_length=200)] = field(default_factory=list)


class Ack(Envelope, rename="camel"):
    books: Annotated[list[AckBook], Meta(max_length=20)] = field(default_factory=list)


class PageEvent(Struct, rename="camel"):
    page: Number
    start_time: Number
    duration_seconds: Number
    total_pages: Number


class StatsBook(Struct):
    hash: Hash
    events: Annotated[list[PageEvent], Meta(max_length=500)] = field(default_factory=list)


class PageStats(Envelope, rename="camel"):
    books: Annotated[list[StatsBook], Meta(max_length=50)] = field(default_factory=list)


class BookState(Struct, rename="camel"):
    """`statusModified`: a date. `rating`: 1 to 5."""

    hash: Hash
    status: Literal["reading", "complete", "abandoned"] | None = None
    status_modified: Text | None = None
    rating: Annotated[int, Meta(ge=0, le=5)] | None = None
    rating_cleared: bool = False
    review_note: Long | None = None
    review_cleared: bool = False


class BookStates(Envelope, rename="camel"):
    books: Annotated[list[BookState], Meta(max_length=200)] = field(default_factory=list)


class ProgressItem(Struct):
    hash: Hash
    progress: Pointer = ""
    percentage: float | None = None
    timestamp: Number | None = None


class BulkProgress(Envelope, rename="camel"):
    items: Annotated[list[ProgressItem], Meta(max_length=100)] = field(default_factory=list)


Anything = dict[str, Any]
