"""The page of the reader. Its policy is the second layer that keeps a book's scripts and requests from happening."""

import secrets
from typing import Any

from litestar import Request, Response, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from appliance.accounts.sessions import SignedIn
from appliance.house import House
from appliance.models import Book


def policy(nonce: str) -> str:
    """What the page, and the frames that show a book in it, may load and run.

    Frames inherit the policy. Scripts need the nonce, so nothing that a book could name is one. `frame-ancestors` must
    not be 'none': WebKit would leave the book's frames empty.
    """
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' blob: 'unsafe-inline';"
        " img-src blob: data:; font-src blob: data:; media-src blob:; frame-src blob:; child-src blob:;"
        " connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


@route(
    "/read/{book_id:str}",
    http_method=["GET", "HEAD"],
    opt={"access": "person"},
    sync_to_thread=True,
    include_in_schema=False,
)
def reader(request: Request[SignedIn, Any, Any], book_id: FromPath[str]) -> Response[Any]:
    """The reader, on one book. It asks for everything else itself."""
    house: House = request.app.state.house
    with house.database.read() as session:
        book = session.get(Book, book_id)
    if book is None or book.main_sha256 is None:
        raise NotFoundException("There is no such book in the library.")
    nonce = secrets.token_urlsafe(16)
    return Template(
        "reader.html",
        context={"book": book, "device_id": request.user.device_id, "nonce": nonce},
        headers={"Content-Security-Policy": policy(nonce), "Cache-Control": "no-store"},
    )


routes: list[ControllerRouterHandler] = [reader]
