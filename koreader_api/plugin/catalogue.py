"""The library, to be looked through on the device (docs/plugin-protocol.md, Library)."""

import math
from collections.abc import Sequence
from pathlib import PurePath

import sqlalchemy
from sqlmodel import Session, col, select

from appliance import models
from appliance.library import books as library
from appliance.library.books import Order
from appliance.models import Digest, LibraryFile, Rendition
from koreader_api.plugin import wire
from koreader_api.plugin.call import Call, Refusal
from koreader_api.plugin.matching import shown_book

PAGE = 50  # items
MOST_IN_SERIES = 500
EPUB, KEPUB = "epub", "kepub"


def series(call: Call) -> wire.Groups:
    """The series, by name; `search`: only those whose name has these words."""
    page = _page(call)
    with call.house.database.read() as session:
        found = library.series_counts(session, call.query.get("search", ""), PAGE * (page - 1), PAGE)
    items = [wire.Group(one.name, one.books, one.authors) for one in found.items]
    return wire.Groups(items, page, _pages(found.total), found.total)


def authors(call: Call) -> wire.Groups:
    """The authors, by name; `search`: only those whose name has these words."""
    page = _page(call)
    with call.house.database.read() as session:
        found = library.author_counts(session, call.query.get("search", ""), PAGE * (page - 1), PAGE)
    items = [wire.Group(one.name, one.books) for one in found.items]
    return wire.Groups(items, page, _pages(found.total), found.total)


def books(call: Call) -> wire.Books:
    """The books: of a `series`, of an `author`, with the words of `search`, or the newest first (`recent`)."""
    page, query = _page(call), call.query
    order: Order = "added" if query.get("recent") else "author" if "series" in query else "title"
    with call.house.database.read() as session:
        found = library.books(
            session,
            offset=PAGE * (page - 1),
            limit=PAGE,
            order=order,
            query=query.get("search", ""),
            series=query.get("series"),
            author=query.get("author"),
        )
        items = _with_files(session, found.books)
    return wire.Books(items, page, _pages(found.total), found.total)


def series_of(call: Call) -> wire.Series:
    """The whole series that a book is in, in order; of a book in none, the book."""
    with call.house.database.read() as session:
        book = session.get(models.Book, call.parts["book"])
        if book is None:
            raise Refusal(404, "no-book", "There is no such book. Look for it again.")
        if not book.series:
            return wire.Series(_with_files(session, [book]))
        found = library.books(session, limit=MOST_IN_SERIES, order="author", series=book.series)
        ordered = sorted(found.books, key=lambda one: (one.series_index is None, one.series_index, one.title_key))
        return wire.Series(_with_files(session, ordered))


def _with_files(session: Session, books: Sequence[models.Book]) -> list[wire.Book]:
    """Books with the files that can be had of them: the EPUB, and the KEPUB where it was made."""
    mains = [book.main_sha256 for book in books if book.main_sha256 is not None]
    query = (
        sqlalchemy.select(
            col(Rendition.sha256),
            col(Rendition.origin_sha256),
            col(Rendition.kind),
            col(Rendition.size),
            col(Digest.value),
        )
        .join(Digest, col(Digest.sha256) == col(Rendition.sha256))
        .where(col(Digest.kind) == "partial_md5")
        .where(col(Rendition.sha256).in_(mains) | col(Rendition.origin_sha256).in_(mains))
        .order_by(col(Rendition.created_at).desc())
    )
    names = dict(
        session.exec(
            select(LibraryFile.sha256, LibraryFile.path)
            .where(col(LibraryFile.sha256).in_(mains), col(LibraryFile.missing_since).is_(None))
            .order_by(col(LibraryFile.path).desc())
        ).all()
    )
    files: dict[str, dict[str, wire.BookFile]] = {}
    for sha256, origin, kind, size, digest in session.execute(query):
        main = sha256 if sha256 in mains else origin
        name = PurePath(names.get(main, "book.epub")).name
        if kind == KEPUB and not name.endswith(".kepub.epub"):
            name = name.removesuffix(".epub") + ".kepub.epub"
        files.setdefault(str(main), {}).setdefault(kind, wire.BookFile(kind, size, digest, name))
    shown = []
    for book in books:
        item = shown_book(book)
        # A file that is away cannot be downloaded now.
        item.files = list(files.get(book.main_sha256 or "", {}).values()) if book.main_sha256 in names else []
        shown.append(item)
    return shown


def _page(call: Call) -> int:
    text = call.query.get("page", "1")
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 10**6:
        raise Refusal(400, "not-understood", "The page is a number from 1 on.")
    return int(text[:9])


def _pages(total: int) -> int:
    return max(1, math.ceil(total / PAGE))
