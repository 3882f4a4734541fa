"""What a device asked lately: to look at, and as text for a report of a bug."""

from typing import Any

from litestar import Response
from litestar.enums import MediaType
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from appliance import __version__
from appliance.accounts import devices
from appliance.accounts.recent_calls import RecentCall, RecentCalls
from appliance.models import Device
from webreader.pages.page import PageRequest, house_of, page, person, show


@page("/devices/{device_id:int}/requests")
def requests_page(request: PageRequest, device_id: FromPath[int]) -> Response[Any]:
    """The list, newest first."""
    device, calls = _of(request, device_id)
    return show("device_requests.html", request, device=device, calls=calls)


@page("/devices/{device_id:int}/requests.txt")
def requests_text(request: PageRequest, device_id: FromPath[int]) -> Response[Any]:
    """The same as a file."""
    device, calls = _of(request, device_id)
    return Response(
        as_text(device, calls),
        media_type=MediaType.TEXT,
        headers={
            "Content-Disposition": f'attachment; filename="bookwake-device-{device_id}.txt"',
            "Cache-Control": "no-store",
        },
    )


def as_text(device: Device, calls: list[RecentCall]) -> str:
    """Lines for people who look for a fault; nothing in them is secret. The name that its owner gave a device is left
    out too."""
    model, firmware = (str(device.details.get(name, "?")) for name in ("model", "firmware"))
    failure = device.details.get("last_failure")
    lines = [f"Bookwake {__version__}; {device.kind} {model}, firmware {firmware}"]
    if isinstance(failure, dict):
        lines.append(f"The device said at {failure.get('at')} that a sync failed: {failure.get('reason')}")
    lines.append("time (UTC)           method status   ms  received     sent  path")
    for call in reversed(calls):
        note = f"  [{call.note}]" if call.note else ""
        lines.append(
            f"{call.at:%Y-%m-%d %H:%M:%S}  {call.method:6} {call.status:6} {call.milliseconds:4} {call.received:9}"
            f" {call.sent:8}  {call.path}{note}"
        )
    return "\n".join(lines) + "\n"


def _of(request: PageRequest, device_id: int) -> tuple[Device, list[RecentCall]]:
    house, owner = house_of(request), person(request)
    with house.database.read() as session:
        device = devices.get(session, owner.user_id, device_id)
    recent: RecentCalls = request.app.state.recent_calls
    return device, recent.of(device_id)


routes: list[ControllerRouterHandler] = [requests_page, requests_text]
