"""Write what was learned of a file into the database: the file, its rendition, its book. Runs inside a transaction."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import or_
from sqlmodel import Session, col, select

from appliance.library.digests import Digests, filename_md5
from appliance.library.examination import EXAMINATION_VERSION, Examined, Refused
from appliance.library.matching import Nearness, Portrait, is_same_book
from appliance.library.sorting import folded, sort_name, sort_title
from appliance.library.walk import Found
from appliance.models import Book, Digest, LibraryFile, Rendition
from appliance.positions.summary import BookSummary

MAX_CANDIDATES = 20


def register_book(
    session: Session, file: LibraryFile, found: Found, digests: Digests, examined: Examined, now: datetime
) -> Book:
    """Make `file` (a new or known row) hold these bytes, as a new or known rendition of a new or known book."""
    rendition = session.get(Rendition, digests.sha256)
    if rendition is None:
        book = _book_of(session, file, found, examined) or _new_book(session, now)
        rendition = Rendition(
            sha256=digests.sha256, book_id=book.id, kind=examined.kind, size=digests.size, created_at=now
        )
    else:
        book = session.get_one(Book, rendition.book_id)
    _describe(rendition, examined)
    session.add(rendition)
    session.flush()
    register_file(session, file, found, digests, now)
    if book.main_sha256 == rendition.sha256:
        _describe_book(book, examined, now)
    return book


def register_file(session: Session, file: LibraryFile, found: Found, digests: Digests, now: datetime) -> None:
    """Make `file` hold these bytes, which are a rendition already."""
    before = file.sha256
    file.path, file.size, file.mtime_ns = found.path, digests.size, found.mtime_ns
    file.sha256, file.missing_since, file.examined = digests.sha256, None, EXAMINATION_VERSION
    file.problem = file.remedy = None
    session.add(file)
    _add_names(session, digests, Path(found.path).name)
    session.flush()
    choose_main(session, digests.sha256, now)
    if before is not None and before != digests.sha256:
        choose_main(session, before, now)


def register_copy(session: Session, digests: Digests, examined: Examined, now: datetime) -> Rendition | None:
    """A file that lies in no book folder, such as one on a device: its rendition, if it is one of a known book. From
    then on what was said in its coordinates can be understood."""
    known = session.get(Rendition, digests.sha256)
    book = book_like(session, examined) if known is None else None
    if known is not None or book is None:
        return known
    rendition = Rendition(sha256=digests.sha256, book_id=book.id, kind=examined.kind, size=digests.size, created_at=now)
    _describe(rendition, examined)
    session.add(rendition)
    session.flush()
    session.add(Digest(value=digests.partial_md5, kind="partial_md5", sha256=digests.sha256))
    return rendition


def book_like(session: Session, examined: Examined) -> Book | None:
    """The book of the library that a file is a copy of, wherever it lies."""
    new = _portrait(examined)
    return _book_among(session, new, _alike(session, new))


def _add_names(session: Session, digests: Digests, name: str) -> None:
    """Note how KOReader calls these bytes."""
    known = set(session.exec(select(Digest.value).where(Digest.sha256 == digests.sha256)).all())
    for value, kind in ((digests.partial_md5, "partial_md5"), (filename_md5(name), "filename_md5")):
        if value not in known:
            session.add(Digest(value=value, kind=kind, sha256=digests.sha256))


def register_refusal(
    session: Session, file: LibraryFile, found: Found, digests: Digests | None, refused: Refused, now: datetime
) -> None:
    """List a file that cannot be used. Without `digests` it could not even be read, and is tried again next time."""
    before = file.sha256
    file.path, file.size, file.mtime_ns, file.missing_since = found.path, found.size, found.mtime_ns, None
    file.sha256 = digests.sha256 if digests is not None else None
    file.examined = EXAMINATION_VERSION if digests is not None else 0
    file.problem, file.remedy = refused.problem, refused.remedy
    session.add(file)
    session.flush()
    if before is not None:
        choose_main(session, before, now)


def choose_main(session: Session, sha256: str, now: datetime) -> None:
    """See that the book of a rendition has a reference rendition that exists, if any does.

    Positions are kept in its coordinates, so it stays while its file is there, unless it is a KEPUB and an EPUB has
    come. Otherwise it is the newest EPUB, else the newest KEPUB, that lies in a book folder.
    """
    rendition = session.get(Rendition, sha256)
    if rendition is None:
        return
    book = session.get_one(Book, rendition.book_id)
    present = (
        select(Rendition.sha256, Rendition.kind)
        .join(LibraryFile, col(LibraryFile.sha256) == col(Rendition.sha256))
        .where(Rendition.book_id == book.id, col(LibraryFile.missing_since).is_(None))
        .order_by(col(Rendition.created_at).desc(), col(Rendition.sha256))
    )
    kinds = dict(session.exec(present).all())
    best = next((name for name, kind in kinds.items() if kind == "epub"), None) or next(iter(kinds), None)
    if best is None or best == book.main_sha256 or kinds.get(book.main_sha256 or "") == kinds[best]:
        return
    book.main_sha256, book.changed_at = best, now
    book.cover_sha256 = session.get_one(Rendition, best).cover_sha256 or book.cover_sha256
    session.add(book)


def _describe(rendition: Rendition, examined: Examined) -> None:
    summary = BookSummary.from_json(examined.summary)
    rendition.kind = examined.kind
    rendition.summary = examined.summary
    rendition.text_fingerprint = summary.fingerprint if summary is not None else None
    rendition.unique_identifier = examined.metadata.unique_identifier
    rendition.contents = msgspec.to_builtins(examined.contents)
    rendition.doubts = list(examined.doubts)
    rendition.cover_sha256 = examined.cover_sha256
    rendition.cover_path = examined.cover.path if examined.cover is not None else None
    rendition.cover_embedded = examined.cover is not None and examined.cover.embedded


def _describe_book(book: Book, examined: Examined, now: datetime) -> None:
    """The metadata of the reference rendition is the metadata of the book."""
    metadata = examined.metadata
    names = [author.name for author in metadata.authors]
    title, author = sort_title(metadata), "; ".join(sort_name(author) for author in metadata.authors)
    values: dict[str, Any] = {
        "title": metadata.title,
        "sort_title": title,
        "title_key": folded(title),
        "authors": names,
        "sort_author": author,
        "author_key": folded(author),
        "search_text": folded(" ".join([metadata.title, *names, metadata.series or ""])),
        "language": metadata.language,
        "identifiers": list(metadata.identifiers),
        "series": metadata.series,
        "series_index": metadata.series_index,
        "description": metadata.description,
        "subjects": list(metadata.subjects),
        "publisher": metadata.publisher,
        "published": metadata.published,
        "cover_sha256": examined.cover_sha256,
    }
    if changed := {name: value for name, value in values.items() if getattr(book, name) != value}:
        for name, value in changed.items():
            setattr(book, name, value)
        book.changed_at = now


def _new_book(session: Session, now: datetime) -> Book:
    book = Book(id=str(uuid.uuid4()), title="", sort_title="", added_at=now, changed_at=now)
    session.add(book)
    session.flush()
    return book


def _book_of(session: Session, file: LibraryFile, found: Found, examined: Examined) -> Book | None:
    """The book that new bytes are a rendition of, if it is in the library."""
    new = _portrait(examined)
    return _book_among(session, new, _candidates(session, file, found, new))


def _portrait(examined: Examined) -> Portrait:
    summary = BookSummary.from_json(examined.summary)
    assert summary is not None
    metadata = examined.metadata
    authors = tuple(author.name for author in metadata.authors)
    return Portrait(metadata.unique_identifier, metadata.title, authors, summary)


def _book_among(session: Session, new: Portrait, candidates: Iterable[tuple[Rendition, Nearness]]) -> Book | None:
    for rendition, nearness in candidates:
        known_summary = BookSummary.from_json(rendition.summary)
        book = session.get_one(Book, rendition.book_id)
        if known_summary is None:
            continue
        known = Portrait(rendition.unique_identifier, book.title, tuple(book.authors), known_summary)
        if is_same_book(new, known, nearness):
            return book
    return None


def _candidates(
    session: Session, file: LibraryFile, found: Found, new: Portrait
) -> Iterable[tuple[Rendition, Nearness]]:
    """Renditions worth comparing, the likeliest first."""
    if file.sha256 is not None and (rendition := session.get(Rendition, file.sha256)) is not None:
        # If the former bytes lie elsewhere now, this is another file in their old place, not an edited one.
        elsewhere = select(LibraryFile.id).where(
            LibraryFile.sha256 == file.sha256, LibraryFile.id != file.id, col(LibraryFile.missing_since).is_(None)
        )
        if session.exec(elsewhere.limit(1)).first() is None:
            yield rendition, "same"
    siblings = (
        select(Rendition)
        .join(LibraryFile, col(LibraryFile.sha256) == col(Rendition.sha256))
        .where(col(LibraryFile.path).in_(_sibling_paths(found.path)), col(LibraryFile.missing_since).is_(None))
    )
    for rendition in session.exec(siblings).all():
        yield rendition, "beside"
    yield from _alike(session, new)


def _alike(session: Session, new: Portrait) -> Iterable[tuple[Rendition, Nearness]]:
    """Renditions of the same text or name, wherever they lie."""
    alike = or_(
        col(Rendition.text_fingerprint) == new.summary.fingerprint,
        col(Rendition.unique_identifier) == new.unique_identifier,
    )
    query = (
        select(Rendition)
        .where(alike)
        .order_by(col(Rendition.text_fingerprint) != new.summary.fingerprint, col(Rendition.created_at).desc())
        .limit(MAX_CANDIDATES)
    )
    for rendition in session.exec(query).all():
        yield rendition, "elsewhere"


def _sibling_paths(path: str) -> list[str]:
    """What an EPUB and its KEPUB beside it may be called."""
    stem = path
    for suffix in (".epub", ".kepub"):
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
    return [name for suffix in (".epub", ".kepub.epub", ".kepub") if (name := stem + suffix) != path]
