"""Which book of the library a book on a plugged-in Kobo is."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlmodel import Session, col, select

from appliance.epub.errors import BookError
from appliance.library.digests import Digests, digests
from appliance.library.examination import Examined, examine
from appliance.library.register import book_like
from appliance.library.sorting import folded
from appliance.models import Book, KoboDelivery, KoboEntitlement, Rendition
from kobo_api.plugged_in.content_id import file_path
from kobo_api.plugged_in.device_database import Volume

MAX_FILE = 512 * 1024 * 1024  # bytes


class By(StrEnum):
    """What tells that it is the book."""

    SYNC = "sync"  # Bookwake gave it to this Kobo
    FILE = "file"  # the very file is known
    COPY = "copy"  # the file is a copy of the same book
    TITLE = "title"  # its file is not to be had; title and author are those of one book only


class Unknown(StrEnum):
    """Why it is no book of the library."""

    NOT_EPUB = "not-epub"
    NOT_HERE = "not-in-library"
    SEVERAL = "several-books"


@dataclass(frozen=True, slots=True)
class Match:
    """`sha256`: the file whose places these are, `None` for the KEPUB that a Kobo would get now. A `copy` has to be
    registered first. `path`: the file on the device."""

    book_id: str
    title: str
    by: By
    sha256: str | None = None
    path: Path | None = None
    copy: tuple[Digests, Examined] | None = None


def match(session: Session, drive: Path, user_id: int, device_id: int, volume: Volume) -> Match | Unknown:
    """The book of a volume. Reads its file on the drive, where there is one."""
    synced = _synced(session, user_id, device_id, volume.id)
    if synced is not None:
        return synced
    if not volume.is_epub:
        return Unknown.NOT_EPUB
    return _by_file(session, drive, volume) or _by_title(session, volume)


def _synced(session: Session, user_id: int, device_id: int, volume_id: str) -> Match | None:
    query = (
        select(Book.id, Book.title)
        .join(KoboEntitlement, col(KoboEntitlement.book_id) == col(Book.id))
        .where(KoboEntitlement.id == volume_id.lower(), KoboEntitlement.user_id == user_id)
    )
    row = session.exec(query).first()
    if row is None:
        return None
    delivery = session.get(KoboDelivery, (device_id, row[0]))
    return Match(row[0], row[1], By.SYNC, delivery.sha256 if delivery is not None else None)


def _by_file(session: Session, drive: Path, volume: Volume) -> Match | None:
    path = _file(drive, volume.id)
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            names = digests(stream)
        rendition = session.get(Rendition, names.sha256)
        if rendition is not None:
            book = session.get_one(Book, rendition.book_id)
            return Match(book.id, book.title, By.FILE, names.sha256, path)
        examined = examine(path)
    except (BookError, OSError):
        return None  # such as one with DRM: its name may still tell
    like = book_like(session, examined)
    return Match(like.id, like.title, By.COPY, names.sha256, path, (names, examined)) if like is not None else None


def _file(drive: Path, volume_id: str) -> Path | None:
    """The volume's file. Synced books lie under their id, without an ending."""
    inside = file_path(volume_id)
    if inside is None and ("/" in volume_id or "\\" in volume_id or volume_id.startswith(".")):
        return None
    path = drive / inside if inside is not None else drive / ".kobo" / "kepub" / volume_id
    try:
        real = path.resolve(strict=True)
        is_ours = real.is_file() and real.is_relative_to(drive.resolve()) and real.stat().st_size <= MAX_FILE
    except OSError:
        return None
    return real if is_ours else None


def _by_title(session: Session, volume: Volume) -> Match | Unknown:
    title, author = folded(volume.title), folded(volume.author)
    words = sorted(title.split(), key=len)[-3:]
    if not words:
        return Unknown.NOT_HERE
    query = select(Book).where(*(col(Book.search_text).contains(word, autoescape=True) for word in words)).limit(100)
    found = [
        book
        for book in session.exec(query)
        if folded(book.title) == title and (not author or any(folded(name) in author for name in book.authors if name))
    ]
    if len(found) > 1:
        return Unknown.SEVERAL
    return Match(found[0].id, found[0].title, By.TITLE) if found else Unknown.NOT_HERE
