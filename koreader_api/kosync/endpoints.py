"""The stock KOSync protocol, for KOReader and every other client of it (docs/reference/koreader.md 1).

Any status that the stock client does not expect raises inside it, so the answers are exactly those of 1.4: an unknown
document is `200 {}` when asked for and simply stored when pushed.
"""

from typing import Any

from litestar import Request, Response, Router, get, post, put
from litestar.params import FromPath, RawBody
from sqlmodel import Session, col, select

from appliance.accounts.devices import Login
from appliance.house import House
from appliance.library.renditions import Named, by_digest
from appliance.models import Device, JournalEntry
from appliance.reading.progress.locate import NOWHERE, Located, locate
from appliance.reading.progress.projection import Projected, project
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Report
from koreader_api.given_place import remember_given
from koreader_api.kosync.caller import caller
from koreader_api.kosync.clients import client_device
from koreader_api.kosync.wire import MAX_BODY, ProgressUpdate, WireError, floor_percentage, read_document, read_progress
from koreader_api.spelling import percent_there, spelling

OPTIONS = {"access": "kosync", "exclude_from_csrf": True}


def answer(status: int, content: Any) -> Response[Any]:
    """JSON whatever the client says it accepts (1.2)."""
    return Response(content, status_code=status, media_type="application/json")


def refuse(_request: Request[Any, Any, Any], error: WireError) -> Response[Any]:
    """The protocol's own form of an error (1.4)."""
    return answer(error.status, {"code": error.code, "message": str(error)})


@get("/healthcheck", opt={"access": "public"}, sync_to_thread=False)
def healthcheck() -> Response[Any]:
    """`GET /healthcheck` → 200 `{"state":"OK"}`. For people and monitors; the stock client never calls it."""
    return answer(200, {"state": "OK"})


@post("/users/create", opt={"access": "public", "exclude_from_csrf": True}, sync_to_thread=False)
def create_user() -> Response[Any]:
    """`POST /users/create` → 402 code 2005. Logins are made on the devices page: a registration from a device could
    claim somebody's name."""
    raise WireError(
        402, 2005, "Registration is off. Add KOReader on the devices page of Bookwake and use the login it shows."
    )


@get("/users/auth", opt=OPTIONS, sync_to_thread=True)
def authorize(request: Request[Any, Any, Any]) -> Response[Any]:
    """`GET /users/auth` → 200 `{"authorized":"OK"}`, 401 code 2001."""
    house: House = request.app.state.house
    with house.database.read() as session:
        caller(request, session)
    return answer(200, {"authorized": "OK"})


@put("/syncs/progress", opt=OPTIONS, status_code=200, request_max_body_size=MAX_BODY, sync_to_thread=True)
def put_progress(request: Request[Any, Any, Any], body: RawBody) -> Response[Any]:
    """`PUT /syncs/progress` → 200 `{"document", "timestamp"}` after a durable commit, also for unknown documents.

    Only 200 counts: with any other success the stock client queues the same item again (1.4).
    """
    house: House = request.app.state.house
    now = house.now()
    with house.database.read() as session:
        login = caller(request, session)
        update = read_progress(body)
        rendition = by_digest(session, update.document)
        located = _located(house, session, login, rendition, update) if rendition else None
    with house.database.write() as session:
        record(
            session,
            Report(
                user_id=login.user_id,
                device_id=client_device(session, login, update.device, update.device_id, now),
                received_at=now,
                dialect="xpointer",
                locator=update.progress,
                place=located.place if located else NOWHERE,
                book_id=rendition.book_id if rendition else None,
                sha256=rendition.sha256 if rendition else None,
                reference_sha256=located.reference_sha256 if located else None,
                asked_for=update.document,
                percent=update.percentage,
                error=located.error if located else None,
                fraction=located.fraction if located else None,
                is_aside=located.is_aside if located else False,
            ),
        )
    return answer(200, {"document": update.document, "timestamp": int(now.timestamp())})


@get("/syncs/progress/{document:str}", opt=OPTIONS, sync_to_thread=True)
def get_progress(request: Request[Any, Any, Any], document: FromPath[str]) -> Response[Any]:
    """`GET /syncs/progress/:document` → 200 with the record, or `{}` when there is none.

    `progress` is valid for that very file, because KOReader goes to page 1 on any other string (1.5).
    """
    house: House = request.app.state.house
    with house.database.read() as session:
        login = caller(request, session)
        document = read_document(document)
        rendition = by_digest(session, document)
        if rendition is None:
            last = _last_push(session, login.user_id, document)
            return answer(200, _as_pushed(session, login, last, document) if last else {})
        # A request does not say which of the readers behind a login asks, so it is never answered with a string that
        # only its maker may be able to read.
        dialect = _spelling(session, login, document)
        projected = project(house, session, login.user_id, rendition.book_id, rendition.sha256, dialect)
        if projected is None or projected.encoded.locator is None:
            return answer(200, {})
        percentage = percent_there(session, login.id, document, rendition.book_id, rendition.sha256, projected)
        remember_given(house, session, login.id, rendition.book_id, projected)
    return answer(200, _as_projected(login, projected, document, percentage))


def _located(house: House, session: Session, login: Login, rendition: Named, update: ProgressUpdate) -> Located:
    return locate(
        house,
        session,
        rendition.book_id,
        rendition.sha256,
        "xpointer",
        update.progress,
        update.percentage,
        device_id=login.id,
    )


def _last_push(session: Session, user_id: int, document: str) -> JournalEntry | None:
    query = (
        select(JournalEntry)
        .where(JournalEntry.asked_for == document, JournalEntry.user_id == user_id, JournalEntry.kind == "progress")
        .order_by(col(JournalEntry.id).desc())
        .limit(1)
    )
    return session.exec(query).first()


def _spelling(session: Session, login: Login, document: str) -> str:
    clients = session.exec(select(Device.id).where(Device.parent_id == login.id)).all()
    return spelling(session, login.user_id, [client for client in clients if client is not None], document)


def _as_pushed(session: Session, login: Login, entry: JournalEntry, document: str) -> dict[str, Any]:
    """What was last pushed for a document that is not in the library, as the reference server would answer."""
    device = session.get_one(Device, entry.device_id)
    return {
        "document": document,
        "progress": entry.locator,
        "percentage": floor_percentage(entry.percent or 0.0),
        **_names(login, device),
        "timestamp": int(entry.received_at.timestamp()),
    }


def _as_projected(login: Login, projected: Projected, document: str, percentage: float) -> dict[str, Any]:
    return {
        "document": document,
        "progress": projected.encoded.locator,
        "percentage": floor_percentage(percentage),
        **_names(login, projected.device),
        "timestamp": int(projected.activity_at.timestamp()),
    }


def _names(login: Login, device: Device) -> dict[str, str]:
    """What a client recognises itself by; for others a name to show and an id that no KOReader can have (1.7). Readers
    of another login are others, whatever they call themselves: ids are copied with settings and backups."""
    if device.client_key is not None and device.parent_id == login.id:
        return {"device": device.details.get("device", ""), "device_id": device.details.get("device_id", "")}
    return {"device": device.details.get("device") or device.name, "device_id": f"bookwake-{device.id}"}


HANDLERS = [healthcheck, create_user, authorize, put_progress, get_progress]

# At the root for people who type just the address, and under /kosync for those who keep the parts apart.
routes = [
    Router(path=prefix, route_handlers=HANDLERS, exception_handlers={WireError: refuse}, include_in_schema=False)
    for prefix in ("/", "/kosync")
]
