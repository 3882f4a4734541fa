"""The books that were used last, kept open within bounds."""

from pathlib import Path

from appliance.positions.book import OpenBook
from appliance.positions.summary import BookSummary


class Shelf:
    """Open books by SHA-256, and their document indices, least recently used first out. Safe to share between threads."""

    def __init__(self, books: int = 16, capacity: int = 32 * 1024 * 1024) -> None:
        """`books`: how many stay open. `capacity`: bytes of document indices kept, over all books."""
        raise NotImplementedError

    def book(self, sha256: str, path: Path, summary: BookSummary | None = None) -> OpenBook:
        """The rendition with that hash, opened from `path` if it is not on the shelf. Raises as `OpenBook.open`."""
        raise NotImplementedError

    def close(self) -> None:
        """Close every book."""
        raise NotImplementedError
