"""Whether a Kobo goes on buying at the Kobo store."""

from typing import Any

from litestar import Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from appliance.models import KoboStore
from webreader.pages.kobo import kobo_of
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, person, show


@page("/devices/{device_id:int}/store")
def store_page(request: PageRequest, device_id: FromPath[int]) -> Response[Any]:
    """What it means, and the switch."""
    house, owner = house_of(request), person(request)
    with house.database.read() as session:
        device = kobo_of(session, owner.user_id, device_id)
        kept = session.get(KoboStore, device_id)
    return show("kobo_store.html", request, device=device, is_on=kept is not None and kept.is_on)


@action("/devices/{device_id:int}/store")
def switch(request: PageRequest, device_id: FromPath[int], data: Form) -> Response[Any]:
    """Switch it on or off. `store`: on for on. How far the device is with the store stays known."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        kobo_of(session, owner.user_id, device_id)
        kept = session.get(KoboStore, device_id) or KoboStore(device_id=device_id)
        kept.is_on = data.get("store") == "on"
        session.add(kept)
    return go_to(f"/devices/{device_id}/store")


routes: list[ControllerRouterHandler] = [store_page, switch]
