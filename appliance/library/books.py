"""List the books of the library by pages, and the files that are no books."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from appliance.library.sorting import folded
from appliance.models import Book, LibraryFile, Rendition

Order = Literal["title", "author", "added"]

MAX_LIMIT = 500
MAX_WORDS = 8


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the books that were asked for; `total`: how many there are."""

    books: list[Book]
    total: int


def books(
    session: Session,
    *,
    offset: int = 0,
    limit: int = 60,
    order: Order = "title",
    query: str = "",
    missing: bool = False,
    series: str | None = None,
    author: str | None = None,
) -> Page:
    """The books that have a file, or with `missing` those whose files are all gone.

    `query`: words that must all occur in title, authors or series, without regard to case and accents. `order`:
    "added" begins with the newest. `series`, `author`: only those of exactly that name.
    """
    conditions = [is_present() if not missing else ~is_present()]
    conditions += [col(Book.search_text).contains(word, autoescape=True) for word in folded(query).split()[:MAX_WORDS]]
    if series is not None:
        conditions.append(col(Book.series) == series)
    if author is not None:
        conditions.append(_is_by(session, author))
    total = session.execute(select(func.count()).select_from(Book).where(*conditions)).scalar_one()
    # Ties are broken by id, or a book could stand on two pages and another on none.
    orders: dict[str, list[Any]] = {
        "title": [Book.title_key, Book.id],
        "author": [Book.author_key, Book.series, Book.series_index, Book.title_key, Book.id],
        "added": [col(Book.added_at).desc(), Book.id],
    }
    found = select(Book).where(*conditions).order_by(*orders[order])
    found = found.offset(max(offset, 0)).limit(min(max(limit, 1), MAX_LIMIT))
    return Page(list(session.exec(found).all()), total)


@dataclass(frozen=True, slots=True)
class Group:
    """A series or an author, with how many books there are; `authors`: of a series."""

    name: str
    books: int
    authors: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """Some of the groups; `total`: how many there are."""

    items: list[Group]
    total: int


def series_counts(session: Session, query: str, offset: int, limit: int) -> Groups:
    """The series by name, with their authors. `query`: words that must all occur in the name."""
    rows = session.exec(
        select(Book.series, Book.authors).where(is_present(), col(Book.series).is_not(None), col(Book.series) != "")
    )
    counts: Counter[str] = Counter()
    authors: dict[str, dict[str, None]] = {}
    for name, names in rows:
        counts[str(name)] += 1
        authors.setdefault(str(name), {}).update(dict.fromkeys(names))
    return _groups(counts, query, offset, limit, authors)


def author_counts(session: Session, query: str, offset: int, limit: int) -> Groups:
    """The authors in the order of their names. `query`: words that must all occur in the name."""
    counts: Counter[str] = Counter()
    for names in session.exec(select(Book.authors).where(is_present())):
        counts.update(set(names))
    return _groups(counts, query, offset, limit, None)


def _groups(
    counts: Counter[str], query: str, offset: int, limit: int, authors: dict[str, dict[str, None]] | None
) -> Groups:
    words = folded(query).split()[:MAX_WORDS]
    names = sorted((folded(name), name) for name in counts)
    found = [name for key, name in names if all(word in key for word in words)]
    shown = found[offset : offset + limit]
    items = [Group(name, counts[name], list(authors[name])[:3] if authors is not None else None) for name in shown]
    return Groups(items, len(found))


def _is_by(session: Session, author: str) -> ColumnElement[bool]:
    """Authors are a list in one column, so that the books that may be meant are looked at."""
    likely = select(Book.id, Book.authors)
    for word in folded(author).split()[:MAX_WORDS]:
        likely = likely.where(col(Book.search_text).contains(word, autoescape=True))
    return col(Book.id).in_([id for id, names in session.exec(likely) if author in names])


def is_present() -> ColumnElement[bool]:
    """The condition that a book has a file in a book folder."""
    return (
        select(LibraryFile.id)
        .join(Rendition, col(Rendition.sha256) == col(LibraryFile.sha256))
        .where(Rendition.book_id == Book.id, col(LibraryFile.missing_since).is_(None))
        .correlate(Book)
        .exists()
    )


def series_names(session: Session, limit: int) -> list[str]:
    """The series that books of the library belong to, by name."""
    query = select(Book.series).where(col(Book.series).is_not(None), col(Book.series) != "").distinct()
    return [name for name in session.exec(query.order_by(Book.series).limit(limit)) if name]


def refused_files(session: Session) -> list[LibraryFile]:
    """Files that could not be used, each with `problem` and `remedy`, in the order of their paths."""
    query = select(LibraryFile).where(col(LibraryFile.problem).is_not(None), col(LibraryFile.missing_since).is_(None))
    return list(session.exec(query.order_by(LibraryFile.path)).all())
