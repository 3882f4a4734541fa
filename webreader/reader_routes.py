"""Everything the reader needs: its page, the book in parts, and the place in it."""

from litestar.types import ControllerRouterHandler

from webreader import entries, manifest, reader_page
from webreader.api import annotations, book_state, progress, reading_time

reader_routes: list[ControllerRouterHandler] = [
    *reader_page.routes,
    *manifest.routes,
    *entries.routes,
    *annotations.routes,
    *book_state.routes,
    *progress.routes,
    *reading_time.routes,
]
