"""Shapes of `sync`, named as on the wire (docs/plugin-protocol.md): operations, what becomes of them, and pulls."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from koreader_api.plugin.wire import Anything, Book, File, In, Number, Out, Seconds, Text, Words

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
    """What was changed in one file. Each of `changed` and `deleted` is judged by itself. `moved_from`: the book that
    the file was taken for when these were told before."""

    changed: list[Any] = []
    deleted: list[Any] = []
    complete: bool = False
    foreign: bool = False
    moved_from: Text | None = None


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

    operations: list[Any] = field(default_factory=list)
    pull: list[Pull] = field(default_factory=list)
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
