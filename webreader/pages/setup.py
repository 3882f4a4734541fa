"""The first visit: whoever can see the machine's console creates the first person."""

from typing import Any

from litestar import Response
from litestar.types import ControllerRouterHandler

from appliance.accounts import people, setup_code
from appliance.accounts.attempts import Attempts
from appliance.accounts.errors import AccountError
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, show
from webreader.pages.sign_in import signed_in

# One for everybody: the code is the same from wherever it is guessed.
_KEY = "set-up"


@page("/setup", access="public")
def setup_page(request: PageRequest) -> Response[Any]:
    """The form; gone once there is anybody."""
    if _done(request):
        return go_to("/sign-in")
    return show("setup.html", request, name="", code="", problem=None)


@action("/setup", access="public")
def set_up(request: PageRequest, data: Form) -> Response[Any]:
    """Create the first person, an administrator, and sign them in."""
    house = house_of(request)
    attempts: Attempts = request.app.state.attempts
    if _done(request):
        return go_to("/sign-in")
    name, code, password = data.get("name", ""), data.get("code", ""), data.get("password", "")
    now = house.now()

    def again(problem: str, status: int = 400) -> Response[Any]:
        return show("setup.html", request, status, name=name, code=code, problem=problem)

    if attempts.wait(_KEY, now):
        return again("Too many wrong codes. Wait a quarter of an hour, or restart Bookwake for a new one.", 429)
    with house.database.read() as session:
        right = setup_code.is_right(session, code)
    if not right:
        attempts.failed(_KEY, now)
        return again("This is not the set-up code. Bookwake prints it when it starts; copy it from there.", 403)
    if password != data.get("again", ""):
        return again("The two passwords differ. Type the same one twice.")
    try:
        user = people.add_person(house, name, password, is_admin=True, only_first=True)
    except AccountError as error:
        return again(str(error))
    setup_code.renew(house)
    return signed_in(request, user, "/")


def _done(request: PageRequest) -> bool:
    house = house_of(request)
    with house.database.read() as session:
        return people.somebody(session)


routes: list[ControllerRouterHandler] = [setup_page, set_up]
