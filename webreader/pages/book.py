"""One book: what it is, how far each device is in it, and the way into it."""

from typing import Any

from litestar import Response
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import File
from litestar.types import ControllerRouterHandler

from appliance.library.renditions import path_of
from appliance.models import Rendition
from appliance.reading import bookcase
from webreader.pages.covers import cover_address
from webreader.pages.page import PageRequest, house_of, page, person, show


@page("/book/{book_id:str}")
def book(request: PageRequest, book_id: FromPath[str]) -> Response[Any]:
    """The page of a book. One whose file is away still shows how far it was read."""
    house, reader = house_of(request), person(request)
    with house.database.read() as session:
        shown = bookcase.one_book(session, reader.user_id, book_id)
        if shown is None:
            raise NotFoundException
        main = shown.book.main_sha256
        rendition = session.get(Rendition, main) if main else None
        file = path_of(house, session, main) if main else None
        devices = bookcase.on_devices(session, reader.user_id, book_id)
    return show(
        "book.html",
        request,
        book=shown.book,
        progress=shown.progress,
        finished=shown.is_finished,
        devices=devices,
        size=rendition.size if rendition else 0,
        doubts=rendition.doubts if rendition else [],
        is_there=file is not None,
        cover=cover_address(shown.book, "large.jpg"),
    )


@page("/book/{book_id:str}/download")
def download(request: PageRequest, book_id: FromPath[str]) -> Response[Any]:
    """The file of a book as it lies in the book folder."""
    house, reader = house_of(request), person(request)
    with house.database.read() as session:
        shown = bookcase.one_book(session, reader.user_id, book_id)
        main = shown.book.main_sha256 if shown else None
        file = path_of(house, session, main) if main else None
    if file is None:
        raise NotFoundException
    return File(file, filename=file.name, media_type="application/epub+zip")


routes: list[ControllerRouterHandler] = [book, download]
