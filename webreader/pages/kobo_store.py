"""Whether a Kobo goes on buying at the Kobo store."""

from typing import Any

from litestar import Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from appliance.accounts import devices
from appliance.accounts.errors import AccountError
from appliance.models import Device, KoboStore
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, person, show


@page("/devices/{device_id:int}/store")
def store_page(request: PageRequest, device_id: FromPath[int]) -> Response[Any]:
    """What it means, and the switch."""
    house, owner = house_of(request), person(request)
    with house.database.read() as session:
        device = _kobo(session, owner.user_id, device_id)
        kept = session.get(KoboStore, device_id)
    return show("kobo_store.html", request, device=device, is_on=kept is not None and kept.is_on)


@action("/devices/{device_id:int}/store")
def switch(request: PageRequest, device_id: FromPath[int], data: Form) -> Response[Any]:
    """Switch it on or off. `store`: on for on. How far the device is with the store stays known."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        _kobo(session, owner.user_id, device_id)
        kept = session.get(KoboStore, device_id) or KoboStore(device_id=device_id)
        kept.is_on = data.get("store") == "on"
        session.add(kept)
    return go_to(f"/devices/{device_id}/store")


def _kobo(session: Session, user_id: int, device_id: int) -> Device:
    device = devices.get(session, user_id, device_id)
    if device.kind != "kobo" or device.parent_id is not None:
        raise AccountError("Only a Kobo has a store. Choose one of your Kobos on the devices page.")
    return device


routes: list[ControllerRouterHandler] = [store_page, switch]
