"""Sign in and out."""

from datetime import timedelta
from typing import Any

from litestar import Response
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from appliance.accounts import people, sessions
from appliance.accounts.attempts import Attempts
from appliance.models import User
from webreader.browser_name import browser_name
from webreader.caller import COOKIE, caller, session_cookie
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, show


@page("/sign-in", access="public")
def sign_in_page(request: PageRequest, next: FromQuery[str] = "/") -> Response[Any]:
    """The form; whoever is signed in goes on, and before there is anybody, to the set-up."""
    house = house_of(request)
    with house.database.read() as session:
        if not people.somebody(session):
            return go_to("/setup")
    if caller(request) is not None:
        return go_to(_local(next))
    return show("sign_in.html", request, name="", next=_local(next), problem=None)


@action("/sign-in", access="public")
def sign_in(request: PageRequest, data: Form) -> Response[Any]:
    """Check name and password. Wrong ones are counted per name and address, so that guessing takes for ever."""
    house = house_of(request)
    attempts: Attempts = request.app.state.attempts
    name, password, target = data.get("name", ""), data.get("password", ""), _local(data.get("next", "/"))
    key = ("sign-in", people.name_key(name)[:100], request.client.host if request.client else "")
    now = house.now()
    if wait := attempts.wait(key, now):
        problem = f"Too many wrong attempts. Try again in {_minutes(wait)}."
        return show("sign_in.html", request, 429, name=name, next=target, problem=problem)
    user = people.authenticate(house, name, password)
    if user is None:
        attempts.failed(key, now)
        problem = "Name and password do not fit together. Check both and try again."
        return show("sign_in.html", request, 403, name=name, next=target, problem=problem)
    attempts.succeeded(key)
    return signed_in(request, user, target)


@action("/sign-out")
def sign_out(request: PageRequest) -> Response[Any]:
    """End the session of this browser."""
    house = house_of(request)
    with house.database.write() as session:
        sessions.sign_out(session, request.cookies.get(COOKIE, ""))
    answer = go_to("/sign-in")
    answer.delete_cookie(COOKIE, path="/")
    return answer


def signed_in(request: PageRequest, user: User, target: str) -> Response[Any]:
    """Begin a session for somebody who has proved who they are, and go on."""
    house = house_of(request)
    with house.database.write() as session:
        cookie = sessions.sign_in(house, session, user, browser_name(request.headers.get("user-agent", "")))
    answer = go_to(target)
    answer.set_cookie(session_cookie(request, cookie))
    return answer


def _local(target: str) -> str:
    """Where to go afterwards: only ever a path of ours, whatever the address line said."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable() else "/"


def _minutes(wait: timedelta) -> str:
    minutes = int(wait.total_seconds() // 60) + 1
    return "a minute" if minutes == 1 else f"{minutes} minutes"


routes: list[ControllerRouterHandler] = [sign_in_page, sign_in, sign_out]
