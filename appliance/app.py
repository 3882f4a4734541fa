"""The appliance as one ASGI app: the surfaces' routes, who may call them, and what every answer carries."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.router import Router
from litestar.types import ControllerRouterHandler, Message, Scope

import kobo_api
import koreader_api
from appliance import __version__, health, sweeps
from appliance.access import CSRF_EXEMPT, guard, refuse_open_doors
from appliance.accounts.attempts import Attempts
from appliance.accounts.recent_calls import RecentCalls
from appliance.house import House
from appliance.models import Setting
from webreader import pages
from webreader.reader_routes import reader_routes
from webreader.templating import page_templates, static_files

# What every answer carries unless its handler said otherwise, as the reader does.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class _Application(Litestar):
    """Without what Litestar brings for handlers that take models of Pydantic or attrs. There are none, and Pydantic's
    old version alone, imported for them, costs a third of a second and 7 MB."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def create_app(house: House) -> Litestar:
    """The app; the sweeps run while it does. Raises `OpenDoor` when a route does not say who may call it."""
    app = _Application(
        route_handlers=[_routes()],
        guards=[guard],
        lifespan=[_sweeping],
        csrf_config=CSRFConfig(
            secret=_csrf_secret(house),
            cookie_name="bookwake-csrf",
            cookie_samesite="lax",
            exclude_from_csrf_key=CSRF_EXEMPT,
        ),
        exception_handlers=pages.exception_handlers,
        openapi_config=OpenAPIConfig(
            title="Bookwake",
            version=__version__,
            openapi_router=Router("/api", route_handlers=[], opt={"access": "person"}, include_in_schema=False),
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        before_send=[_add_headers],
        state=State({"house": house, "attempts": Attempts(), "recent_calls": RecentCalls()}),
        template_config=page_templates(),
        logging_config=None,
    )
    refuse_open_doors(app)
    return app


def _routes() -> Router:
    """Every route, in one router: registered one by one, Litestar 2.25 wraps a threaded handler again whenever another
    handler with the same path follows, and then answers with a coroutine."""
    surfaces: list[ControllerRouterHandler] = [*kobo_api.routes, *koreader_api.routes, *pages.routes, *reader_routes]
    return Router("/", route_handlers=[*surfaces, *health.routes, static_files()])


@asynccontextmanager
async def _sweeping(app: Litestar) -> AsyncIterator[None]:
    app.state.scheduler = scheduler = sweeps.start(app.state.house)
    try:
        yield
    finally:
        scheduler.stop()


async def _add_headers(message: Message, _scope: Scope) -> None:
    if message["type"] == "http.response.start":
        headers = list(message.get("headers", ()))
        said = {name.lower() for name, _ in headers}
        message["headers"] = headers + [header for header in _HEADERS if header[0] not in said]


def _csrf_secret(house: House) -> str:
    """The key that signs form tokens: made at the first start, so that forms survive a restart."""
    with house.database.write() as session:
        setting = session.get(Setting, "csrf_secret")
        if setting is None:
            setting = Setting(key="csrf_secret", value=secrets.token_hex(32))
            session.add(setting)
        return setting.value
