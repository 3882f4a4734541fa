"""A person's shelves: books put together by hand, in an order. Whoever changes one writes the database in the caller's
transaction; nothing is deleted, so that every device can be told and every deletion undone."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, update
from sqlmodel import Session, col, select

from appliance.library.sorting import folded
from appliance.models import Book, BookShelf, KoboChoice, KoboSync, ShelvedBook
from appliance.reading.turn import take_turn

LONGEST_NAME = 100
MOST_SHELVES = 1_000
"""Shelves that a person may have; a Kobo is told of each."""

MOST_BOOKS = 20_000
"""Books on one shelf."""


class ShelfError(Exception):
    """What was asked of a shelf cannot be done; the text says what, why and what to do."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A shelf and how many books stand on it. `holds`: whether the book that was asked about is one of them."""

    shelf: BookShelf
    books: int
    holds: bool = False


def checked_name(name: str) -> str:
    """The name as it is kept. Raises `ShelfError` for one that is empty, too long or cannot be shown."""
    name = " ".join(name.split())
    if not name:
        raise ShelfError("The shelf has no name. Type one.")
    if len(name) > LONGEST_NAME:
        raise ShelfError(f"The name is too long. Choose one with at most {LONGEST_NAME} characters.")
    if not name.isprintable():
        raise ShelfError("The name holds characters that cannot be shown. Choose one without them.")
    return name


def shelves_of(session: Session, user_id: int, book_id: str | None = None) -> list[Counted]:
    """A person's shelves by name. `book_id`: say which of them hold this book."""
    on = (col(ShelvedBook.shelf_id) == BookShelf.id) & col(ShelvedBook.removed_at).is_(None)
    holds = func.count(case((col(ShelvedBook.book_id) == (book_id or ""), 1)))
    query = (
        select(BookShelf, func.count(col(ShelvedBook.book_id)), holds)
        .join(ShelvedBook, on, isouter=True)
        .where(BookShelf.user_id == user_id, col(BookShelf.deleted_at).is_(None))
        .group_by(*BookShelf.__table__.columns)  # type: ignore[attr-defined]
        .order_by(BookShelf.name_key)
    )
    return [Counted(shelf, count, held > 0) for shelf, count, held in session.exec(query)]


def deleted_shelves(session: Session, user_id: int, limit: int = 20) -> list[BookShelf]:
    """What the person deleted last, latest first."""
    deleted = col(BookShelf.deleted_at)
    query = select(BookShelf).where(BookShelf.user_id == user_id, deleted.is_not(None)).order_by(deleted.desc())
    return list(session.exec(query.limit(limit)))


def get_shelf(session: Session, user_id: int, shelf_id: str, deleted: bool = False) -> BookShelf:
    """One of the person's shelves. Raises `ShelfError`, also for somebody else's and, without `deleted`, for one that
    was deleted."""
    shelf = session.get(BookShelf, shelf_id)
    if shelf is None or shelf.user_id != user_id or (shelf.deleted_at is not None and not deleted):
        raise ShelfError("There is no such shelf. It may have been deleted on a device; look at the list of shelves.")
    return shelf


def books_on(session: Session, shelf_id: str) -> list[str]:
    """Ids of the books on a shelf, in its order."""
    on = select(ShelvedBook.book_id).where(ShelvedBook.shelf_id == shelf_id, col(ShelvedBook.removed_at).is_(None))
    return list(session.exec(on.order_by(ShelvedBook.place, ShelvedBook.book_id)))  # type: ignore[arg-type]


def by_name(session: Session, user_id: int, name: str) -> BookShelf | None:
    """The person's shelf of that name, whatever its case and accents."""
    query = select(BookShelf).where(
        BookShelf.user_id == user_id, BookShelf.name_key == folded(name), col(BookShelf.deleted_at).is_(None)
    )
    return session.exec(query).first()


def add_shelf(session: Session, user_id: int, name: str, now: datetime) -> BookShelf:
    """A new, empty shelf. Raises `ShelfError` when the person has one of that name, or too many."""
    take_turn(session.connection(), user_id)
    name = checked_name(name)
    if by_name(session, user_id, name) is not None:
        raise ShelfError(f"You have a shelf “{name}” already. Choose another name, or put the books on that one.")
    count = select(func.count()).select_from(BookShelf)
    if (
        session.exec(count.where(BookShelf.user_id == user_id, col(BookShelf.deleted_at).is_(None))).one()
        >= MOST_SHELVES
    ):
        raise ShelfError(f"You have {MOST_SHELVES:,} shelves, and there is no room for more. Delete one first.")
    shelf = BookShelf(
        id=str(uuid.uuid4()), user_id=user_id, name=name, name_key=folded(name), created_at=now, changed_at=now
    )
    session.add(shelf)
    session.flush()
    return shelf


def rename_shelf(session: Session, shelf: BookShelf, name: str, now: datetime) -> None:
    """Raises `ShelfError` when another shelf of the person has that name."""
    take_turn(session.connection(), shelf.user_id)
    name = checked_name(name)
    other = by_name(session, shelf.user_id, name)
    if other is not None and other.id != shelf.id:
        raise ShelfError(f"You have a shelf “{other.name}” already. Choose another name.")
    if name != shelf.name:
        shelf.name, shelf.name_key = name, folded(name)
        _changed(session, shelf, now)


def free_name(session: Session, user_id: int, name: str, shelf_id: str = "") -> str:
    """`name`, or `name 2`, `name 3`, … when another shelf than `shelf_id` has it."""
    number, wish = 2, name
    while (other := by_name(session, user_id, wish)) is not None and other.id != shelf_id:
        wish = f"{name[: LONGEST_NAME - 6]} {number}"
        number += 1
    return wish


def delete_shelf(session: Session, shelf: BookShelf, now: datetime) -> None:
    """Its books stay where they are; the shelf can be restored."""
    take_turn(session.connection(), shelf.user_id)
    if shelf.deleted_at is None:
        shelf.deleted_at = now
        _changed(session, shelf, now, books=True)


def restore_shelf(session: Session, shelf: BookShelf, now: datetime) -> None:
    """Undo a deletion, with the books that were on the shelf; numbered, if its name was given to another."""
    take_turn(session.connection(), shelf.user_id)
    if shelf.deleted_at is not None:
        shelf.name = free_name(session, shelf.user_id, shelf.name, shelf.id)
        shelf.name_key, shelf.deleted_at = folded(shelf.name), None
        _changed(session, shelf, now, books=True)


def put_on(session: Session, shelf: BookShelf, book_ids: Iterable[str], now: datetime) -> bool:
    """Put books at the end of a shelf; what is no book, or stands there already, is passed over. Returns whether that
    changed anything. Raises `ShelfError` when the shelf is full."""
    take_turn(session.connection(), shelf.user_id)
    there = {row.book_id: row for row in session.exec(select(ShelvedBook).where(ShelvedBook.shelf_id == shelf.id))}
    new = [id for id in dict.fromkeys(book_ids) if id not in there or there[id].removed_at is not None]
    new = [id for id in new if id in there or session.get(Book, id) is not None]
    if not new:
        return False
    if sum(row.removed_at is None for row in there.values()) + len(new) > MOST_BOOKS:
        raise ShelfError(f"The shelf is full: it holds {MOST_BOOKS:,} books at most. Make another one.")
    end = max((row.place for row in there.values()), default=0)
    for place, id in enumerate(new, end + 1):
        row = there.get(id) or ShelvedBook(shelf_id=shelf.id, book_id=id, added_at=now)
        row.place, row.added_at, row.removed_at = place, now, None
        session.add(row)
    _changed(session, shelf, now, books=True)
    return True


def take_off(session: Session, shelf: BookShelf, book_ids: Iterable[str], now: datetime) -> bool:
    """Take books off a shelf; those that do not stand there are passed over. Returns whether that changed anything."""
    take_turn(session.connection(), shelf.user_id)
    changed = False
    for id in dict.fromkeys(book_ids):
        row = session.get(ShelvedBook, (shelf.id, id))
        if row is not None and row.removed_at is None:
            row.removed_at = now
            changed = True
    if changed:
        _changed(session, shelf, now, books=True)
    return changed


def move_book(session: Session, shelf: BookShelf, book_id: str, by: int, now: datetime) -> None:
    """Move a book so many places down, or up if negative. One that does not stand there stays away."""
    take_turn(session.connection(), shelf.user_id)
    order = books_on(session, shelf.id)
    after = moved(order, book_id, by)
    if after != order:
        for place, id in enumerate(after, 1):
            session.get_one(ShelvedBook, (shelf.id, id)).place = place
        _changed(session, shelf, now)


def moved(order: Sequence[str], one: str, by: int) -> list[str]:
    """`order` with `one` so many places later, as far as there are places."""
    if one not in order:
        return list(order)
    rest = [each for each in order if each != one]
    place = min(max(list(order).index(one) + by, 0), len(rest))
    return [*rest[:place], one, *rest[place:]]


def _changed(session: Session, shelf: BookShelf, now: datetime, books: bool = False) -> None:
    """Devices are told at their next sync; `books`: those that get what stands on this shelf may get others now."""
    shelf.version += 1
    shelf.changed_at = now
    session.flush()
    if books:
        choosing = select(KoboChoice.device_id).where(KoboChoice.kind == "shelf", KoboChoice.value == shelf.id)
        session.execute(update(KoboSync).where(col(KoboSync.device_id).in_(choosing)).values(due=True))
