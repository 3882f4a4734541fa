"""Every call that a Kobo makes below its token, with what answers it: the protocol's table of contents.

Not the framework's router, because this protocol knows no 404 and no 405: an error from the `api_endpoint` cancels the
whole sync, so what is unknown is answered `200 {}` whatever its method (docs/reference/kobo-protocol.md 8). Paths are
compared without regard to case (6.6).
"""

import re
from collections.abc import Callable
from typing import Any

from kobo_api import auth, covers, downloads, resources
from kobo_api.call import Answer, Call, FileAnswer
from kobo_api.library import deletion, library_sync, reset, tags
from kobo_api.reading import reading_state, state_report
from kobo_api.store import proxy
from kobo_api.storefront import ROUTES as STOREFRONT
from kobo_api.storefront import nothing

Handler = Callable[..., Answer | FileAnswer]

# Method ("*": any), path, handler; the first that fits answers. `{x}` stands for one part of a path and is passed on.
ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/v1/library/sync", library_sync.sync),
    ("PUT", "/v1/library/{id}/state", state_report.put_state),
    ("GET", "/v1/library/{id}/state", reading_state.get_state),
    ("GET", "/v1/library/{ids}/metadata", downloads.get_metadata),
    ("GET", "/download/{name}", downloads.download),
    ("GET", "/covers/{image}/{width}/{height}/{grey}/image.jpg", covers.cover),
    ("GET", "/covers/{image}/{width}/{height}/{quality}/{grey}/image.jpg", covers.cover),
    ("*", "/v1/initialization", resources.initialization),
    # Before `/v1/library/{id}`: "tags" is not a book.
    ("POST", "/v1/library/tags", tags.create),
    ("*", "/v1/library/tags", nothing),
    ("POST", "/v1/library/tags/{tag}/items", tags.add_items),
    ("*", "/v1/library/tags/{tag}/items/delete", tags.remove_items),
    ("*", "/v1/library/tags/{tag}", tags.rename_or_delete),
    ("DELETE", "/v1/library/{id}", deletion.delete),
    ("*", "/v1/auth/device", auth.device_auth),
    ("*", "/v1/auth/refresh", auth.device_auth),
    ("*", "/oauth/.well-known/openid-configuration", auth.discovery),
    ("*", "/oauth/authorize", auth.authorize),
    ("*", "/oauth/token", auth.token),
    ("*", "/oauth/userinfo", auth.userinfo),
    ("*", "/oauth/jwks", auth.jwks),
    ("*", "/activate", auth.activate),
    ("*", "/v1/user/profile", auth.profile),
    ("POST", "/v1/user/add-device", reset.add_device),
    *STOREFRONT,
]


def _compiled(path: str) -> re.Pattern[str]:
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return re.compile(pattern, re.IGNORECASE)


_COMPILED = [(method, _compiled(path), handler) for method, path, handler in ROUTES]


def respond(call: Call) -> Answer | FileAnswer:
    """The answer to a call of a known device."""
    handler, parts = find(call.method, call.path)
    if proxy.is_on(call.session, call.caller.device_id):
        return proxy.respond(call, handler, parts)
    return handler(call, **parts)


def find(method: str, path: str) -> tuple[Handler, dict[str, Any]]:
    """What answers `method` on `path`, and the parts of the path it is given."""
    if method == "HEAD":
        method = "GET"
    path = re.sub("//+", "/", path).rstrip("/")
    for wanted, pattern, handler in _COMPILED:
        if wanted in ("*", method) and (match := pattern.fullmatch(path)):
            return handler, match.groupdict()
    return nothing, {}
