"""The parts of a book, one at a time: content documents (canonical, neutralised), pictures, fonts, style sheets.

They are served under the hash of the file, so browsers keep them for ever. Opened as a page of its own, a part can do
nothing at all: its own policy forbids everything.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from appliance.accounts.sessions import SignedIn
from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.errors import BookError
from appliance.house import House
from appliance.library.renditions import path_of
from webreader.addresses import CONTENT_VERSION, Addresses
from webreader.content import canonical_document, neutral_image
from webreader.fonts import unmask
from webreader.media_types import CSS_TYPE, DOCUMENT_TYPE, SVG_TYPE, served_type
from webreader.publication import publication
from webreader.style_sheets import neutral_style_sheet

HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=31536000, immutable",
}
PREFIX = f"/books/{{sha256:str}}/{CONTENT_VERSION}"

EntryRequest = Request[SignedIn, Any, Any]


@get(PREFIX + "/document/{path:path}", opt={"access": "person"}, sync_to_thread=True, include_in_schema=False)
def document(request: EntryRequest, sha256: FromPath[str], path: FromPath[str]) -> Response[Any]:
    """A content document as canonical XHTML."""
    name = path.removeprefix("/")
    file = _file(request, sha256)
    tag = _tag(sha256)
    if _is_known(request, tag):
        return _unchanged(tag)
    try:
        declared = publication(file, sha256).types.get(name)
        if declared is None:
            raise NotFoundException("The book has no such document.")
        with Archive(file) as archive:
            data = archive.read(name, MAX_MARKUP)
            page = canonical_document(data, declared, Addresses(sha256, name, archive.find))
    except (BookError, OSError) as error:
        raise NotFoundException(_sentence(error)) from None
    return Response(page, media_type=f"{DOCUMENT_TYPE}; charset=utf-8", headers={**HEADERS, "ETag": tag})


@get(PREFIX + "/entry/{path:path}", opt={"access": "person"}, sync_to_thread=True, include_in_schema=False)
def entry(request: EntryRequest, sha256: FromPath[str], path: FromPath[str]) -> Response[Any]:
    """What a content document loads. Scripts, pages and everything unknown are refused."""
    name = path.removeprefix("/")
    file = _file(request, sha256)
    tag = _tag(sha256)
    if _is_known(request, tag):
        return _unchanged(tag)
    try:
        book = publication(file, sha256)
        media_type = served_type(name, book.types.get(name))
        if media_type is None:
            raise NotFoundException("Parts of this kind are not given to browsers.")
        headers = {**HEADERS, "ETag": tag}
        if media_type in (CSS_TYPE, SVG_TYPE):
            with Archive(file) as archive:
                addresses = Addresses(sha256, name, archive.find)
                data = archive.read(name, MAX_MARKUP)
            if media_type == CSS_TYPE:
                sheet = neutral_style_sheet(data, addresses.resource)
                return Response(sheet.encode(), media_type=CSS_TYPE, headers=headers)
            return Response(neutral_image(data, addresses), media_type=SVG_TYPE, headers=headers)
        with Archive(file) as archive:
            headers["Content-Length"] = str(archive.size(name))
        return Stream(_chunks(file, name, book.masks.get(name)), media_type=media_type, headers=headers)
    except (BookError, OSError) as error:
        raise NotFoundException(_sentence(error)) from None


def _chunks(file: Path, name: str, mask: bytes | None) -> Iterator[bytes]:
    with Archive(file) as archive:
        for chunk in archive.chunks(name):
            # The mask is shorter than a chunk, and only the beginning of a font is masked.
            yield unmask(chunk, mask) if mask else chunk
            mask = None


def _file(request: EntryRequest, sha256: str) -> Path:
    house: House = request.app.state.house
    with house.database.read() as session:
        file = path_of(house, session, sha256)
    if file is None:
        raise NotFoundException("The file of this book is not in the library any more.")
    return file


def _tag(sha256: str) -> str:
    # The address names the part already, so the file and the way it is served say whether it changed.
    return f'"{sha256[:32]}-{CONTENT_VERSION}"'


def _is_known(request: EntryRequest, tag: str) -> bool:
    return tag in (part.strip() for part in request.headers.get("if-none-match", "").split(","))


def _unchanged(tag: str) -> Response[Any]:
    return Response(None, status_code=304, headers={**HEADERS, "ETag": tag})


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, BookError) else "The file of this book cannot be read."


routes: list[ControllerRouterHandler] = [document, entry]
