"""Highlights, notes and bookmarks in the browser: what there is, what changed since, and what a person did to them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta, Struct
from sqlmodel import Session, col, select

from appliance.accounts.sessions import SignedIn
from appliance.house import House
from appliance.models import Annotation, Book, Device, DeviceAnnotation, Rendition
from appliance.reading.annotations.acts import keep
from appliance.reading.annotations.projection import ProjectedAnnotation, project_annotations
from appliance.reading.annotations.record import exchange
from appliance.reading.annotations.report import Answer, Caller, Deletion, Said
from appliance.reading.feed import changes

MAX_BODY = 1024 * 1024  # bytes
MOST = 50  # operations of one request
PAGE = 500  # changes of one answer
WORDS = 120  # characters shown of the page that a bookmark is on

AnnotationRequest = Request[SignedIn, Any, Any]

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Id = Annotated[str, Meta(pattern="^[A-Za-z0-9-]{8,64}$")]
Version = Annotated[int, Meta(ge=0, le=2**53)]
Note = Annotated[str, Meta(max_length=20_000)]
Colour = Annotated[str, Meta(pattern="^#[0-9a-f]{6}$")]
Style = Literal["highlight", "underline", "strikeout", "squiggly", "invert"]
Instant = Annotated[datetime, Meta(tz=True)]


class Mark(Struct, omit_defaults=True):
    """An annotation as this browser shows it.

    `range`: a CFI in the rendition that was asked about, a point for a bookmark, `None` when the place cannot be named
    there; `status`, `reason`: how good it is (`positions.Status`, `positions.Reason`). `tick`: where it stands in the
    book, for order. `version`: to be sent back as `base_version`. `other_notes`: what other devices wrote at the same
    time. `device`: where it was made, `here` whether in this browser. `held_by`: the reader that asked to delete it
    with many others; a person decides. `deleted_at`: it is a tombstone, and can be restored.
    """

    id: str
    version: int
    kind: str
    status: str
    colour: str
    style: str
    created_at: datetime
    range: str | None = None
    reason: str = ""
    tick: int | None = None
    text: str = ""
    note: str = ""
    other_notes: list[str] = []
    chapter: str = ""
    device: str = ""
    here: bool = False
    held_by: str | None = None
    deleted_at: datetime | None = None


class Marks(Struct):
    """What changed after the version that was asked about, tombstones too. `more`: ask again with this `after` and
    this `until`; once there is no more, `after` is the version that the reader has seen everything of."""

    sha256: str
    items: list[Mark]
    after: int
    until: int
    more: bool


class Create(Struct, tag="create", tag_field="do", forbid_unknown_fields=True):
    """A highlight or bookmark was made. `id`: a UUID of the browser's own making. `text`: the words as the book has
    them."""

    id: Annotated[str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
    operation_id: Id
    range: Annotated[str, Meta(min_length=9, max_length=4096)]
    kind: Literal["highlight", "bookmark"] = "highlight"
    text: Annotated[str, Meta(max_length=100_000)] = ""
    note: Note = ""
    colour: Colour | None = None
    style: Style = "highlight"
    chapter: Annotated[str, Meta(max_length=500)] = ""
    claimed_at: Instant | None = None


class Change(Struct, tag="change", tag_field="do", forbid_unknown_fields=True):
    """The fields that were changed. `base_version`: of the annotation as the person saw it. `range`: of a highlight of
    which an end was moved, with the words that it has now as `text`. `merges_notes`: the note takes the place of all
    that were written at the same time."""

    id: Id
    operation_id: Id
    base_version: Version | None = None
    range: Annotated[str, Meta(min_length=9, max_length=4096)] | None = None
    text: Annotated[str, Meta(max_length=100_000)] | None = None
    note: Note | None = None
    colour: Colour | None = None
    style: Style | None = None
    merges_notes: bool = False
    claimed_at: Instant | None = None


class Delete(Struct, tag="delete", tag_field="do", forbid_unknown_fields=True):
    """It was deleted, or a deletion that waited was confirmed."""

    id: Id
    operation_id: Id
    base_version: Version | None = None
    claimed_at: Instant | None = None


class Keep(Struct, tag="keep", tag_field="do", forbid_unknown_fields=True):
    """It is wanted: restored, or a deletion that waited was refused."""

    id: Id
    operation_id: Id


class Acts(Struct, forbid_unknown_fields=True):
    """What a person did, in order. `sha256`: the rendition that was open."""

    sha256: Sha256
    operations: Annotated[list[Create | Change | Delete | Keep], Meta(min_length=1, max_length=MOST)]


class Done(Struct):
    """What became of one operation. `outcome`: current, history, echo, duplicate or rejected, with its `reason`. `id`:
    of the annotation, another than that of a `create` where the same words were highlighted before; `version`: now."""

    operation_id: str
    outcome: str
    reason: str
    id: str
    version: int | None


class AllDone(Struct):
    """What became of each operation, in order."""

    done: list[Done]


@get("/api/books/{book_id:str}/annotations", opt={"access": "person"}, sync_to_thread=True)
def marks(
    request: AnnotationRequest,
    book_id: FromPath[str],
    sha256: FromQuery[str | None] = None,
    after: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
    until: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
) -> Response[Marks]:
    """Annotations of this person in the book that changed after version `after`, all by default; `until`: of the page
    before, 0 for the first."""
    house: House = request.app.state.house
    with house.database.read() as session:
        caller = _caller(request, house, session, book_id, sha256)
        page = changes(session, caller.user_id, after, until or None, PAGE, book_id)
        wanted = [item.key for item in page.items if item.kind == "annotation"]
        rows = session.exec(select(Annotation).where(col(Annotation.id).in_(wanted))).all()
        items = _marks(house, session, caller, rows)
    answer = Marks(caller.sha256, items, page.after, page.until, page.more)
    return Response(answer, headers={"Cache-Control": "no-store"})


@post(
    "/api/books/{book_id:str}/annotations",
    opt={"access": "person"},
    sync_to_thread=True,
    status_code=200,
    request_max_body_size=MAX_BODY,
)
def act(request: AnnotationRequest, book_id: FromPath[str], data: JSONBody[Acts]) -> Response[AllDone]:
    """Take in what a person did. Each operation is committed by itself, and counts once however often it is sent."""
    house: House = request.app.state.house
    with house.database.read() as session:
        caller = _caller(request, house, session, book_id, data.sha256)
        named = select(Annotation.id, Annotation.user_id, Annotation.book_id).where(
            col(Annotation.id).in_({operation.id for operation in data.operations})
        )
        owners = {row[0]: (row[1], row[2]) for row in session.exec(named)}
    mine = {name: name for name, owner in owners.items() if owner == (caller.user_id, book_id)}
    done = []
    for operation in data.operations:
        known = mine.get(operation.id)
        if known is None and (operation.id in owners or not isinstance(operation, Create)):
            done.append(Done(operation.operation_id, "rejected", "unknown-annotation", operation.id, None))
            continue
        answer = _do(house, caller, operation, known or operation.id)
        mine[operation.id] = name = answer.annotation_id or operation.id
        done.append(Done(operation.operation_id, answer.outcome, answer.reason, name, answer.version))
    return Response(AllDone(done), headers={"Cache-Control": "no-store"})


def _do(house: House, caller: Caller, operation: Create | Change | Delete | Keep, name: str) -> Answer:
    if isinstance(operation, Keep):
        return keep(house, caller, name, operation.operation_id)
    if isinstance(operation, Delete):
        gone = Deletion(
            name, operation.claimed_at, operation.base_version, is_confirmed=True, operation_id=operation.operation_id
        )
        return exchange(house, caller, [], [gone])[0]
    if isinstance(operation, Create):
        said = Said(
            name,
            operation.kind,
            operation.range,
            {
                "text": operation.text,
                "note": operation.note,
                "colour": operation.colour or "",
                "style": operation.style,
            },
            chapter=operation.chapter,
            created_at=operation.claimed_at,
            operation_id=operation.operation_id,
        )
    else:
        fields = {"note": operation.note, "colour": operation.colour, "style": operation.style}
        if operation.range is not None:
            fields["text"] = operation.text
        said = Said(
            name,
            "highlight",
            operation.range,
            {field: value for field, value in fields.items() if value is not None},
            changed_at=operation.claimed_at,
            base_version=operation.base_version,
            merges_notes=operation.merges_notes,
            operation_id=operation.operation_id,
        )
    return exchange(house, caller, [said])[0]


def _caller(request: AnnotationRequest, house: House, session: Session, book_id: str, sha256: str | None) -> Caller:
    book = session.get(Book, book_id)
    sha256 = sha256 or (book.main_sha256 if book else None)
    rendition = session.get(Rendition, sha256) if sha256 else None
    if sha256 is None or rendition is None or rendition.book_id != book_id:
        raise NotFoundException("There is no such book in the library.")
    user = request.user
    return Caller(user.user_id, user.device_id, book_id, "web", "cfi", sha256, house.now(), is_person=True)


def _marks(house: House, session: Session, caller: Caller, rows: Any) -> list[Mark]:
    """The annotations in order of their versions, so that a reader may stop anywhere."""
    rows = sorted((row.model_dump() for row in rows), key=lambda row: row["version"])
    placed = {one.row["id"]: one for one in project_annotations(house, session, caller, rows, {})}
    names = {
        device.id: device.name for device in session.exec(select(Device).where(Device.user_id == caller.user_id)).all()
    }
    held = [row["id"] for row in rows if row["held_at"] is not None]
    asked = select(DeviceAnnotation.annotation_id, DeviceAnnotation.device_id).where(
        col(DeviceAnnotation.annotation_id).in_(held), col(DeviceAnnotation.gone_at).is_not(None)
    )
    askers = {row[0]: names.get(row[1], "") for row in session.exec(asked)} if held else {}
    return [
        _mark(
            row,
            placed.get(row["id"]),
            names.get(row["device_id"], ""),
            row["device_id"] == caller.device_id,
            askers.get(row["id"], "another reader") if row["held_at"] is not None else None,
        )
        for row in rows
    ]


def _mark(row: dict[str, Any], placed: ProjectedAnnotation | None, device: str, here: bool, held: str | None) -> Mark:
    return Mark(
        id=row["id"],
        version=row["version"],
        kind=row["kind"],
        status=placed.status.value if placed else row["place_status"],
        colour=placed.fields["colour"] if placed else "",
        style=row["style"],
        created_at=row["created_at"],
        range=placed.range if placed else None,
        reason=str(placed.reason) if placed else row["place_reason"],
        tick=row["first"],
        text=row["text"] or (_words_at(row) if row["kind"] == "bookmark" else ""),
        note=row["note"],
        other_notes=row["other_notes"],
        chapter=row["chapter"],
        device=device,
        here=here,
        held_by=held,
        deleted_at=row["deleted_at"],
    )


def _words_at(row: dict[str, Any]) -> str:
    """The words that follow a bookmark."""
    return str((row["quote"] or {}).get("display", ""))[:WORDS]


routes: list[ControllerRouterHandler] = [marks, act]
