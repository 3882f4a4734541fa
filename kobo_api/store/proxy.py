"""A call of a device whose owner still buys at the store: what is ours we answer, the rest the store (chapter 9).

GETs of the shop are sent on by a redirect, which the device follows by itself: no error of the store then comes from
us. Other methods have to be handed through. Where the store fails, the answer is the one that a device without it gets.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import bindparam, select
from sqlmodel import Session

from appliance.models import KoboStore
from kobo_api import auth, covers, resources
from kobo_api.call import JSON, Answer, Call, FileAnswer
from kobo_api.caller import TOKEN_LIFETIME, is_access_token
from kobo_api.library import library_sync, reset
from kobo_api.store import boundary, client
from kobo_api.store.client import Refused, Reply
from kobo_api.store.sync import merged_sync

Handler = Callable[..., Answer | FileAnswer]

GENUINE = {"oauth_host": "https://oauth.kobo.com", "sign_in_page": "https://auth.kobobooks.com/ActivateOnWeb"}
IMAGES = "https://cdn.kobo.com/book-images"
WHOLE_MAP = 100  # keys; a smaller map is not the store's (3.4)
# Makes the device sign in anew, at the store (3.2).
EXPIRED = Answer(msgspec.json.encode({"ResponseStatus": {"ErrorCode": "ExpiredToken"}}), status=401)
# Answered by us alone: they tell of reading, or are only about us.
_PRIVATE = ("/v1/analytics/", "/oauth/", "/download/", "/activate", "/v1/library/tags")


_STORE = KoboStore.__table__  # type: ignore[attr-defined]
_IS_ON = select(_STORE.c.is_on).where(_STORE.c.device_id == bindparam("device"))

refused = Refused(TOKEN_LIFETIME.total_seconds())


def is_on(session: Session, device_id: int) -> bool:
    """Whether the store is merged in for a device."""
    return bool(session.connection().execute(_IS_ON, {"device": device_id}).scalar())


def respond(call: Call, handler: Handler, parts: Mapping[str, Any]) -> Answer | FileAnswer:
    """The answer to a call of such a device. `handler`: what would answer it without the store."""
    path = call.path.lower()
    if handler is library_sync.sync:
        return merged_sync(call)
    if handler is resources.initialization:
        return _initialization(call)
    if handler is auth.device_auth:
        return _sign_in(call)
    if handler is covers.cover:
        return _cover(call, parts) or handler(call, **parts)
    if path.startswith(_PRIVATE) or _has_our_token(call) or not boundary.may_go_out(call):
        return handler(call, **parts)  # a redirect would be followed with the very same headers
    if handler is reset.add_device:
        handler(call, **parts)  # the store has to know of it too
    if call.method in ("GET", "HEAD"):
        return Answer(status=307, headers={"location": client.STORE + boundary.target(call)})
    return _handed_through(call) or handler(call, **parts)


def _initialization(call: Call) -> Answer:
    """The store's map with what must be ours laid over it; ours alone when the store has none."""
    if _has_our_token(call) and call.caller.device_id not in refused:
        # From before the store was switched on. It would refuse the device for ever (9).
        return EXPIRED
    reply = client.ask("GET", "/v1/initialization", boundary.headers_out(call))
    if reply is not None and reply.status == 401 and call.caller.device_id not in refused:
        return EXPIRED
    own = {**resources.resources(call.root, call.base), **GENUINE}  # the device is signed in at the store
    given = _object(reply).get("Resources")
    if isinstance(given, dict) and len(given) >= WHOLE_MAP:
        own = {**given, **{name: own[name] for name in resources.OURS}}
    return Answer(msgspec.json.encode({"Resources": own}), headers=resources.API_TOKEN)


def _has_our_token(call: Call) -> bool:
    return is_access_token(call.headers.get("authorization", ""))


def _sign_in(call: Call) -> Answer:
    """The store's own tokens, or it refuses the device for ever; ours while it does not answer."""
    is_refresh = call.path.lower().rstrip("/").endswith("/refresh")
    reply = None
    if boundary.may_go_out(call):
        reply = client.ask("POST", boundary.target(call), boundary.headers_out(call), call.body)
        if reply is not None and _object(reply).get("AccessToken"):
            return _relayed(reply)
    if is_refresh and call.caller.device_id not in refused:
        return EXPIRED  # a token of ours, or one that the store does not take any more: it has to sign in anew
    refused.add(call.caller.device_id)
    return auth.device_auth(call)


def _cover(call: Call, parts: Mapping[str, Any]) -> Answer | None:
    image = str(parts["image"])
    if boundary.ours(call.session, image) or _has_our_token(call):
        return None
    size = [parts[name] for name in ("width", "height", "quality", "grey") if parts.get(name)]
    address = "/".join(quote(str(part), safe="") for part in (image, *size))
    return Answer(status=307, headers={"location": f"{IMAGES}/{address}/image.jpg"})


def _handed_through(call: Call) -> Answer | None:
    reply = client.ask(call.method, boundary.target(call), boundary.headers_out(call), call.body)
    if reply is None or not 200 <= reply.status < 300:
        return None  # an error that comes from us would cancel the sync (8)
    return _relayed(reply)


def _relayed(reply: Reply) -> Answer:
    headers = boundary.headers_in(reply.headers)
    return Answer(reply.body, reply.status, headers, reply.headers.get("content-type", JSON))


def _object(reply: Reply | None) -> dict[str, Any]:
    if reply is None or reply.status != 200:
        return {}
    try:
        value = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
