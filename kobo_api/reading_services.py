"""The annotation service, which lives at the root of the site (docs/reference/kobo-protocol.md 7).

Its paths carry no token, so who calls is found out here; and because any refusal could cost somebody their notes, each
call has its own harmless answer (7.1, 7.3): the device keeps its changes after a PATCH with 503, asks for no set when
none is named, and keeps what it has when it hears that nothing changed. UserStorage and notebooks must not fail, or the
whole sync does (7.12).
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.house import House
from appliance.models import Device
from kobo_api.annotations import incoming, outgoing
from kobo_api.annotations.outgoing import UNCHANGED
from kobo_api.call import Answer, answer
from kobo_api.caller import by_access_token

UNAVAILABLE = Answer(b"{}", status=503, headers={"retry-after": "3600"})
NOTHING_CHANGED = answer([])
NO_METADATA = answer({"continuationToken": None, "metadata": []})
NO_NOTEBOOKS = answer({"data": [], "totalResults": 0})

CONTENT, USER_STORAGE, NOTEBOOKS = "/api/v3/content", "/api/UserStorage", "/api/internal/notebooks"

logger = logging.getLogger(__name__)
_ANNOTATIONS = re.compile(r"/([^/]{1,64})/annotations/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """A call. `path` begins behind the prefix of its service. `device`: the Kobo that calls, if it is known."""

    method: str
    path: str
    query: str
    device: Device | None = None
    body: bytes = b""


def identified(
    house: House, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes = b""
) -> Request:
    """The call, with who calls. Header names are lower-case."""
    with house.database.read() as session:
        return Request(method, path, query, by_access_token(session, headers), body)


def content(house: House, request: Request) -> Answer:
    """`POST /api/v3/content/checkforchanges`; `GET` and `PATCH` of `/api/v3/content/{id}/annotations`."""
    device = request.device
    if device is None:
        logger.warning("a Kobo that nobody knows asked for annotations")
        return harmless(CONTENT, request.method, request.path)
    annotations = _ANNOTATIONS.fullmatch(request.path)
    if annotations is None:
        return outgoing.check_for_changes(house, device, request.body)
    id = annotations[1].lower()
    if request.method == "GET":
        return outgoing.get(house, device, id, request.query)
    if request.method == "PATCH":
        return incoming.patch(house, device, id, request.body)
    return harmless(CONTENT, request.method, request.path)


def user_storage(house: House, request: Request) -> Answer:
    """`/api/UserStorage/…` → nothing is stored; what is sent is discarded (7.12)."""
    if request.method not in ("GET", "HEAD"):
        return Answer(status=204)
    return NO_METADATA if request.path.lower().strip("/") == "metadata" else answer({})


def notebooks(house: House, request: Request) -> Answer:
    """`/api/internal/notebooks…` → there are none (7.12)."""
    return NO_NOTEBOOKS


Respond = Callable[[House, Request], Answer]
PARTS: dict[str, Respond] = {CONTENT: content, USER_STORAGE: user_storage, NOTEBOOKS: notebooks}


def harmless(prefix: str, method: str, path: str) -> Answer:
    """What to answer when there is no answer: an error of ours must never make a device drop what it holds."""
    is_reading = method in ("GET", "HEAD")
    if prefix == NOTEBOOKS:
        return NO_NOTEBOOKS
    if prefix == USER_STORAGE:
        return answer({}) if is_reading else Answer(status=204)
    if _ANNOTATIONS.fullmatch(path) is None:
        return NOTHING_CHANGED
    return UNCHANGED if is_reading else UNAVAILABLE
