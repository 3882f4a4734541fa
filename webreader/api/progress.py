"""The browser's place in a book. Reading it changes nothing: only what a person did in the reader is ever sent."""

from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import Request, Response, get, put
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta, Struct

from appliance.accounts.sessions import SignedIn
from appliance.house import House
from appliance.models import Book, Rendition
from appliance.reading.progress.locate import locate
from appliance.reading.progress.projection import Projected, project
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Act, Report

MAX_BODY = 16 * 1024  # bytes; the longest CFI of a real book has some 200 characters

ProgressRequest = Request[SignedIn, Any, Any]


class Where(Struct):
    """The current place of a person in a book.

    `version`: to be sent back with what is based on it, 0 when nothing was read. `sha256`: the rendition in which
    `cfi` is; `cfi` is `None` when the place cannot be named there. `status`, `reason`: how good the place is
    (`positions.Status`, `positions.Reason`). `fraction`: 0 to 1 of the text. `device`: the name of the reader it came
    from, `here` whether that is this browser; `at`: when.
    """

    version: int
    sha256: str
    cfi: str | None = None
    status: str = "exact"
    reason: str = ""
    fraction: float = 0.0
    device: str | None = None
    here: bool = False
    at: datetime | None = None


class Moved(Struct, forbid_unknown_fields=True):
    """What a person did: read on to a place (`read`) or chose it (`jumped`). `finished`: it is on the last page.

    `sha256`: the rendition that was open. `based_on`: `Where.version` that the reader last saw. `operation_id`: the
    same when it is sent again. `claimed_at`: the browser's clock.
    """

    cfi: Annotated[str, Meta(min_length=9, max_length=4096)]
    act: Literal["read", "jumped"]
    operation_id: Annotated[str, Meta(pattern="^[A-Za-z0-9-]{8,64}$")]
    finished: bool = False
    based_on: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    claimed_at: Annotated[datetime, Meta(tz=True)] | None = None
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None


class Saved(Struct):
    """What became of it. `outcome`: current, history, suggestion, echo, duplicate or rejected, with its `reason`;
    `version`: of the current place now; `fraction`: of the place that was sent; `place_status`, `place_reason`: how
    good that place is (`positions.Status`, `positions.Reason`)."""

    outcome: str
    reason: str
    version: int
    fraction: float
    place_status: str
    place_reason: str


@get("/api/books/{book_id:str}/progress", opt={"access": "person"}, sync_to_thread=True)
def where(request: ProgressRequest, book_id: FromPath[str]) -> Response[Where]:
    """Where this person is in the book."""
    house: House = request.app.state.house
    with house.database.read() as session:
        book = session.get(Book, book_id)
        if book is None or book.main_sha256 is None:
            raise NotFoundException("There is no such book in the library.")
        user, sha256 = request.user, book.main_sha256
        found = project(house, session, user.user_id, book_id, sha256, "cfi", user.device_id)
        answer = _where(found, sha256, user.device_id) if found else Where(0, sha256)
    return Response(answer, headers={"Cache-Control": "no-store"})


@put("/api/books/{book_id:str}/progress", opt={"access": "person"}, sync_to_thread=True, request_max_body_size=MAX_BODY)
def move(request: ProgressRequest, book_id: FromPath[str], data: JSONBody[Moved]) -> Response[Saved]:
    """Take down what a person did. The rules of the house decide whether it becomes the current place."""
    house: House = request.app.state.house
    with house.database.read() as session:
        book = session.get(Book, book_id)
        sha256 = data.sha256 or (book.main_sha256 if book else None)
        rendition = session.get(Rendition, sha256) if sha256 else None
        if sha256 is None or rendition is None or rendition.book_id != book_id:
            raise NotFoundException("There is no such book in the library.")
        located = locate(house, session, book_id, sha256, "cfi", data.cfi)
    report = Report(
        user_id=request.user.user_id,
        device_id=request.user.device_id,
        received_at=house.now(),
        dialect="cfi",
        locator=data.cfi,
        place=located.place,
        book_id=book_id,
        sha256=sha256,
        reference_sha256=located.reference_sha256,
        claimed_at=data.claimed_at,
        act=Act(data.act),
        reading_status="finished" if data.finished else None,
        based_on=data.based_on,
        error=located.error,
        fraction=located.fraction,
        is_aside=located.is_aside,
        operation_id=data.operation_id,
    )
    with house.database.write() as session:
        outcome = record(session, report)
    place = located.place
    saved = Saved(
        outcome.kind,
        outcome.reason,
        outcome.version or 0,
        located.fraction or 0.0,
        place.status.value,
        place.reason.value,
    )
    return Response(saved, headers={"Cache-Control": "no-store"})


def _where(found: Projected, sha256: str, device_id: int) -> Where:
    return Where(
        version=found.version,
        sha256=sha256,
        cfi=found.encoded.locator,
        status=found.encoded.status.value,
        reason=str(found.encoded.reason),
        fraction=found.fraction,
        device=found.device.name,
        here=found.device.id == device_id,
        at=found.activity_at,
    )


routes: list[ControllerRouterHandler] = [where, move]
