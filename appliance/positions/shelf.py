"""The books that were used last, kept open within bounds."""

from pathlib import Path
from threading import Lock

from appliance.positions.aside import Aside
from appliance.positions.book import Alignments, OpenBook
from appliance.positions.open_document import Documents
from appliance.positions.recent import Recent
from appliance.positions.summary import BookSummary


class Shelf:
    """Open books by SHA-256 and their document indices; least recently used first out. Threads may share it."""

    def __init__(self, books: int = 16, capacity: int = 32 * 1024 * 1024) -> None:
        """`books`: how many stay open. `capacity`: bytes of document indices kept, over all books; what was found out
        about pairs of renditions may take a quarter as many."""
        self._books: Recent[str, OpenBook] = Recent(books)
        self._documents: Documents = Recent(capacity)
        self._alignments: Alignments = Recent(capacity // 4)
        self._aside = Aside()
        self._stamps: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def held(self, sha256: str) -> OpenBook | None:
        """The rendition if it is on the shelf and its file is still the one that was opened: the way without a look
        into the database."""
        book = self._books.get(sha256)
        if book is None:
            return None
        try:
            return book if _stamp(book.path) == self._stamps.get(sha256) else None
        except OSError:
            return None

    def book(self, sha256: str, path: Path, summary: BookSummary | None = None) -> OpenBook:
        """The rendition with that hash, from `path` if it is not on the shelf. Nothing is read yet."""
        book = self._books.get(sha256)
        if book is not None and book.path == path:
            return book
        with self._lock:
            book = self._books.get(sha256)
            if book is None or book.path != path:
                try:
                    self._stamps[sha256] = _stamp(path)
                except OSError:
                    self._stamps.pop(sha256, None)
                book = OpenBook.open(path, sha256, summary, self._documents, self._alignments)
                book.aside = self._aside
                for old in self._books.put(sha256, book):
                    if old.sha256 != sha256:
                        self._stamps.pop(old.sha256, None)
                    old.close()
        return book

    def close(self) -> None:
        """Close every book. Documents that are being indexed are finished, and forgotten."""
        self._aside.close()
        for book in self._books.clear():
            book.close()
        self._documents.clear()


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a file is replaced: its size and time."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
