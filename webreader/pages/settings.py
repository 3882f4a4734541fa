"""Settings: one's own password; for an administrator the people, the book files with a problem, and the sweeps."""

from typing import Any

from litestar import Response
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from appliance import __version__
from appliance.accounts import passwords, people, sessions
from appliance.accounts.errors import AccountError
from appliance.addresses import base_url
from appliance.library.books import refused_files
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, person, show

MOST_PROBLEMS = 200
"""Shown at once; the command line lists all."""


@page("/settings")
def settings_page(request: PageRequest, done: FromQuery[str] = "") -> Response[Any]:
    """The page. `done`: what was just done, by name."""
    return _settings(request, done=done)


@action("/settings/password")
def change_password(request: PageRequest, data: Form) -> Response[Any]:
    """Another password for oneself; other browsers are signed out."""
    house, reader = house_of(request), person(request)
    with house.database.read() as session:
        user = people.by_name(session, reader.name)
    if user is None or not passwords.is_right(user.password_hash, data.get("current", "")):
        return _settings(request, 403, password_problem="The current password is another one. Type it again.")
    if data.get("password", "") != data.get("again", ""):
        return _settings(request, 400, password_problem="The two new passwords differ. Type the same one twice.")
    try:
        people.change_password(house, reader.user_id, data.get("password", ""))
    except AccountError as error:
        return _settings(request, 400, password_problem=str(error))
    with house.database.write() as session:
        sessions.sign_out_everywhere_else(session, reader.user_id, reader.device_id)
    return go_to("/settings?done=password")


@action("/settings/people", access="admin")
def add_person(request: PageRequest, data: Form) -> Response[Any]:
    """Add somebody to the household."""
    try:
        people.add_person(
            house_of(request), data.get("name", ""), data.get("password", ""), is_admin=data.get("admin") == "yes"
        )
    except AccountError as error:
        return _settings(request, 400, people_problem=str(error))
    return go_to("/settings?done=person")


@action("/settings/sweeps/{name:str}", access="admin")
def run_sweep(request: PageRequest, name: FromPath[str]) -> Response[Any]:
    """Run a sweep as soon as the one that runs has ended."""
    try:
        request.app.state.scheduler.run_soon(name)
    except KeyError:
        raise AccountError("There is no such sweep. Choose one of those listed.") from None
    return go_to("/settings?done=sweep")


def _settings(request: PageRequest, status: int = 200, **context: Any) -> Response[Any]:
    house, reader = house_of(request), person(request)
    with house.database.read() as session:
        everybody = people.everybody(session) if reader.is_admin else []
        problems = refused_files(session)[:MOST_PROBLEMS] if reader.is_admin else []
    given = {"done": "", "password_problem": None, "people_problem": None}
    return show(
        "settings.html",
        request,
        status,
        everybody=everybody,
        problems=problems,
        sweeps=request.app.state.scheduler.states() if reader.is_admin else [],
        folders=house.settings.books,
        address=base_url(house.settings, request),
        version=__version__,
        **{**given, **context},
    )


routes: list[ControllerRouterHandler] = [settings_page, change_password, add_person, run_sweep]
