"""Highlights and notes on a Kobo: whether those made elsewhere are brought to it, and what does not get there."""

from typing import Any

from litestar import Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from appliance.models import User
from appliance.reading.annotations.kobo_notes import notes_on
from webreader.pages.kobo import kobo_of
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, person, show


@page("/devices/{device_id:int}/notes")
def kobo_notes_page(request: PageRequest, device_id: FromPath[int]) -> Response[Any]:
    """The switch, which is for all Kobos of the person, and the books of this one."""
    house, owner = house_of(request), person(request)
    with house.database.read() as session:
        device = kobo_of(session, owner.user_id, device_id)
        pushes = session.get_one(User, owner.user_id).kobo_pushes
        books = notes_on(session, device_id)
    return show("kobo_notes.html", request, device=device, pushes=pushes, books=books)


@action("/devices/{device_id:int}/notes")
def switch(request: PageRequest, device_id: FromPath[int], data: Form) -> Response[Any]:
    """Bring notes from elsewhere to the person's Kobos, or no longer."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        kobo_of(session, owner.user_id, device_id)
        session.get_one(User, owner.user_id).kobo_pushes = data.get("pushes") == "yes"
    return go_to(f"/devices/{device_id}/notes")


routes: list[ControllerRouterHandler] = [kobo_notes_page, switch]
