"""Where requests of Kobos come in: from ASGI to a `Call`, and from its answer back to ASGI.

The path carries the device's secret, so it is never logged, and never part of an error.
"""

import logging
import math
from collections.abc import Callable, Mapping

import anyio
import anyio.to_thread
from litestar import asgi
from litestar.concurrency import sync_to_thread
from litestar.enums import ScopeType
from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send

from appliance.house import House
from kobo_api import contents, reading_services
from kobo_api.call import Answer, Call, FileAnswer
from kobo_api.caller import by_path_token
from kobo_api.watch import Watch, shown_path

MAX_BODY = 8 * 1024 * 1024  # bytes; the first upload of an account may be a large backlog (7.5)
CHUNK = 256 * 1024
DEADLINE = 20.0  # seconds; a device that waits thirty in vain for its notes drops those that it has (7.3)
# To a token that is not (or no longer) known. Not 401: it starts the firmware's signing-in, which may end in signing
# out and an empty device; 404 merely fails the sync, and tells a stranger nothing.
UNKNOWN = Answer(b"{}", status=404)
BROKEN = Answer(b"{}", status=503)  # the device keeps what it has and tries again
TOO_LARGE = Answer(b"{}", status=413)

logger = logging.getLogger(__name__)


# Mounted, because a Kobo's path is not the framework's to judge: see `contents`.
@asgi("/kobo", is_mount=True, opt={"access": "kobo", "exclude_from_csrf": True}, copy_scope=False)
async def kobo(scope: Scope, receive: Receive, send: Send) -> None:
    """Everything below `/kobo/{token}`: the `api_endpoint` of a device."""
    if scope["type"] != ScopeType.HTTP:
        return
    house: House = scope["app"].state.house
    empty, _, rest = scope["path"].partition("/")
    token, _, rest = rest.partition("/")
    path = f"/{rest}"
    watch = Watch(scope, receive, send, path)

    def serve(headers: dict[str, str], body: bytes) -> Answer | FileAnswer:
        with house.database.read() as session:
            caller = by_path_token(house, session, token, headers) if token and not empty else None
            if caller is None:
                return UNKNOWN
            watch.device_id = caller.device_id
            server = scope.get("server")
            call = Call(
                house=house,
                session=session,
                caller=caller,
                method=scope["method"],
                path=path,
                query=scope["query_string"].decode("latin-1"),
                headers=headers,
                body=body,
                scheme=scope["scheme"],
                server_port=server[1] if server else None,
            )
            return contents.respond(call)

    try:
        await _serve(scope, watch.receive, watch.send, serve, path)
    finally:
        watch.done()


def _reading_service(prefix: str, respond: reading_services.Respond) -> ASGIRouteHandler:
    """A part of the reading services. Public, because a refusal here would empty a device; who calls is found out
    inside."""

    @asgi(prefix, is_mount=True, opt={"access": "public", "exclude_from_csrf": True}, copy_scope=False)
    async def reading_service(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        house: House = scope["app"].state.house
        method, path = scope["method"], scope["path"]
        query = scope["query_string"].decode("latin-1")
        watch = Watch(scope, receive, send, prefix + path)

        def serve(headers: dict[str, str], body: bytes) -> Answer | FileAnswer:
            request = reading_services.identified(house, method, path, query, headers, body)
            watch.device_id = request.device.id if request.device is not None else None
            return respond(house, request)

        harmless = reading_services.harmless(prefix, method, path)
        try:
            await _serve(scope, watch.receive, watch.send, serve, prefix + path, harmless)
        finally:
            watch.done()

    return reading_service


async def _serve(
    scope: HTTPScope,
    receive: Receive,
    send: Send,
    serve: Callable[[dict[str, str], bytes], Answer | FileAnswer],
    path: str,
    harmless: Answer | None = None,
) -> None:
    """`harmless`: what to answer to what is too large, breaks, or takes longer than the device waits."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body = await _body(receive)
    if body is None:
        await _send(scope, receive, send, harmless or TOO_LARGE)
        return
    given: Answer | FileAnswer = harmless or BROKEN
    try:
        with anyio.move_on_after(DEADLINE if harmless is not None else math.inf) as waiting:
            given = await anyio.to_thread.run_sync(serve, headers, body, abandon_on_cancel=harmless is not None)
        if waiting.cancelled_caught:
            logger.error("a Kobo's %s %s took longer than it waits", scope["method"], shown_path(path))
    except Exception:
        logger.exception("a Kobo's %s %s failed", scope["method"], shown_path(path))
    if isinstance(given, FileAnswer):
        await _send_file(scope, receive, send, given)
    else:
        await _send(scope, receive, send, given)


async def _body(receive: Receive) -> bytes | None:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        size += len(message["body"])
        if size > MAX_BODY:
            return None
        parts.append(message["body"])
        if not message["more_body"]:
            return b"".join(parts)


async def _send(scope: HTTPScope, receive: Receive, send: Send, given: Answer) -> None:
    await _start(send, given.status, given.headers, given.content_type, len(given.body))
    body = b"" if scope["method"] == "HEAD" else given.body
    is_gone = given.on_sent is not None and await _is_gone(receive)
    await send({"type": "http.response.body", "body": body, "more_body": False})
    if given.on_sent is not None and not is_gone:
        await sync_to_thread(given.on_sent)


async def _send_file(scope: HTTPScope, receive: Receive, send: Send, given: FileAnswer) -> None:
    left = given.end - given.start
    await _start(send, given.status, given.headers, given.content_type, left)
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    async with await anyio.open_file(given.path, "rb") as file:
        await file.seek(given.start)
        while left:
            if await _is_gone(receive):
                return
            data = await file.read(min(CHUNK, left))
            if not data:
                raise OSError("a file became shorter while it was sent")
            left -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": left > 0})
    if given.on_sent is not None:
        await sync_to_thread(given.on_sent)


async def _is_gone(receive: Receive) -> bool:
    """Whether the client has hung up: then the server swallows what is sent without a word."""
    message = None
    with anyio.move_on_after(0):
        message = await receive()
    return message is not None and message["type"] == "http.disconnect"


async def _start(send: Send, status: int, headers: Mapping[str, str], content_type: str, length: int) -> None:
    listed = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    if status not in (204, 304):
        listed += [(b"content-type", content_type.encode()), (b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": status, "headers": listed})


routes = [kobo, *(_reading_service(prefix, respond) for prefix, respond in reading_services.PARTS.items())]
