"""`/healthz`: the process answers. `/readyz`: it can do its work. Both without signing in, telling nothing else."""

from typing import Any

from litestar import Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import text

from appliance.house import House


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
    """The database is migrated and takes a write (which is rolled back): 200, else 503."""
    house: House = request.app.state.house
    try:
        with house.database.write() as session:
            # Takes the write lock; nothing is changed, so nothing reaches the disk.
            session.exec(text("UPDATE setting SET value = value WHERE key = ''"))  # type: ignore[call-overload]
    except SQLAlchemyError:
        return Response({"status": "not ready"}, status_code=503)
    return Response({"status": "ready"})


routes: list[ControllerRouterHandler] = [healthz, readyz]
