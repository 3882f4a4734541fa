"""Under which addresses this machine is reached."""

import socket
from typing import TYPE_CHECKING, Any

from appliance.settings import Settings

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

EVERYWHERE = {"0.0.0.0", "::", ""}


def public_url(settings: Settings) -> str:
    """What a device is told to call, without a trailing slash: as set, else by the address this machine has in its
    network."""
    return settings.public_url or f"http://{_host(settings.host)}:{settings.port}"


def base_url(settings: Settings, connection: "ASGIConnection[Any, Any, Any, Any]") -> str:
    """Under which address devices reach us: as set, else the one that this caller used; without a trailing slash."""
    return settings.public_url or f"{connection.url.scheme}://{connection.url.netloc}"


def kosync_url(base: str) -> str:
    """The KOSync server to enter in KOReader, below the public URL."""
    return f"{base}/kosync"


def kobo_url(base: str, token: str) -> str:
    """What a Kobo's `api_endpoint` must be (kobo-protocol.md 1)."""
    return f"{base}/kobo/{token}"


def _host(host: str) -> str:
    if host in EVERYWHERE:
        host = network_address() or "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def network_address() -> str | None:
    """This machine's address in its network, `None` without a network. Sends nothing: connecting a UDP socket only
    picks the route. The address is one reserved for documentation."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
