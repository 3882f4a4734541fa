"""Cover pictures in the size somebody asks for: JPEG, made once, kept under the hash of the original picture.

A book without a cover gets a drawn one, because a shelf on a Kobo shows nothing at all otherwise.
"""

import hashlib
import os
import tempfile
import threading
import time
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from appliance.epub.archive import Archive
from appliance.epub.cover import Cover, read_cover
from appliance.epub.errors import BookError
from appliance.house import House
from appliance.library.renditions import path_of
from appliance.models import Book, Rendition

if TYPE_CHECKING:
    from PIL import Image

WALL = (360, 540)  # in the browser's wall of covers, at two pixels for one; made ahead of time (sweeps/preparation.py)
SMALLEST, LARGEST = 16, 2400  # pixels of a side; the largest Kobo has 1,872
MAX_PIXELS = 32_000_000  # of the original: 128 MB unpacked
WIDEST = 3  # times as wide as high, or the other way round: such a picture is an ornament and not a cover
MAX_SIZES = 24  # kept of one picture; all devices and pages together ask for about ten
MAX_BYTES = 4 * 1024**3  # kept of all pictures; the wall of 50,000 books needs less than half of it
SHARES = 256  # folders that they lie in, each with its share of that
ABANDONED = 3600  # seconds; what a loss of power left half written
QUALITY = 85

# One picture is unpacked at a time, whatever the number of readers: that bounds the memory.
_one_at_a_time = threading.Lock()


def picture_id(book: Book) -> str:
    """Names the cover of a book as it is now: another picture has another id, the same picture the same."""
    if book.cover_sha256 is not None:
        return book.cover_sha256
    return hashlib.sha256("\0".join(["drawn 1", book.title, *book.authors]).encode()).hexdigest()


def cover(house: House, session: Session, book_id: str, width: int, height: int, *, grey: bool = False) -> Path | None:
    """A JPEG file of the book's cover, as large as fits into `width` × `height` pixels, never larger than the original.

    Made now if it never was: 20 to 200 ms. `None` when there is no such book, or its file cannot be read for the moment
    and this size was never made.
    """
    book = session.get(Book, book_id)
    if book is None:
        return None
    width, height = (min(max(side, SMALLEST), LARGEST) for side in (width, height))
    name = picture_id(book)
    path = house.settings.covers / name[:2] / name / f"{width}x{height}{'-grey' if grey else ''}.jpg"
    if path.exists():
        return path
    original = _original(house, session, book) if book.cover_sha256 is not None else b""
    if original is None:
        return None
    with _one_at_a_time:
        if not path.exists():
            _store(path, _jpeg(original, book, width, height, grey))
    return path


def _original(house: House, session: Session, book: Book) -> bytes | None:
    """The bytes of the picture, from any file of the book that has it; `None` when none of them can be read now."""
    holders = (
        select(Rendition.sha256, Rendition.cover_path, Rendition.cover_embedded)
        .where(Rendition.book_id == book.id, Rendition.cover_sha256 == book.cover_sha256)
        .order_by((col(Rendition.sha256) == book.main_sha256).desc())
    )
    for sha256, entry, embedded in session.exec(holders).all():
        path = path_of(house, session, sha256)
        if path is None or entry is None:
            continue
        try:
            with Archive(path) as archive:
                return read_cover(archive, Cover(entry, embedded))
        except (BookError, OSError):  # it could be read when the book came
            continue
    return None


def _jpeg(original: bytes, book: Book, width: int, height: int, grey: bool) -> bytes:
    from PIL import Image

    picture = _opened(original, width, height)
    if picture is None:
        from appliance.library.drawn_cover import drawn_cover  # brings a font along

        picture = drawn_cover(book.title, book.authors, min(height, width * 3 // 2))
    picture.thumbnail((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    result = BytesIO()
    picture.convert("L" if grey else "RGB").save(result, "JPEG", quality=QUALITY, optimize=True)
    return result.getvalue()


def _opened(original: bytes, width: int, height: int) -> "Image.Image | None":
    """The picture, upright and opaque; `None` for one that is damaged, too large, or no cover."""
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(original), formats=("JPEG", "PNG", "GIF", "WEBP")) as opened:
            shape = opened.width / max(opened.height, 1)
            if opened.width * opened.height > MAX_PIXELS or not 1 / WIDEST < shape < WIDEST:
                return None
            opened.draft("RGB", (width * 2, height * 2))  # unpacks a JPEG at a fraction of its size
            picture = ImageOps.exif_transpose(opened)
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                above = picture.convert("RGBA")
                picture = Image.new("RGBA", above.size, "white")
                picture.alpha_composite(above)
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, ArithmeticError, Image.DecompressionBombError):
        return None


def _store(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, even if the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_room(path.parent, len(data))
    descriptor, temporary = tempfile.mkstemp(prefix=".making-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _make_room(folder: Path, size: int) -> None:
    """Of too many sizes of a picture, and of too much in its share, what was made first goes."""
    kept = []
    for file in folder.parent.glob("*/*"):
        with suppress(FileNotFoundError):  # the process that makes covers ahead of time is at work too
            status = file.stat()
            if not file.name.startswith("."):
                kept.append((status.st_mtime_ns, status.st_size, file))
            elif time.time() - status.st_mtime > ABANDONED:
                file.unlink()
    kept.sort()
    sizes = sum(file.parent == folder for _, _, file in kept) + 1
    total = sum(size for _, size, _ in kept) + size
    for _, size, file in kept:
        is_surplus = file.parent == folder and sizes > MAX_SIZES
        if is_surplus or total > MAX_BYTES // SHARES:
            file.unlink(missing_ok=True)
            total -= size
            sizes -= file.parent == folder
