"""Covers in the two sizes that the pages show."""

from typing import Any

from litestar import Response
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from appliance.library.covers import WALL, cover, picture_id
from appliance.models import Book
from webreader.pages.page import PageRequest, house_of, page

SIZES = {"small.jpg": WALL, "large.jpg": (720, 1080)}
"""Twice the pixels that the pages give them, for fine screens."""


def cover_address(book: Book, size: str = "small.jpg") -> str:
    """Where the cover of a book as it is now is served; another picture has another address."""
    return f"/book/{book.id}/cover/{picture_id(book)[:16]}/{size}"


@page("/book/{book_id:str}/cover/{picture:str}/{size:str}")
def book_cover(request: PageRequest, book_id: FromPath[str], size: FromPath[str]) -> Response[Any]:
    """The picture. Its address names what is in it, so browsers keep it for ever."""
    house = house_of(request)
    if size not in SIZES:
        raise NotFoundException
    with house.database.read() as session:
        path = cover(house, session, book_id, *SIZES[size])
    if path is None:
        raise NotFoundException
    return Response(
        path.read_bytes(),
        media_type="image/jpeg",
        headers={"Cache-Control": "private, max-age=31536000, immutable"},
    )


routes: list[ControllerRouterHandler] = [book_cover]
