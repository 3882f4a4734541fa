"""Find renditions by what devices call them, and open them."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import bindparam
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

    Its kept text can stand in, and so can a successor: when only the metadata of a book was edited, its former bytes
    are gone but every document has the same text.
    """
    held = house.shelf.held(sha256)
    if held is not None:
        return held
    rendition = session.get(Rendition, sha256)
    if rendition is None:
        return None
    summary = _summary(rendition)
    path = path_of(house, session, sha256) or house.texts.find(sha256)
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
        other = _summary(successor)
        if other is None or _texts(other) != _texts(summary):
            continue
        path = path_of(house, session, successor.sha256)
        if path is not None:
            return house.shelf.book(successor.sha256, path, other)
    return None


def remember_rendition(house: House, session: Session, sha256: str) -> OpenBook | None:
    """The rendition, or what is known of it without its file: which documents it had. That is enough to carry a place
    to another rendition where the document has the same text, and roughly elsewhere. For places only: no locator can be
    read in it."""
    opened = open_rendition(house, session, sha256)
    if opened is not None:
        return opened
    rendition = session.get(Rendition, sha256)
    summary = _summary(rendition) if rendition is not None else None
    return OpenBook.open(house.settings.texts / f"{sha256}.gone", sha256, summary) if summary is not None else None


def _summary(rendition: Rendition) -> BookSummary | None:
    return BookSummary.from_json(rendition.summary) if rendition.summary else None


def _texts(summary: BookSummary) -> list[tuple[str, int, str]]:
    return [(document.path, document.occurrence, document.digest) for document in summary.documents]


@dataclass(frozen=True, slots=True)
class Named:
    """What a digest means: a rendition of a book."""

    sha256: str
    book_id: str


# Of several, one that is its book's reference rendition comes first, then the newest (koreader.md 2.3: neither digest
# proves identity). Built once, because a device asks this with each of its reports.
_BY_DIGEST = (
    select(Rendition.sha256, Rendition.book_id)
    .join(Digest, col(Digest.sha256) == col(Rendition.sha256))
    .join(Book, col(Book.id) == col(Rendition.book_id))
    .where(col(Digest.value) == bindparam("value"))
    .order_by(
        col(Digest.kind).desc(),  # "partial_md5" after "filename_md5"
        (col(Book.main_sha256) == col(Rendition.sha256)).desc(),
        col(Rendition.created_at).desc(),
    )
    .limit(1)
)


def by_digest(session: Session, value: str) -> Named | None:
    """The rendition that a KOSync document digest means: partial MD5 first, then MD5 of a file name (weak)."""
    row = session.connection().execute(_BY_DIGEST, {"value": value.strip().lower()}).first()
    return Named(row.sha256, row.book_id) if row else None
