"""The devices of whoever is signed in: add, rename, remove, and what each has to be told."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Response
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from appliance.accounts import devices
from appliance.accounts.devices import NewDevice
from appliance.accounts.errors import AccountError
from appliance.addresses import EVERYWHERE, base_url, kobo_url, kosync_url, network_address
from appliance.library.file_links import links_of
from appliance.models import User
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, person, show

OFFERED = ("kobo", "kosync")


@page("/devices")
def devices_page(request: PageRequest) -> Response[Any]:
    """The list. Clients of a KOSync login stand below it."""
    house, owner = house_of(request), person(request)
    with house.database.read() as session:
        mine = devices.of_person(session, owner.user_id)
        unknown = sum(link.book_id is None for link in links_of(session, owner.user_id))
    clients = {device.id: [other for other in mine if other.parent_id == device.id] for device in mine}
    return show(
        "devices.html",
        request,
        devices=[device for device in mine if device.parent_id is None],
        clients=clients,
        here=owner.device_id,
        unknown_files=unknown,
        **reach(request),
    )


@action("/devices")
def add(request: PageRequest, data: Form) -> Response[Any]:
    """Add a device and show, this once, what it has to be told."""
    house, owner = house_of(request), person(request)
    if data.get("kind") not in OFFERED:
        raise AccountError("That is no kind of device that can be added here. Choose one of those offered.")
    with house.database.write() as session:
        user = session.get_one(User, owner.user_id)
        added = devices.add_device(house, session, user, data["kind"], data.get("name"))
    return _told(request, added)


@action("/devices/{device_id:int}/renew")
def renew(request: PageRequest, device_id: FromPath[int]) -> Response[Any]:
    """Give a device new secrets in place of lost ones."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        renewed = devices.renew(session, owner.user_id, device_id)
    return _told(request, renewed)


@action("/devices/{device_id:int}/rename")
def rename(request: PageRequest, device_id: FromPath[int], data: Form) -> Response[Any]:
    """Call a device something else."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        devices.rename(session, owner.user_id, device_id, data.get("name", ""))
    return go_to("/devices")


@action("/devices/{device_id:int}/remove")
def remove(request: PageRequest, device_id: FromPath[int]) -> Response[Any]:
    """Shut a device out; what was read on it stays."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        devices.revoke(house, session, owner.user_id, device_id)
    return go_to("/devices")


def _told(request: PageRequest, added: NewDevice) -> Response[Any]:
    base = base_url(house_of(request).settings, request)
    return show(
        "device_added.html",
        request,
        device=added.device,
        endpoint=kobo_url(base, added.token) if added.token else None,
        server=kosync_url(base),
        login=added.login,
        password=added.password,
        **reach(request),
    )


def reach(request: PageRequest) -> dict[str, Any]:
    """Whether the address in use means the very machine that asks, so that no other could use it, and a better one."""
    settings = house_of(request).settings
    host = urlsplit(base_url(settings, request)).hostname or ""
    only_here = host in ("localhost", "::1") or host.startswith("127.")
    address = network_address() if only_here and settings.host in EVERYWHERE else None
    return {"only_here": only_here, "better": f"http://{address}:{settings.port}/devices" if address else None}


routes: list[ControllerRouterHandler] = [devices_page, add, renew, rename, remove]
