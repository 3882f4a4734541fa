"""The process that makes covers and KEPUBs; `preparation` starts it.

It reads an `Order` from its standard input, works through the books in the order of their changes, and writes `Made` to
its standard output. When it is asked to terminate it ends after the book it is at; when the appliance is gone, at once.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from appliance.epub.errors import BookError
from appliance.house import House, open_house
from appliance.library import covers, kepub_rendition
from appliance.lifeline import end_with_parent
from appliance.models import Book, Device
from appliance.settings import Settings

log = logging.getLogger(__name__)

_AT_ONCE = 100
_NICENESS = 10

Mark = tuple[float, str]
"""A place in the order of changes: `Book.changed_at` as seconds since 1970, and the id."""


class Order(msgspec.Struct):
    """`upto`: for each kind of thing to make, the mark before which it was done, if it ever was. `settled`: seconds
    since 1970; marks do not pass it."""

    settings: Settings
    upto: dict[str, Mark | None]
    settled: float


class Made(msgspec.Struct):
    """`counts`: how many were made of each kind. `failed`: of how many books not; they wait for their next change or
    the next start of the appliance. `upto`: the marks now."""

    counts: dict[str, int]
    failed: int
    upto: dict[str, Mark]


def write_order(order: Order) -> bytes:
    """An order as a line."""
    return msgspec.json.encode(order, enc_hook=str) + b"\n"  # paths as their names


def read_order(data: bytes) -> Order:
    """The reverse of `write_order`."""
    return msgspec.json.decode(data, type=Order, dec_hook=lambda kind, value: kind(value))


def kinds_wanted(house: House) -> list[str]:
    """Nobody needs KEPUBs, which are as large as the library, before there is a Kobo in the house."""
    with house.database.read() as session:
        query = select(Device.id).where(Device.kind == "kobo", col(Device.revoked_at).is_(None)).limit(1)
        has_kobo = session.exec(query).first() is not None
    return ["cover", "KEPUB"] if has_kobo else ["cover"]


def is_anything_due(house: House, order: Order) -> bool:
    """Whether a book changed after one of the marks."""
    with house.database.read() as session:
        return any(_next_books(session, mark, 1) for mark in order.upto.values())


def make(house: House, order: Order, stopping: Callable[[], bool]) -> Made:
    """Make what is due."""
    made = Made({}, 0, {})
    for kind, mark in order.upto.items():
        made.counts[kind] = 0
        more = True
        while more and not stopping():
            with house.database.read() as session:
                books = _next_books(session, mark, _AT_ONCE)
            for book_id, changed_at in books:
                if stopping():
                    break
                try:
                    made.counts[kind] += _MAKERS[kind](house, book_id)
                except (BookError, OSError) as error:
                    made.failed += 1
                    log.warning("book %s: no %s: %s", book_id, kind, error)
                mark = (changed_at.timestamp(), book_id)
                if mark[0] < order.settled:
                    made.upto[kind] = mark
            more = len(books) == _AT_ONCE
    return made


def _next_books(session: Session, mark: Mark | None, count: int) -> list[tuple[str, datetime]]:
    query = select(Book.id, Book.changed_at).where(col(Book.main_sha256).is_not(None))
    if mark is not None:
        query = query.where(
            tuple_(col(Book.changed_at), col(Book.id)) > (datetime.fromtimestamp(mark[0], UTC), mark[1])
        )
    return list(session.exec(query.order_by(col(Book.changed_at), col(Book.id)).limit(count)).all())


def _make_cover(house: House, book_id: str) -> bool:
    begun = time.time()
    with house.database.read() as session:
        path = covers.cover(house, session, book_id, *covers.WALL)
    return path is not None and path.stat().st_mtime >= begun


def _make_kepub(house: House, book_id: str) -> bool:
    begun = house.now()
    with house.database.read() as session:
        if kepub_rendition.planned_revision(house, session, book_id) is None:
            return False  # this converter has failed on it before; the book's page says why
    try:
        return kepub_rendition.prepare(house, book_id).created_at >= begun
    except kepub_rendition.BookFileMissing:
        return False


_MAKERS = {"cover": _make_cover, "KEPUB": _make_kepub}


def main() -> None:
    """The whole life of the process."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the server, which then asks us
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    os.nice(_NICENESS)
    end_with_parent()
    order = read_order(sys.stdin.buffer.readline())
    house = open_house(order.settings)
    try:
        made = make(house, order, lambda: bool(asked))
    finally:
        house.shelf.close()
        house.database.close()
    sys.stdout.buffer.write(msgspec.json.encode(made))
