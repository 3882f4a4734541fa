"""What a person does on the page of a book, by plain forms: put an earlier place back, say what they think of it."""

from typing import Any

from litestar import Response
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from appliance.models import Book, BookState
from appliance.reading.book_state.record import SaidState, hand_back, record_state
from appliance.reading.book_state.rule import STATUSES
from appliance.reading.progress.put_back import put_back
from webreader.api.book_state import MAX_REVIEW
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, person

_LONGEST_ID = 64


@action("/book/{book_id:str}/back/{entry_id:int}")
def go_back(request: PageRequest, book_id: FromPath[str], entry_id: FromPath[int], data: Form) -> Response[Any]:
    """Make an earlier place, or a suggested one, the current place on all devices."""
    reader = person(request)
    outcome = put_back(house_of(request), reader.user_id, reader.device_id, book_id, entry_id, _operation(data))
    if outcome is None:
        raise NotFoundException
    done = "lost" if outcome.kind == "rejected" else "back"
    return go_to(f"/book/{book_id}?done={done}#timeline")


@action("/book/{book_id:str}/state")
def say(request: PageRequest, book_id: FromPath[str], data: Form) -> Response[Any]:
    """Take down status, rating and review. Only what was changed in the form is said: whoever rates a book has not
    thereby set its status."""
    house, reader = house_of(request), person(request)
    fields: dict[str, Any] = {}
    if data.get("status") in STATUSES and data["status"] != data.get("was_status"):
        fields["status"] = data["status"]
    if data.get("rating", "").isdecimal() and int(data["rating"]) <= 10 and data["rating"] != data.get("was_rating"):
        fields["rating"] = int(data["rating"])
    with house.database.write() as session:
        if session.get(Book, book_id) is None:
            raise NotFoundException
        row = session.get(BookState, (reader.user_id, book_id))
        review = data.get("review", "").replace("\r\n", "\n").strip()[:MAX_REVIEW]
        if review != (row.review if row is not None else ""):
            fields["review"] = review
        version = data.get("base_version", "")
        if fields:
            said = SaidState(
                reader.user_id,
                reader.device_id,
                book_id,
                fields,
                house.now(),
                base_version=int(version) if version.isdecimal() and len(version) < 16 else 0,
                operation_id=_operation(data),
            )
            record_state(session, said)
    return go_to(f"/book/{book_id}?done=state#state")


@action("/book/{book_id:str}/state/follow")
def follow(request: PageRequest, book_id: FromPath[str], data: Form) -> Response[Any]:
    """Let the status follow the reading again."""
    house, reader = house_of(request), person(request)
    with house.database.write() as session:
        if session.get(Book, book_id) is None:
            raise NotFoundException
        hand_back(session, reader.user_id, reader.device_id, book_id, house.now(), _operation(data))
    return go_to(f"/book/{book_id}?done=state#state")


def _operation(data: dict[str, str]) -> str | None:
    return data.get("operation_id", "")[:_LONGEST_ID] or None


routes: list[ControllerRouterHandler] = [go_back, say, follow]
