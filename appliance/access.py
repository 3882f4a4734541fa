"""Deny by default: each route says who may call it, or the appliance does not start.

A handler (or its router) carries `opt={"access": …}`, one of `POLICIES`. People are recognised here by their session
cookie. Routes for devices are guarded by their surface, which knows what a refusal looks like to its client; the name
of the policy documents it, and the authorization matrix in the tests checks it from outside.
"""

from typing import Any

from litestar import Litestar
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.routes import ASGIRoute, HTTPRoute, WebSocketRoute

from webreader.caller import caller

POLICIES = {
    "public": "anyone",
    "person": "whoever is signed in",
    "admin": "an administrator who is signed in",
    "kobo": "a Kobo by the token in its URL",
    "kosync": "a KOSync client by its login",
    "plugin": "a KOReader with our plugin by its token",
}
CSRF_EXEMPT = "exclude_from_csrf"
"""Set in `opt` where the caller proves itself in each request: no browser can be tricked into sending that along."""


class OpenDoor(Exception):
    """A route does not say who may call it."""


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let in whom the route's policy names; `connection.user` is the person afterwards, or `None`."""
    access = handler.opt.get("access")
    connection.scope["user"] = None
    if access not in ("person", "admin"):
        if access not in POLICIES:
            raise PermissionDeniedException
        return
    person = await sync_to_thread(caller, connection)
    if person is None:
        raise NotAuthorizedException("Sign in first.")
    if access == "admin" and not person.is_admin:
        raise PermissionDeniedException("Only an administrator may do this.")
    connection.scope["user"] = person


def refuse_open_doors(app: Litestar) -> None:
    """Raises `OpenDoor` for a route without a policy, or with one that contradicts its protection against forgery."""
    for path, handler in handlers(app):
        access = handler.opt.get("access")
        if access not in POLICIES:
            raise OpenDoor(f"The route {path} does not say who may call it: opt access is {access!r}.")
        exempt = bool(handler.opt.get(CSRF_EXEMPT))
        if access != "public" and exempt != (access not in ("person", "admin")):
            raise OpenDoor(f"The route {path} for {access} must {'not ' if exempt else ''}set {CSRF_EXEMPT}.")


def handlers(app: Litestar) -> list[tuple[str, BaseRouteHandler]]:
    """Every path with each handler on it, except the answers to OPTIONS that Litestar adds by itself."""
    found: list[tuple[str, BaseRouteHandler]] = []
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            found += [(route.path, handler) for handler in route.route_handlers if handler.http_methods != {"OPTIONS"}]
        elif isinstance(route, ASGIRoute | WebSocketRoute):
            found.append((route.path, route.route_handler))
    return found
