"""What the reader must know of a book to open it: its documents in reading order, and its table of contents."""

import re
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from appliance.accounts.sessions import SignedIn
from appliance.epub.errors import BookError
from appliance.house import House
from appliance.library.renditions import open_rendition, path_of
from appliance.models import Book, Rendition
from appliance.positions import BookSummary
from webreader.addresses import document_address
from webreader.publication import Publication, publication


class Section(Struct):
    """A document of the spine. `path`: entry name, empty when the spine names nothing there; `address`: where to load
    it; `cfi`: its part of a CFI; `length`: canonical characters; `spread`: side of a fixed page."""

    path: str
    address: str
    cfi: str
    length: int
    linear: bool
    spread: str | None


class Line(Struct):
    """A line of the table of contents. `href`: `/` and a path in the book, with the fragment if there is one, both
    percent-encoded; `None` for a mere heading."""

    label: str
    href: str | None
    subitems: list["Line"]


class Manifest(Struct):
    """A book for the reader. `direction`: ltr, rtl or empty; `fixed`: pages of a fixed layout."""

    sha256: str
    title: str
    authors: list[str]
    language: str
    direction: str
    fixed: bool
    sections: list[Section]
    contents: list[Line]


@get("/api/books/{book_id:str}/manifest", opt={"access": "person"}, sync_to_thread=True)
def manifest(request: Request[SignedIn, Any, Any], book_id: FromPath[str]) -> Response[Manifest]:
    """The book's reference rendition, as the reader opens it."""
    house: House = request.app.state.house
    with house.database.read() as session:
        book = session.get(Book, book_id)
        sha256 = book.main_sha256 if book else None
        rendition = session.get(Rendition, sha256) if sha256 else None
        if book is None or sha256 is None or rendition is None:
            raise NotFoundException("There is no such book in the library.")
        file = path_of(house, session, sha256)
        opened = open_rendition(house, session, sha256)
    if file is None or opened is None:
        raise NotFoundException("The file of this book is not in the library any more.")
    try:
        described = describe(book, rendition, opened.summary, publication(file, sha256))
    except (BookError, OSError) as error:
        raise NotFoundException(str(error)) from None
    return Response(described, headers={"Cache-Control": "no-store"})


def describe(book: Book, rendition: Rendition, summary: BookSummary, parts: Publication) -> Manifest:
    """The manifest of one rendition."""
    sha256 = rendition.sha256
    spine = f"/{summary.spine_step}{_assertion(summary.spine_id)}"
    sections = [
        Section(
            path=document.path,
            address=document_address(sha256, document.path),
            cfi=f"epubcfi({spine}/{document.cfi_step}{_assertion(document.cfi_id)})",
            length=document.length,
            linear=document.linear,
            spread=parts.spreads.get(document.ordinal),
        )
        for document in summary.documents
    ]
    contents = [_line(entry) for entry in rendition.contents]
    return Manifest(sha256, book.title, book.authors, book.language, parts.direction, parts.fixed, sections, contents)


def _line(entry: dict[str, Any]) -> Line:
    path, fragment = entry.get("path") or "", entry.get("fragment") or ""
    href = f"/{quote(path)}" + (f"#{quote(fragment)}" if fragment else "") if path else None
    return Line(str(entry.get("title") or ""), href, [_line(child) for child in entry.get("children") or []])


def _assertion(identifier: str | None) -> str:
    """The id of a step as a CFI writes it (EPUB CFI 1.1, 2.3 "character escaping")."""
    return "[" + re.sub(r"[\^\[\](),;=]", r"^\g<0>", identifier) + "]" if identifier else ""


routes: list[ControllerRouterHandler] = [manifest]
