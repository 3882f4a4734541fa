"""Where in a book a text may stand, without reading the book again (docs/reference/positions.md C.5 step 3)."""

from array import array
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

from appliance.epub.errors import BookError
from appliance.positions.fold import fold

if TYPE_CHECKING:
    from appliance.positions.book import OpenBook

GRAM = 16  # characters
SPACING = 8  # characters from one kept gram to the next
MOST = 64  # entries of one gram that are looked at: what stands more often tells nothing


class Grams:
    """Every eighth 16-gram of a book's folded text, as sorted 64-bit numbers: half its hash, and the document.

    A text of 23 characters or more that stands in the book is always found, because all its grams are looked up. That
    is what a sample by minimum would promise too, at eight times the work.
    """

    def __init__(self, book: "OpenBook") -> None:
        """Reads the whole book. Documents that cannot be read are left out."""
        entries = array("Q")
        for document in book.summary.documents:
            try:
                text = fold(book.canonical_text(document)) if document.length else ""
            except (BookError, OSError):
                continue
            entries.extend(
                _entry(text[at : at + GRAM], document.ordinal) for at in range(0, len(text) - GRAM + 1, SPACING)
            )
        self._entries = array("Q", sorted(entries))

    def documents(self, text: str) -> list[int]:
        """Ordinals of the documents that share most with a folded text, the best first."""
        votes: Counter[int] = Counter()
        for at in range(len(text) - GRAM + 1):
            low = _entry(text[at : at + GRAM], 0)
            first = bisect_left(self._entries, low)
            found = self._entries[first : first + MOST]
            votes.update({entry & 0xFFFFFFFF for entry in found if entry >> 32 == low >> 32})
        return [ordinal for ordinal, _ in votes.most_common()]


def _entry(gram: str, ordinal: int) -> int:
    return (hash(gram) & 0xFFFFFFFF) << 32 | ordinal
