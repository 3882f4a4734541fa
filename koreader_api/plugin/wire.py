"""Shapes of the plugin's protocol, named as on the wire (docs/plugin-protocol.md)."""

from typing import Annotated, Any

from msgspec import Meta, Struct

LIMIT_FILES = 200  # of a `match`

Text = Annotated[str, Meta(max_length=200)]
Words = Annotated[str, Meta(max_length=2_000)]
File = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Number = Annotated[int, Meta(ge=0, le=2**53)]
Seconds = Annotated[float, Meta(ge=-(2**53), le=2**53)]


class Out(Struct, omit_defaults=True):
    """An answer. What has no value is left out."""


class In(Struct):
    """A request. `clock`: what the device's clock shows, in seconds since 1970."""

    clock: Seconds


# -- meeting


class Greeting(Out):
    """Whether there is a Bookwake at an address."""

    server: str
    version: str
    protocols: list[int]


class Hello(In):
    """What a plugin says of itself. `rolled_back`: the version of an update that did not start."""

    plugin: Text = ""
    koreader: Text = ""
    platform: Text = ""
    model: Text = ""
    device_id: Text = ""
    protocols: list[int] = []
    capabilities: Annotated[list[Text], Meta(max_length=100)] = []
    rolled_back: Text | None = None


class Limits(Out):
    """`body`: bytes of a request; `operations`, `pulls`: of a `sync`; `rows`: of `statistics`."""

    body: int
    operations: int
    pulls: int
    rows: int


class Update(Out):
    """A newer plugin. `signature`: HMAC-SHA256 (hex) of `"<version>\\n<size>\\n<sha256>"` with the SHA-256 (hex) of the
    token as key."""

    version: str
    size: int
    sha256: str
    signature: str


class Named(Out):
    """A device."""

    id: int
    name: str


class Welcome(Out):
    """`library` changes with every change of the books. `minimum`: the oldest plugin that is understood."""

    server: str
    version: str
    protocol: int
    time: int
    library: str
    device: Named
    person: str
    minimum: str
    limits: Limits
    address: str | None = None
    update: Update | None = None


class Introduction(In):
    """A reader that wants to become somebody's device."""

    model: Text = ""
    koreader: Text = ""
    plugin: Text = ""
    device_id: Text = ""
    name: Text | None = None


class Pair(Introduction, kw_only=True):
    """With the code that it was given."""

    code: Text


class Poll(In):
    """With the secret that `pair/begin` gave."""

    secret: Text


class Paired(Out):
    """The token is shown this once."""

    token: str
    device: Named
    person: str


class Begun(Out):
    """What to show: the code, and the page where to type it. `expires_in`: seconds."""

    code: str
    secret: str
    expires_in: int
    page: str


class Waiting(Out):
    """Nobody has typed the code yet."""

    waiting: bool


# -- which file is which book


class FileSaid(Struct):
    """A file on the device. `stored`: what its sidecar says its digest was, where it differs."""

    file: File
    stored: Text | None = None
    size: Number | None = None
    title: Words | None = None
    authors: Words | None = None
    identifiers: Words | list[Words] | None = None
    name: Words | None = None


class Match(In):
    files: Annotated[list[FileSaid], Meta(max_length=LIMIT_FILES)]


class BookFile(Out):
    """A file to be had of a book. `file`: the partial MD5 that the download will have."""

    format: str
    size: int
    file: str
    name: str


class Book(Out):
    id: str
    title: str
    authors: list[str]
    series: str | None = None
    series_index: float | None = None
    files: list[BookFile] | None = None


class Matched(Out):
    """`how`: exact, stored, identifier, linked or none."""

    file: str
    how: str
    book: Book | None = None
    proposals: list[Book] | None = None


class Matches(Out):
    library: str
    matches: list[Matched]


class Link(In):
    """That a file is a book; without `book`, that it is not."""

    file: File
    book: Text | None = None


class Linked(Out):
    library: str
    match: Matched


class Error(Out):
    """`error`: a fixed code; `message`: a sentence for a person. `minimum`: the oldest plugin that is understood."""

    error: str
    message: str
    minimum: str | None = None


Anything = dict[str, Any]


# -- statistics


class Row(Struct, array_like=True):
    """A page visit. `book`: an index into the books."""

    book: Number
    page: Number
    start: Seconds
    seconds: Seconds
    pages: Number


class BookSaid(Struct):
    file: File
    title: Words | None = None
    authors: Words | None = None


class Statistics(In):
    """Rows of KOReader's `page_stat_data`: `[book, page, start, seconds, pages]`, `book` an index into `books`. Each is
    judged by itself."""

    books: list[BookSaid] = []
    rows: list[Any] = []


class StatisticsTaken(Out, omit_defaults=False):
    """`doubted`: of the new ones, how many do not count, because their time cannot be true."""

    new: int
    duplicate: int
    refused: int
    doubted: int


class Others(In):
    file: File
    after: Number = 0
    limit: Number = 1_000


class OthersRows(Out):
    """`[page, start, seconds, pages]`, in the time of the device's clock."""

    rows: list[tuple[int, int, int, int]]
    after: int
    more: bool


# -- library


class Group(Out):
    """A series or an author, and how many books there are."""

    name: str
    books: int
    authors: list[str] | None = None


class Groups(Out):
    items: list[Group]
    page: int
    pages: int
    total: int


class Books(Out):
    items: list[Book]
    page: int
    pages: int
    total: int


class Series(Out):
    """A whole series, in order."""

    items: list[Book]


# -- backups of sidecars

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
PartName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f.][^/\\\x00-\x1f]*$")]


class PartSaid(Struct):
    name: PartName
    size: Number
    mtime: Number
    sha256: Sha256


class Backup(In):
    """A sidecar as it is. `location`: where KOReader keeps it."""

    file: File
    parts: Annotated[list[PartSaid], Meta(min_length=1)]
    taken_at: Seconds | None = None
    title: Words | None = None
    location: Text | None = None
    book_path: Words | None = None
    koreader: Text | None = None


class BackupBegun(Out):
    backup: int
    missing: list[str]


class PartTaken(Out):
    complete: bool


class BackupShown(Out):
    """`here`: this device made it. `percent`: of the book, 0 to 1."""

    backup: int
    taken_at: int
    device: str
    here: bool
    size: int
    title: str | None = None
    annotations: int | None = None
    percent: float | None = None
    location: str | None = None
    book_path: str | None = None
    koreader: str | None = None
    file: str | None = None
    parts: list[PartSaid] | None = None


class Backups(Out):
    backups: list[BackupShown]
