"""How long somebody reads in the browser: a stretch at a time, sent about every minute while it goes on."""

from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, put
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta, Struct

from appliance.accounts.sessions import SignedIn
from appliance.house import House
from appliance.models import Book
from appliance.reading.sessions.event import Event, Source
from appliance.reading.sessions.record import record_events

MAX_BODY = 4 * 1024  # bytes
LONGEST = 60 * 60  # seconds; what could not be sent for longer comes as several

TimeRequest = Request[SignedIn, Any, Any]


class Stretch(Struct, forbid_unknown_fields=True):
    """Reading without a pause: a page was turned, or there was other input, at least every two minutes.

    `started_at`: by the server's clock as the browser knows it. `operation_id`: the same when it is sent again.
    Fractions of the book, 0 to 1, where it began and ended. Stretches may overlap: a second counts once.
    """

    started_at: Annotated[datetime, Meta(tz=True)]
    seconds: Annotated[int, Meta(ge=1, le=LONGEST)]
    operation_id: Annotated[str, Meta(pattern="^[A-Za-z0-9-]{8,64}$")]
    start_fraction: Annotated[float, Meta(ge=0, le=1)] | None = None
    end_fraction: Annotated[float, Meta(ge=0, le=1)] | None = None


class Kept(Struct):
    """What became of it. `outcome`: counted, duplicate, or doubted, when its time cannot be true."""

    outcome: str


@put(
    "/api/books/{book_id:str}/reading-time",
    opt={"access": "person"},
    sync_to_thread=True,
    request_max_body_size=MAX_BODY,
)
def keep_time(request: TimeRequest, book_id: FromPath[str], data: JSONBody[Stretch]) -> Response[Kept]:
    """Take down that this person has read."""
    house: House = request.app.state.house
    event = Event(
        Source.BROWSER,
        int(data.started_at.timestamp()),
        data.seconds,
        book_id,
        start_fraction=data.start_fraction,
        end_fraction=data.end_fraction,
        operation_id=data.operation_id,
    )
    with house.database.write() as session:
        if session.get(Book, book_id) is None:
            raise NotFoundException("There is no such book in the library.")
        counted = record_events(session, request.user.user_id, request.user.device_id, [event], house.now())
    outcome = "duplicate" if counted.duplicate else "counted" if counted.new > counted.doubted else "doubted"
    return Response(Kept(outcome), headers={"Cache-Control": "no-store"})


routes: list[ControllerRouterHandler] = [keep_time]
