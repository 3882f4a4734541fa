"""What every page has in common: how its route is declared and what its template is given."""

from typing import Annotated, Any

from litestar import Request, route
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body
from litestar.response import Redirect, Template

from appliance.accounts.sessions import SignedIn
from appliance.house import House
from webreader.pages.words import ago, day, duration, moment, percent, stars, until, zone_of

MAX_FORM = 64 * 1024
"""Bytes that a form may hold; a page has short fields only."""

PageRequest = Request[SignedIn | None, Any, Any]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


def page(path: str, access: str = "person") -> HTTPRouteHandler:
    """A route that shows a page. HEAD answers like GET without the body."""
    return route(
        path, http_method=["GET", "HEAD"], opt={"access": access}, sync_to_thread=True, include_in_schema=False
    )


def action(path: str, access: str = "person") -> HTTPRouteHandler:
    """A route that takes a form and does what it asks for."""
    return route(
        path,
        http_method=["POST"],
        opt={"access": access},
        sync_to_thread=True,
        include_in_schema=False,
        status_code=200,
        request_max_body_size=MAX_FORM,
    )


def show(template: str, request: PageRequest, status_code: int = 200, **context: Any) -> Template:
    """A page from its template. Pages hold private things, so nothing between us and the browser keeps them."""
    user: SignedIn | None = request.scope.get("user")
    now = house_of(request).now()
    zone = zone_of(user.time_zone if user else "")
    given = {
        "user": user,
        "path": request.url.path,
        "percent": percent,
        "duration": duration,
        "stars": stars,
        "moment": lambda then: moment(then, now, zone),
        "ago": lambda then: ago(then, now, zone),
        "until": lambda then: until(then, now, zone),
        "day": lambda then: day(then, zone),
    }
    return Template(
        template, context={**given, **context}, status_code=status_code, headers={"Cache-Control": "no-store"}
    )


def person(request: PageRequest) -> SignedIn:
    """Who is signed in, on a route that lets nobody else in."""
    assert request.user is not None, "the guard let nobody through"
    return request.user


def house_of(request: PageRequest) -> House:
    """The house we are in."""
    house: House = request.app.state.house
    return house


def go_to(path: str) -> Redirect:
    """Send the browser on to a page of ours, with GET whatever it did here."""
    return Redirect(path, status_code=303)
