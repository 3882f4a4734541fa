"""The pages, one file each. All of them work without scripts: links and forms."""

from litestar.types import ControllerRouterHandler

from webreader.pages import setup, sign_in
from webreader.pages.refusal import exception_handlers

routes: list[ControllerRouterHandler] = [*setup.routes, *sign_in.routes]

__all__ = ["exception_handlers", "routes"]
