"""Status, rating and review of a book by whoever is signed in."""

from typing import Annotated, Any, Literal

from litestar import Request, Response, get, put
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import UNSET, Meta, Struct, UnsetType
from sqlmodel import Session

from appliance.accounts.sessions import SignedIn
from appliance.house import House
from appliance.models import Book, BookState
from appliance.reading.book_state.record import SaidState, record_state

MAX_BODY = 128 * 1024  # bytes
MAX_REVIEW = 20_000  # characters

StateRequest = Request[SignedIn, Any, Any]


class State(Struct):
    """What a person thinks of a book. `version`: to be sent back with what is based on it, 0 when nothing was said.
    `status_by`: automatic where it follows from reading, else person. `rating`: half stars, 0 for none."""

    version: int
    status: str
    status_by: str
    rating: int
    review: str


class Change(Struct, forbid_unknown_fields=True):
    """What the person changed; what is left out stays. `base_version`: `State.version` that they saw. `operation_id`:
    the same when it is sent again."""

    base_version: Annotated[int, Meta(ge=0, le=2**53)]
    operation_id: Annotated[str, Meta(pattern="^[A-Za-z0-9-]{8,64}$")]
    status: Literal["unread", "reading", "finished", "abandoned"] | UnsetType = UNSET
    rating: Annotated[int, Meta(ge=0, le=10)] | UnsetType = UNSET
    review: Annotated[str, Meta(max_length=MAX_REVIEW)] | UnsetType = UNSET


class Kept(Struct):
    """`outcome`: current, echo (nothing new, or changed elsewhere later) or duplicate; `state`: as it is now."""

    outcome: str
    state: State


@get("/api/books/{book_id:str}/state", opt={"access": "person"}, sync_to_thread=True)
def state(request: StateRequest, book_id: FromPath[str]) -> Response[State]:
    """What this person thinks of the book."""
    house: House = request.app.state.house
    with house.database.read() as session:
        found = _state(session, request.user.user_id, book_id)
    return Response(found, headers={"Cache-Control": "no-store"})


@put("/api/books/{book_id:str}/state", opt={"access": "person"}, sync_to_thread=True, request_max_body_size=MAX_BODY)
def change_state(request: StateRequest, book_id: FromPath[str], data: JSONBody[Change]) -> Response[Kept]:
    """Take down what this person thinks of the book."""
    house: House = request.app.state.house
    said = {"status": data.status, "rating": data.rating, "review": data.review}
    with house.database.write() as session:
        _state(session, request.user.user_id, book_id)
        answer = record_state(
            session,
            SaidState(
                request.user.user_id,
                request.user.device_id,
                book_id,
                {name: value for name, value in said.items() if value is not UNSET},
                house.now(),
                base_version=data.base_version,
                operation_id=data.operation_id,
            ),
        )
        session.expire_all()
        kept = Kept(answer.outcome, _state(session, request.user.user_id, book_id))
    return Response(kept, headers={"Cache-Control": "no-store"})


def _state(session: Session, user_id: int, book_id: str) -> State:
    if session.get(Book, book_id) is None:
        raise NotFoundException("There is no such book in the library.")
    row = session.get(BookState, (user_id, book_id))
    if row is None:
        return State(0, "unread", "automatic", 0, "")
    return State(row.version, row.status, row.status_by, row.rating, row.review)


routes: list[ControllerRouterHandler] = [state, change_state]
