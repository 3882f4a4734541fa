"""Where requests of the plugin come in: from HTTP to a `Call` and a shape of `wire`, and the answer back to HTTP.

A token is never logged, nor what is in a body.
"""

import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import msgspec
from litestar import Request, Response, Router, route
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import RawBody
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from appliance.accounts.recent_calls import RecentCall, RecentCalls
from appliance.addresses import base_url
from appliance.house import House
from koreader_api.plugin import package
from koreader_api.plugin.call import Call, Caller, FileAnswer, Refusal
from koreader_api.plugin.caller import caller as who_calls
from koreader_api.plugin.contents import ENDPOINTS, PREFIX, Endpoint
from koreader_api.plugin.hello import MINIMUM, is_older
from koreader_api.plugin.openapi import document
from koreader_api.plugin.reading_json import NotUnderstood, read, shape

CHUNK = 256 * 1024  # bytes
UNKNOWN = "This KOReader is not paired with Bookwake, or was removed from it. Pair it again."
LATER = 60  # seconds until a reader whose request the server could not answer asks again
TOO_OLD = "This plugin is too old for the server. Update it."

logger = logging.getLogger(__name__)


def _handler(endpoint: Endpoint) -> HTTPRouteHandler:
    takes = endpoint.takes

    @route(
        endpoint.path,
        http_method=[endpoint.method],
        status_code=200,
        sync_to_thread=True,
        opt={"access": endpoint.access, "exclude_from_csrf": True},
        request_max_body_size=endpoint.limit,
        include_in_schema=False,
    )
    def handler(request: Request[Any, Any, Any], body: RawBody) -> Response[Any]:
        began = time.monotonic()
        house: House = request.app.state.house
        caller: Caller | None = None
        answer = _refuse(Refusal(503, "broken", "The server could not answer. Try again later.", retry_after=LATER))
        try:
            if endpoint.access == "plugin":
                caller = _caller(house, request)
                _refuse_old(endpoint, caller)
            call = _call(house, request, caller)
            answer = _sent(endpoint.handle(call) if takes is None else endpoint.handle(call, _said(takes, body)))
        except Refusal as error:
            answer = _refuse(error)
        except Exception:
            logger.exception("a KOReader's %s %s failed", endpoint.method, endpoint.path)
        if caller is not None:
            _watch(request, endpoint, caller, answer, len(body), began)
        return answer

    return handler


def _caller(house: House, request: Request[Any, Any, Any]) -> Caller:
    with house.database.read() as session:
        caller = who_calls(house, session, request.headers)
    if caller is None:
        raise Refusal(401, "unknown-token", UNKNOWN)
    return caller


def _refuse_old(endpoint: Endpoint, caller: Caller) -> None:
    if not endpoint.is_for_old_plugins and is_older(str(caller.details.get("plugin", "")), MINIMUM):
        raise Refusal(426, "plugin-too-old", TOO_OLD, minimum=MINIMUM)


def _call(house: House, request: Request[Any, Any, Any], caller: Caller | None) -> Call:
    return Call(
        house=house,
        now=house.now(),
        attempts=request.app.state.attempts,
        address=base_url(house.settings, request),
        host=request.client.host if request.client else "",
        parts={name: str(value) for name, value in request.path_params.items()},
        query=dict(request.query_params.items()),
        headers=request.headers,
        _caller=caller,
    )


def _said(takes: Any, body: bytes) -> Any:
    if takes is bytes:
        return body
    value = read(body)
    try:
        return shape(value, takes)
    except NotUnderstood as error:
        raise Refusal(400, "not-understood", f"The request could not be understood: {error}.") from None


def _sent(answer: object) -> Response[Any]:
    if isinstance(answer, FileAnswer):
        length = {"content-length": str(answer.end - answer.start)}
        return Stream(
            _bytes_of(answer),
            status_code=answer.status,
            headers={**answer.headers, **length},
            media_type=answer.headers.get("content-type", "application/octet-stream"),
        )
    if isinstance(answer, bytes):
        return Response(answer, media_type="application/octet-stream")
    return Response(msgspec.json.encode(answer), media_type="application/json")


async def _bytes_of(answer: FileAnswer) -> AsyncIterator[bytes]:
    left = answer.end - answer.start
    async with await anyio.open_file(answer.path, "rb") as file:
        await file.seek(answer.start)
        while left > 0:
            data = await file.read(min(CHUNK, left))
            if not data:
                raise OSError("a file became shorter while it was sent")
            left -= len(data)
            yield data


def _refuse(error: Refusal) -> Response[Any]:
    content = {"error": error.code, "message": str(error)}
    if "minimum" in error.more:
        content["minimum"] = error.more["minimum"]
    return Response(content, status_code=error.status, headers=error.headers, media_type="application/json")


def _refuse_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework itself refuses: a body that is too large, a method that a path does not have."""
    if error.status_code == 413:
        return _refuse(Refusal(413, "too-large", "This is too much at once. Send half."))
    return _refuse(Refusal(error.status_code, "refused", "The request could not be understood."))


def _watch(
    request: Request[Any, Any, Any], endpoint: Endpoint, caller: Caller, answer: Response[Any], size: int, began: float
) -> None:
    calls: RecentCalls = request.app.state.recent_calls
    sent = len(answer.content) if isinstance(answer.content, bytes) else int(answer.headers.get("content-length", 0))
    calls.add(
        caller.device_id,
        RecentCall(
            at=request.app.state.house.now(),
            method=endpoint.method,
            path=f"{PREFIX}{endpoint.path}".replace(":str", "").replace(":int", ""),
            status=answer.status_code or 200,
            milliseconds=round((time.monotonic() - began) * 1000),
            received=size,
            sent=sent,
        ),
    )


@route(
    "/openapi.json",
    http_method=["GET"],
    sync_to_thread=True,
    opt={"access": "person"},
    include_in_schema=False,
)
def openapi() -> Response[bytes]:
    """The description of this protocol, for those who write clients."""
    return Response(msgspec.json.encode(document()), media_type="application/json")


routes: list[ControllerRouterHandler] = [
    Router(
        PREFIX,
        route_handlers=[*(_handler(endpoint) for endpoint in ENDPOINTS), openapi],
        exception_handlers={HTTPException: _refuse_http},
        include_in_schema=False,
    ),
    *package.routes,
]
