"""One Kobo: what goes to it, and what became of each book there."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from appliance.library import kobo_choice, kobo_ledger, shelves
from appliance.library.books import series_names
from appliance.models import Book, Device, KoboSync
from webreader.pages.page import Form, PageRequest, action, go_to, house_of, page, person, show

PER_PAGE = 100
MOST_SERIES = 2_000
"""Offered to choose from."""

_SHELF, _SERIES = "shelf:", "series:"
_DONE = {
    "chosen": "Saved. The Kobo follows at its next sync; a book that is not chosen any more leaves it an hour later.",
    "send": "The Kobo is offered the book at its next sync.",
    "withdraw": "The book is taken off at the next sync.",
    "again": "The book is offered again at the next sync.",
    "anew": "Everything is offered again at the next sync.",
}


@page("/devices/{device_id:int}")
def kobo_page(
    request: PageRequest,
    device_id: FromPath[int],
    only: FromQuery[str] = "",
    p: FromQuery[int] = 1,
    done: FromQuery[str] = "",
) -> Response[Any]:
    """The choice for a Kobo, and its ledger. `only`: books in this state; `p`: the page, from 1."""
    house, owner = house_of(request), person(request)
    number = min(max(p, 1), 10_000)
    wanted = only if only in kobo_ledger.STATES else None
    with house.database.read() as session:
        device = kobo_of(session, owner.user_id, device_id)
        kept = session.get(KoboSync, device_id)
        counts = kobo_ledger.counts(session, device_id)
        lines = kobo_ledger.lines(session, device_id, wanted, (number - 1) * PER_PAGE, PER_PAGE)
        mine = shelves.shelves_of(session, owner.user_id)
        chosen = kobo_choice.chosen(session, device_id)
        series = series_names(session, MOST_SERIES)
        books = [book for id in sorted(chosen.books) if (book := session.get(Book, id)) is not None]
    pages = max(-(-(counts.get(wanted, 0) if wanted else sum(counts.values())) // PER_PAGE), 1)

    def address(to: int) -> str:
        return f"/devices/{device_id}?" + urlencode({"only": only, "p": to}) + "#books"

    return show(
        "kobo.html",
        request,
        device=device,
        counts=counts,
        lines=lines,
        only=wanted,
        shelves=mine,
        chosen=chosen,
        series=[name for name in series if name not in chosen.series],
        books=books,
        reset_at=kept.reset_at if kept else None,
        number=number,
        pages=pages,
        previous=address(number - 1) if number > 1 else None,
        following=address(number + 1) if number < pages else None,
        done=_DONE.get(done, ""),
    )


@action("/devices/{device_id:int}/choice")
def choose(request: PageRequest, device_id: FromPath[int], data: Form) -> Response[Any]:
    """Set what goes to a Kobo: everything, or the shelves and series that were ticked."""
    house, owner = house_of(request), person(request)
    picked = [name.removeprefix(_SHELF) for name in data if name.startswith(_SHELF)]
    series = [name.removeprefix(_SERIES) for name in data if name.startswith(_SERIES)]
    if data.get("add_series"):
        series.append(data["add_series"])
    with house.database.write() as session:
        kobo_of(session, owner.user_id, device_id)
        mine = {one.shelf.id for one in shelves.shelves_of(session, owner.user_id)}
        kobo_choice.choose(
            session,
            device_id,
            everything=data.get("what") != "chosen",
            shelves=[id for id in picked if id in mine],
            series=series[:MOST_SERIES],
        )
    return go_to(f"/devices/{device_id}?done=chosen")


@action("/devices/{device_id:int}/books/{book_id:str}")
def change_book(request: PageRequest, device_id: FromPath[int], book_id: FromPath[str], data: Form) -> Response[Any]:
    """Send a book to a Kobo, take it off, or offer it again. `act`: send, withdraw or again; `back`: book to return to
    its page."""
    house, owner = house_of(request), person(request)
    act = data.get("act", "")
    with house.database.write() as session:
        kobo_of(session, owner.user_id, device_id)
        book = session.get(Book, book_id)
        if book is None:
            raise NotFoundException
        if act == "send":
            kobo_choice.send(session, device_id, book)
        elif act == "withdraw":
            kobo_choice.withdraw(session, device_id, book_id, house.now())
        elif act == "again":
            kobo_choice.offer_again(session, device_id, book_id)
    done = act if act in _DONE else ""
    if data.get("back") == "book":
        return go_to(f"/book/{book_id}?done={done}#kobos")
    return go_to(f"/devices/{device_id}?done={done}")


@action("/devices/{device_id:int}/anew")
def start_anew(request: PageRequest, device_id: FromPath[int]) -> Response[Any]:
    """Offer everything again to a Kobo that was emptied."""
    house, owner = house_of(request), person(request)
    with house.database.write() as session:
        kobo_of(session, owner.user_id, device_id)
        kobo_choice.start_anew(session, device_id, house.now())
    return go_to(f"/devices/{device_id}?done=anew")


def kobo_of(session: Session, user_id: int, device_id: int) -> Device:
    """One of the person's Kobos. Raises `NotFoundException` for anything else."""
    device = session.get(Device, device_id)
    if device is None or device.user_id != user_id or device.revoked_at is not None:
        raise NotFoundException
    if device.kind != "kobo" or device.parent_id is not None:
        raise NotFoundException
    return device


routes: list[ControllerRouterHandler] = [kobo_page, choose, change_book, start_anew]
