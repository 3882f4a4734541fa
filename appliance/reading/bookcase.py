"""The library as one person sees it: books with where they are in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from appliance.library.books import books, is_present
from appliance.models import Book, BookState, Device, DeviceProgress, JournalEntry, Progress


@dataclass(frozen=True, slots=True)
class Shown:
    """A book, with the person's progress in it if they ever opened it, and what they think of it if that is known."""

    book: Book
    progress: Progress | None
    state: BookState | None

    @property
    def is_finished(self) -> bool:
        """Whether the person is through with it."""
        return self.state is not None and self.state.status == "finished"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A stretch of the library in order of title. `total`: how many books there are in all, or fit the search."""

    books: list[Shown]
    total: int


@dataclass(frozen=True, slots=True)
class OnDevice:
    """What one device last said of a book. `fraction`: 0 to 1, `None` when its place could not be understood;
    `is_current`: whether the current position came from it."""

    name: str
    kind: str
    fraction: float | None
    at: datetime
    is_current: bool


def shelf(session: Session, user_id: int, search: str, offset: int, limit: int) -> Shelved:
    """Books whose file is there. `search`: words that occur in title, authors or series, whatever the accents."""
    found = books(session, offset=offset, limit=limit, query=search)
    ids = [book.id for book in found.books]
    shown = {one.book.id: one for one in _shown(session, user_id, col(Book.id).in_(ids))}
    return Shelved([shown[book.id] for book in found.books if book.id in shown], found.total)


def these(session: Session, user_id: int, book_ids: Sequence[str]) -> list[Shown]:
    """Books by their ids, in that order, also those whose files are away."""
    shown = {one.book.id: one for one in _shown(session, user_id, col(Book.id).in_(book_ids))}
    return [shown[id] for id in book_ids if id in shown]


def being_read(session: Session, user_id: int, limit: int) -> list[Shown]:
    """The books somebody is in the middle of, the one read last first."""
    return _shown(session, user_id, is_present() & (col(BookState.status) == "reading"), limit)


def one_book(session: Session, user_id: int, book_id: str) -> Shown | None:
    """A book, also one whose files are away."""
    return next(iter(_shown(session, user_id, col(Book.id) == book_id)), None)


def on_devices(session: Session, user_id: int, book_id: str) -> list[OnDevice]:
    """What each of the person's devices last said of a book, the latest first."""
    rows = session.exec(
        select(Device, JournalEntry, Progress.entry_id)
        .join(DeviceProgress, col(DeviceProgress.device_id) == Device.id)
        .join(JournalEntry, col(JournalEntry.id) == DeviceProgress.reported_entry_id)
        .join(Progress, (col(Progress.user_id) == user_id) & (col(Progress.book_id) == book_id), isouter=True)
        .where(Device.user_id == user_id, DeviceProgress.book_id == book_id, col(Device.revoked_at).is_(None))
        .order_by(col(JournalEntry.received_at).desc())
    )
    return [
        OnDevice(device.name, device.kind, _fraction(entry), entry.received_at, entry.id == current)
        for device, entry, current in rows
    ]


def _shown(session: Session, user_id: int, which: ColumnElement[bool], limit: int | None = None) -> list[Shown]:
    query = (
        select(Book, Progress, BookState)
        .join(Progress, (col(Progress.book_id) == Book.id) & (col(Progress.user_id) == user_id), isouter=True)
        .join(BookState, (col(BookState.book_id) == Book.id) & (col(BookState.user_id) == user_id), isouter=True)
        .where(which)
        .order_by(col(Progress.activity_at).desc())
        .limit(limit)
    )
    return [Shown(*row) for row in session.exec(query)]


def _fraction(entry: JournalEntry) -> float | None:
    if entry.fraction is not None:
        return entry.fraction
    if entry.tick is not None and entry.total:
        return entry.tick / entry.total
    return entry.percent
