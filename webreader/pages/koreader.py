"""KOReader: the ways to add one, and the files on them that are no book here yet."""

from typing import Any

from litestar import Response
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from appliance.accounts import pairing
from appliance.accounts.attempts import Attempts
from appliance.accounts.errors import AccountError
from appliance.addresses import base_url
from appliance.library import books, file_links
from appliance.models import Book, FileLink
from webreader.pages.devices import reach
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, person, show

FOUND = 20  # books that a search shows
FILES = 200  # that are shown at once


@page("/devices/koreader")
def koreader_page(request: PageRequest) -> Response[Any]:
    """With our plugin by a zip, by a code typed there or by one typed here; or with KOReader's own progress sync."""
    return _shown(request)


@action("/devices/koreader/code")
def offer_code(request: PageRequest, data: Form) -> Response[Any]:
    """A code to type on the reader."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        code, ends = pairing.offer_code(house, session, owner.user_id, data.get("name"))
    return _shown(request, code=code, ends=ends)


@action("/devices/koreader/accept")
def accept(request: PageRequest, data: Form) -> Response[Any]:
    """The code that a reader shows. A wrong one can be mended in place."""
    house, owner = house_of(request), person(request)
    attempts: Attempts = request.app.state.attempts
    key, typed = ("pair-accept", owner.user_id), data.get("code", "")
    if attempts.wait(key, house.now()):
        problem = "Too many wrong codes. Wait some minutes, then type the one that the KOReader shows."
        return _shown(request, 429, problem=problem, typed=typed)
    try:
        with house.database.write() as session:
            name = pairing.accept(house, session, owner.user_id, typed)
    except AccountError as error:
        attempts.failed(key, house.now())
        return _shown(request, 400, problem=str(error), typed=typed)
    return _shown(request, waiting=name)


def _shown(request: PageRequest, status_code: int = 200, **context: Any) -> Response[Any]:
    nothing = {"code": None, "waiting": None, "problem": None, "typed": ""}
    server = base_url(house_of(request).settings, request)
    given = {**nothing, "server": server, **reach(request), **context}
    return show("koreader.html", request, status_code, **given)


@page("/devices/files")
def files_page(request: PageRequest, file: FromQuery[str] = "", q: FromQuery[str] = "") -> Response[Any]:
    """What is on the person's KOReaders and not in the library byte by byte. `file`, `q`: for which one books of
    these words are looked for."""
    house, owner = house_of(request), person(request)
    with house.database.read() as session:
        links = file_links.links_of(session, owner.user_id)[:FILES]
        titles = {link.file: session.get_one(Book, link.book_id) for link in links if link.book_id is not None}
        choices = {link.file: _choices(session, link, q if link.file == file else "") for link in links}
    return show("koreader_files.html", request, links=links, titles=titles, choices=choices, file=file, q=q)


@action("/devices/files")
def link_file(request: PageRequest, data: Form) -> Response[Any]:
    """Say which book a file is; without a book, that it is not the one it is taken for."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        link = session.get(FileLink, (owner.user_id, data.get("file", "")))
        book_id = data.get("book") or None
        if link is None or not file_links.link(session, owner.user_id, link.device_id, link.file, book_id, house.now()):
            raise AccountError("There is no such file or book any more. Reload the list.")
    return go_to("/devices/files")


def _choices(session: Session, link: FileLink, words: str) -> list[Book]:
    if link.book_id is not None:
        return []
    if words.strip():
        return books.books(session, query=words, limit=FOUND).books
    return file_links.proposals(session, link.title or link.name, link.authors)


routes: list[ControllerRouterHandler] = [koreader_page, offer_code, accept, files_page, link_file]
