"""The pages, one file each. All of them work without scripts: links and forms."""

from litestar.types import ControllerRouterHandler

from webreader.pages import (
    book,
    book_acts,
    covers,
    device_requests,
    devices,
    kobo,
    kobo_notes,
    kobo_store,
    koreader,
    library,
    settings,
    setup,
    shelves,
    sign_in,
)
from webreader.pages.refusal import exception_handlers

routes: list[ControllerRouterHandler] = [
    *setup.routes,
    *sign_in.routes,
    *library.routes,
    *book.routes,
    *book_acts.routes,
    *covers.routes,
    *shelves.routes,
    *devices.routes,
    *device_requests.routes,
    *kobo.routes,
    *kobo_store.routes,
    *kobo_notes.routes,
    *koreader.routes,
    *settings.routes,
]

__all__ = ["exception_handlers", "routes"]
