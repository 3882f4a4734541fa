"""Shelves: the list, and one of them with its books. All by links and forms."""

from typing import Any

from litestar import Response
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from appliance.library import shelves
from appliance.models import Book
from appliance.reading import bookcase
from webreader.pages.covers import cover_address
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, person, show

PER_PAGE = 100
_DONE = {
    "made": "The shelf is there. Put books on it from their pages.",
    "renamed": "It has a new name.",
    "deleted": "The shelf is deleted. Its books are where they were.",
    "restored": "The shelf is back.",
    "added": "It is on the shelf.",
    "removed": "It is off the shelf.",
}


@page("/shelves")
def shelves_page(request: PageRequest, done: FromQuery[str] = "") -> Response[Any]:
    """All shelves of a person, and those deleted last."""
    house, owner = house_of(request), person(request)
    with house.database.read() as session:
        mine = shelves.shelves_of(session, owner.user_id)
        deleted = shelves.deleted_shelves(session, owner.user_id)
    return show("shelves.html", request, shelves=mine, deleted=deleted, done=_DONE.get(done, ""))


@action("/shelves")
def add(request: PageRequest, data: Form) -> Response[Any]:
    """Make a shelf, with a book on it if one is named."""
    house, owner = house_of(request), person(request)
    now, book_id = house.now(), data.get("book", "")
    with house.database.write() as session:
        shelf = shelves.add_shelf(session, owner.user_id, data.get("name", ""), now)
        shelf_id = shelf.id
        if book_id:
            shelves.put_on(session, shelf, [book_id], now)
    return go_to(f"/book/{book_id}?done=shelved#shelves" if book_id else f"/shelves/{shelf_id}?done=made")


@page("/shelves/{shelf_id:str}")
def shelf_page(
    request: PageRequest, shelf_id: FromPath[str], p: FromQuery[int] = 1, done: FromQuery[str] = ""
) -> Response[Any]:
    """One shelf, its books in their order. `p`: the page, from 1."""
    house, owner = house_of(request), person(request)
    number = min(max(p, 1), 10_000)
    with house.database.read() as session:
        shelf = shelves.get_shelf(session, owner.user_id, shelf_id)
        ids = shelves.books_on(session, shelf_id)
        shown = bookcase.these(session, owner.user_id, ids[(number - 1) * PER_PAGE : number * PER_PAGE])
    pages = max(-(-len(ids) // PER_PAGE), 1)
    return show(
        "shelf.html",
        request,
        shelf=shelf,
        books=shown,
        total=len(ids),
        number=number,
        pages=pages,
        previous=f"/shelves/{shelf_id}?p={number - 1}" if number > 1 else None,
        following=f"/shelves/{shelf_id}?p={number + 1}" if number < pages else None,
        first=ids[0] if ids else None,
        last=ids[-1] if ids else None,
        cover_address=cover_address,
        done=_DONE.get(done, ""),
    )


@action("/shelves/{shelf_id:str}/rename")
def rename(request: PageRequest, shelf_id: FromPath[str], data: Form) -> Response[Any]:
    """Call a shelf something else."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        shelf = shelves.get_shelf(session, owner.user_id, shelf_id)
        shelves.rename_shelf(session, shelf, data.get("name", ""), house.now())
    return go_to(f"/shelves/{shelf_id}?done=renamed")


@action("/shelves/{shelf_id:str}/delete")
def delete(request: PageRequest, shelf_id: FromPath[str]) -> Response[Any]:
    """Delete a shelf; its books stay."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        shelf = shelves.get_shelf(session, owner.user_id, shelf_id, deleted=True)
        shelves.delete_shelf(session, shelf, house.now())
    return go_to("/shelves?done=deleted")


@action("/shelves/{shelf_id:str}/restore")
def restore(request: PageRequest, shelf_id: FromPath[str]) -> Response[Any]:
    """Undo a deletion."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        shelf = shelves.get_shelf(session, owner.user_id, shelf_id, deleted=True)
        shelves.restore_shelf(session, shelf, house.now())
    return go_to(f"/shelves/{shelf_id}?done=restored")


@action("/shelves/{shelf_id:str}/books/{book_id:str}")
def change_book(request: PageRequest, shelf_id: FromPath[str], book_id: FromPath[str], data: Form) -> Response[Any]:
    """Put a book on a shelf, take it off, or move it. `act`: add, remove, up or down; `back`: book to return to its
    page."""
    return _change(request, shelf_id, book_id, data)


@action("/book/{book_id:str}/shelf")
def choose_shelf(request: PageRequest, book_id: FromPath[str], data: Form) -> Response[Any]:
    """Put a book on the shelf that was picked from a list."""
    return _change(request, data.get("shelf", ""), book_id, {"act": "add", "back": "book"})


def _change(request: PageRequest, shelf_id: str, book_id: str, data: Form) -> Response[Any]:
    house, owner = house_of(request), person(request)
    now, act = house.now(), data.get("act")
    with house.database.write() as session:
        shelf = shelves.get_shelf(session, owner.user_id, shelf_id)
        if session.get(Book, book_id) is None:
            raise NotFoundException
        if act == "add":
            shelves.put_on(session, shelf, [book_id], now)
        elif act == "remove":
            shelves.take_off(session, shelf, [book_id], now)
        elif act in ("up", "down"):
            shelves.move_book(session, shelf, book_id, -1 if act == "up" else 1, now)
    done = {"add": "added", "remove": "removed"}.get(act or "", "")
    if data.get("back") == "book":
        return go_to(f"/book/{book_id}?done=shelved#shelves")
    return go_to(f"/shelves/{shelf_id}?done={done}" if done else f"/shelves/{shelf_id}#book-{book_id}")


routes: list[ControllerRouterHandler] = [
    shelves_page,
    add,
    shelf_page,
    rename,
    delete,
    restore,
    change_book,
    choose_shelf,
]
