"""Find renditions by what devices call them, and open them."""

from pathlib import Path

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from appliance.house import House
from appliance.library.folders import book_folders
from appliance.library.walk import is_inside
from appliance.models import Book, Digest, LibraryFile, Rendition
from appliance.positions import BookSummary, OpenBook


def path_of(house: House, session: Session, sha256: str) -> Path | None:
    """A file that holds exactly these bytes, `None` when none is left. Its size and time are checked, not its bytes."""
    made = select(Rendition.origin_sha256, Rendition.engine, Rendition.engine_version, Rendition.size).where(
        Rendition.sha256 == sha256
    )
    for origin, engine, version, size in session.exec(made).all():
        if origin is not None and engine is not None and version is not None:
            path = house.kepubs.path(origin, engine, version)
            if path.is_file() and path.stat().st_size == size:
                return path
    files = select(LibraryFile).where(LibraryFile.sha256 == sha256, col(LibraryFile.missing_since).is_(None))
    for file in session.exec(files).all():
        try:
            status = Path(file.path).stat()
        except OSError:
            continue
        if (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns) and is_inside(
            file.path, book_folders(house.settings)
        ):
            return Path(file.path)
    return None


def open_rendition(house: House, session: Session, sha256: str) -> OpenBook | None:
    """The rendition, ready to translate positions; `None` when its file is gone and nothing can stand in for it.

    When only the metadata of a book was edited, its former bytes are gone but every document has the same text, so
    positions in the former rendition are read in its successor.
    """
    rendition = session.get(Rendition, sha256)
    if rendition is None:
        return None
    summary = BookSummary.from_json(rendition.summary)
    path = path_of(house, session, sha256)
    if path is not None:
        return house.shelf.book(sha256, path, summary)
    if summary is None:
        return None
    successors = (
        select(Rendition)
        .where(
            Rendition.book_id == rendition.book_id,
            Rendition.kind == rendition.kind,
            Rendition.text_fingerprint == rendition.text_fingerprint,
            Rendition.sha256 != sha256,
        )
        .order_by(col(Rendition.created_at).desc())
    )
    for successor in session.exec(successors).all():
        other = BookSummary.from_json(successor.summary)
        if other is None or _texts(other) != _texts(summary):
            continue
        path = path_of(house, session, successor.sha256)
        if path is not None:
            return house.shelf.book(successor.sha256, path, other)
    return None


def _texts(summary: BookSummary) -> list[tuple[str, int, str]]:
    return [(document.path, document.occurrence, document.digest) for document in summary.documents]


def by_digest(session: Session, value: str) -> Rendition | None:
    """The rendition that a KOSync document digest means: partial MD5 first, then MD5 of a file name (weak).

    Of several, one that is its book's reference rendition comes first, then the newest (koreader.md 2.3: neither
    digest proves identity).
    """
    query = (
        select(Rendition)
        .join(Digest, col(Digest.sha256) == col(Rendition.sha256))
        .join(Book, col(Book.id) == col(Rendition.book_id))
        .where(Digest.value == value.strip().lower())
        .order_by(
            col(Digest.kind).desc(),  # "partial_md5" after "filename_md5"
            (col(Book.main_sha256) == col(Rendition.sha256)).desc(),
            col(Rendition.created_at).desc(),
        )
        # Large, and not needed to answer a device; loaded when asked for.
        .options(defer(Rendition.summary), defer(Rendition.contents))  # type: ignore[arg-type]
        .limit(1)
    )
    return session.exec(query).first()
