"""Make ahead of time what a device would otherwise wait for: KEPUBs and covers."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from appliance.epub.errors import BookError
from appliance.house import House
from appliance.library import covers, kepub_rendition
from appliance.models import Book, Device
from appliance.sweeps.schedule import After
from appliance.sweeps.sweep import Stopping, Sweep

log = logging.getLogger(__name__)

_AT_ONCE = 100

_SETTLED = timedelta(minutes=10)
"""A book that changed within this may be followed by one that another process is about to store with an older time."""


@dataclass(slots=True)
class _Kind:
    """One kind of thing to make. `make` returns whether there was anything to do. `upto`: the books before it, by
    (changed_at, id), are done; a book that failed waits for its next change or the next start of the appliance."""

    one: str
    many: str
    make: Callable[[House, str], bool]
    upto: tuple[datetime, str] | None = field(default=None)


class Preparation:
    """Remembers how far it came, so that a library without changes costs one query."""

    def __init__(self) -> None:
        self._covers = _Kind("cover", "covers", _make_cover)
        self._kepubs = _Kind("KEPUB", "KEPUBs", _make_kepub)

    def run(self, house: House, stopping: Stopping) -> str:
        """Nobody needs KEPUBs, which are as large as the library, before there is a Kobo in the house."""
        kinds = [self._covers, self._kepubs] if _has_kobo(house) else [self._covers]
        made, failed = [], 0
        for kind in kinds:
            done, wrong = _prepare(house, kind, stopping)
            failed += wrong
            if done:
                made.append(f"{done:,} {kind.one if done == 1 else kind.many}")
        said = f"{' and '.join(made)} made." if made else "Everything is prepared."
        if failed:
            said += f" {failed:,} {'book' if failed == 1 else 'books'} could not be prepared; the log says why."
        return said


def _prepare(house: House, kind: _Kind, stopping: Stopping) -> tuple[int, int]:
    """How many were made and how many failed."""
    settled = house.now() - _SETTLED
    made = failed = 0
    at = kind.upto
    while not stopping():
        with house.database.read() as session:
            books = _next_books(session, at)
        for book_id, changed_at in books:
            if stopping():
                break
            try:
                made += kind.make(house, book_id)
            except (BookError, OSError) as error:
                failed += 1
                log.warning("book %s: no %s: %s", book_id, kind.one, error)
            at = (changed_at, book_id)
            if changed_at < settled:
                kind.upto = at
        if len(books) < _AT_ONCE:
            break
    return made, failed


def _next_books(session: Session, at: tuple[datetime, str] | None) -> list[tuple[str, datetime]]:
    query = select(Book.id, Book.changed_at).where(col(Book.main_sha256).is_not(None))
    if at is not None:
        query = query.where(tuple_(col(Book.changed_at), col(Book.id)) > at)
    return list(session.exec(query.order_by(col(Book.changed_at), col(Book.id)).limit(_AT_ONCE)).all())


def _has_kobo(house: House) -> bool:
    with house.database.read() as session:
        query = select(Device.id).where(Device.kind == "kobo", col(Device.revoked_at).is_(None)).limit(1)
        return session.exec(query).first() is not None


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


SWEEP = Sweep(
    "preparation",
    "Makes the KEPUBs for Kobos and the covers of new and changed books.",
    After("scan"),
    Preparation().run,
)
