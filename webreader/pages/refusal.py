"""What a person or a script is told when a request cannot be answered: plain words, nothing of our insides."""

import logging
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.types import ExceptionHandlersMap

from appliance.accounts.errors import AccountError
from appliance.library.shelves import ShelfError
from webreader.pages.page import go_to, show

log = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]

WORDS = {
    400: ("This request cannot be understood", "Go back and try again."),
    401: ("You are not signed in", "Sign in first."),
    403: ("This was not done", "Reload the page and try again; if that does not help, it is not yours to do."),
    404: ("There is nothing here", "It may have been moved or removed. Start again from the library."),
    405: ("This address does not do that", "Start again from the library."),
    413: ("That is too much at once", "Send something smaller."),
    429: ("Too many attempts", "Wait some minutes and try again."),
    500: ("Something went wrong here", "It is written in the log. Try again; if it stays, look there."),
    503: ("Not possible just now", "Wait a moment and try again."),
}

_PLACES = ("devices", "shelves", "settings")  # where a person goes on after an act there was refused


def refuse(request: AnyRequest, error: Exception) -> Response[Any]:
    """The answer to a request that failed: JSON for scripts, a page for people, the way to sign-in for strangers."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500:
        # The pattern of the route, not the path: a Kobo's path holds its token.
        handler = request.scope.get("route_handler")
        log.error("%s %s failed", request.method, sorted(handler.paths) if handler else "?", exc_info=error)
    what, remedy = WORDS.get(status, WORDS[500] if status >= 500 else WORDS[400])
    if not _is_for_a_person(request):
        return Response({"error": what, "remedy": remedy}, status_code=status, headers=_headers(error))
    if isinstance(error, NotAuthorizedException) and request.method in ("GET", "HEAD"):
        return go_to(f"/sign-in?next={quote(request.url.path)}")
    return show("refusal.html", request, status, what=what, remedy=remedy, onward="/", place="library")


def refuse_act(request: AnyRequest, error: AccountError | ShelfError) -> Response[Any]:
    """A request about a person, a device or a shelf that cannot be carried out, which says why by itself."""
    what, _, remedy = str(error).partition(". ")
    place = next((place for place in _PLACES if request.url.path.startswith(f"/{place}")), "library")
    onward = "/" if place == "library" else f"/{place}"
    return show("refusal.html", request, 400, what=what, remedy=remedy, onward=onward, place=place)


def _is_for_a_person(request: AnyRequest) -> bool:
    return "text/html" in request.headers.get("accept", "") and not f"{request.url.path}/".startswith("/api/")


def _headers(error: Exception) -> dict[str, str]:
    return dict(getattr(error, "headers", None) or {})


exception_handlers: ExceptionHandlersMap = {AccountError: refuse_act, ShelfError: refuse_act, Exception: refuse}
