"""Shapes of the plugin's protocol, named as on the wire (docs/plugin-protocol.md)."""

from typing import Annotated, Any, Literal

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


# -- sync

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Pointer = Annotated[str, Meta(max_length=4_000)]
Long = Annotated[str, Meta(max_length=100_000)]


class Operation(Struct):
    """What every operation has. `id` is never used again by this device; `at`: when, by its clock."""

    id: Id
    file: File
    at: Seconds | None = None


class ProgressSaid(Operation, kw_only=True, tag_field="kind", tag="progress"):
    """Where the device is. `locator`: the XPointer of the top of the page. `text`: the first characters there."""

    locator: Pointer
    percent: float | None = None
    page: Number | None = None
    pages: Number | None = None
    act: Literal["read", "opened", "jumped"] | None = None
    based_on: Number | None = None
    chapter: Words | None = None
    text: Words | None = None


class AnnotationSaid(Struct):
    """An annotation as it is on the device now. `base`: the version that the device was last told of it; `native`: the
    item as KOReader keeps it."""

    name: Name
    type: Literal["highlight", "bookmark"]
    pos0: Pointer
    pos1: Pointer | None = None
    text: Long | None = None
    note: Long | None = None
    note_format: Text | None = None
    colour: Annotated[str, Meta(max_length=64)] | None = None
    style: Annotated[str, Meta(max_length=64)] | None = None
    chapter: Words | None = None
    created_at: Seconds | None = None
    changed_at: Seconds | None = None
    base: Number | None = None
    native: dict[str, Any] = {}


class DeletionSaid(Struct):
    """`confirmed`: a person was seen to delete this very one."""

    name: Name
    at: Seconds | None = None
    base: Number | None = None
    confirmed: bool = False


class AnnotationsSaid(Operation, kw_only=True, tag_field="kind", tag="annotations"):
    """What was changed in one file. Each of `changed` and `deleted` is judged by itself."""

    changed: list[Any] = []
    deleted: list[Any] = []
    complete: bool = False
    foreign: bool = False


class FollowedOne(Struct):
    name: Name
    version: Number
    outcome: Literal["placed", "removed", "unplaced"]
    reason: Text = ""


class FollowedSaid(Operation, kw_only=True, tag_field="kind", tag="followed"):
    """What became of what was pulled."""

    followed: list[FollowedOne] = []


class StateFields(Struct):
    status: Literal["new", "reading", "complete", "abandoned"] | None = None
    rating: Annotated[int, Meta(ge=0, le=5)] | None = None
    review: Long | None = None


class StateSaid(Operation, kw_only=True, tag_field="kind", tag="state"):
    """Status, rating and review. `base`: the version that they were changed from."""

    fields: StateFields
    base: Number | None = None
    by: Literal["person", "automatic"] = "person"


class SessionSaid(Operation, kw_only=True, tag_field="kind", tag="session"):
    """Reading that KOReader's statistics do not have."""

    started: Seconds
    seconds: Seconds
    start_percent: float | None = None
    end_percent: float | None = None


class Pull(Struct):
    file: File


class Sync(In):
    """`operations`: see the shapes that end in `Said`; each is judged by itself."""

    operations: list[Any] = []
    pull: list[Pull] = []
    since: Number | None = None
    until: Number | None = None


class AnnotationAnswer(Out):
    name: str
    outcome: str
    reason: str
    id: str | None = None
    version: int | None = None
    deleted: bool = False


class OperationAnswer(Out):
    id: str
    outcome: str
    reason: str
    version: int | None = None
    annotations: list[AnnotationAnswer] | None = None


class ProgressPulled(Out):
    """Where the person is. `locator` is only there if KOReader can resolve it in this very file."""

    version: int
    percent: float
    status: str
    at: int
    device: str
    here: bool
    locator: str | None = None
    reason: str | None = None
    chapter: str | None = None
    text: str | None = None


class StatePulled(Out):
    version: int
    status: str
    rating: int
    review: str | None = None


class AnnotationPulled(Out):
    """What the device has to do. `before`, `after`: characters around it, without white space."""

    do: str
    name: str
    version: int
    type: str
    pos0: str | None = None
    pos1: str | None = None
    text: str | None = None
    before: str | None = None
    after: str | None = None
    note: str | None = None
    colour: str | None = None
    style: str | None = None
    chapter: str | None = None
    created_at: int | None = None
    changed_at: int | None = None
    native: Anything | None = None


class Unplaced(Out):
    """What cannot be shown in this file."""

    text: str
    note: str
    reason: str


class Pulled(Out):
    file: str
    how: str
    book: Book | None = None
    progress: ProgressPulled | None = None
    state: StatePulled | None = None
    annotations: list[AnnotationPulled] | None = None
    more: bool = False
    unplaced: list[Unplaced] | None = None


class Changed(Out):
    """Books of which something changed. `until` pins a walk of several pages."""

    books: list[str]
    cursor: int
    more: bool
    until: int


class Synced(Out):
    answers: list[OperationAnswer]
    pulled: list[Pulled]
    changed: Changed | None = None


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
