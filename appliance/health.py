"""`/healthz`: the process answers. `/readyz`: it can do its work. Both without signing in, telling nothing else."""

from typing import Any

from litestar import Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from appliance.operations.health import is_ready


def _open(path: str, sync_to_thread: bool) -> HTTPRouteHandler:
    return route(
        path,
        http_method=["GET", "HEAD"],
        opt={"access": "public", "exclude_from_csrf": True},
        sync_to_thread=sync_to_thread,
        include_in_schema=False,
    )


@_open("/healthz", sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process is there."""
    return {"status": "alive"}


@_open("/readyz", sync_to_thread=True)
def readyz(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """The database takes a write and the disk has room: 200, else 503. `bookwake doctor` and the log say what is
    wrong; strangers need not know."""
    if is_ready(request.app.state.house):
        return Response({"status": "ready"})
    return Response({"status": "not ready"}, status_code=503)


routes: list[ControllerRouterHandler] = [healthz, readyz]
