"""Shares of a book as its clients count them: by text, in whole percents, by bytes (docs/reference/positions.md C.7).

Pages are in `page_share.py`. Everything here is a function of the spine table.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, floor

from appliance.positions.summary import BookSummary, SpineDocument

# Canonical characters of a page whose size nobody told: a paperback has some 1500, a phone 500.
PAGE = 1000
# Share of the book by which percentages of different engines disagree about one place: they count lines, bytes or
# characters. KOReader against the share of text: 0.016 at most over three sizes of its font (docs/positions.md).
ENGINES = 0.02


def text_share(summary: BookSummary, document: SpineDocument, k: int) -> float:
    """Bookwake's own: the share of the text before a place, 0 … 1. Documents outside the reading order weigh nothing,
    so all of such a document is at one share."""
    weights = summary.weights
    first, last = weights[document.ordinal], weights[document.ordinal + 1]
    return min(first + min(max(k, 0), document.length), last) / weights[-1] if weights[-1] else 0.0


def at_text_share(summary: BookSummary, share: float) -> tuple[SpineDocument, int]:
    """The reverse: the document, and canonical characters into it. A share that is no number is the start."""
    wanted = min(max(share, 0.0), 1.0) if share == share else 0.0  # NaN is not equal to itself
    weight = round(wanted * summary.weights[-1])
    at = bisect_right(summary.weights, weight) - 1
    if weight == summary.weights[-1]:  # the end is that of the last text, not of an empty page behind it
        at = max(bisect_left(summary.weights, weight) - 1, 0)
    document = summary.documents[at]
    return document, min(weight - summary.weights[at], document.length)


def whole_percent(share: float) -> int:
    """A share as a Kobo is told it: an integer, rounded down, so that 100 means all of it (kobo-protocol.md 5.4)."""
    # 0.29 * 100 is a little less than 29.
    return floor(min(max(share, 0.0), 1.0) * 100 + 1e-9)


def of_percent(percent: float, length: int) -> tuple[int, int]:
    """What a percent rounded down stands for, of `length` characters: the first place that has it, so that nothing is
    skipped, and by how many characters it may be too early."""
    if percent >= 100:
        return length, 0
    return min(ceil(max(percent, 0.0) * length / 100 - 1e-9), length), ceil(length / 100)


@dataclass(frozen=True, slots=True)
class ByteShare:
    """foliate's fraction (positions.md B.5; BookOrbit, Grimmory and Readest ship it): sections weigh their bytes, those
    with `linear="no"` nothing, and the number is that of the *end* of the visible page.

    `weights`: bytes before each section, with the total as an extra last entry. `lengths`: canonical characters.
    """

    weights: tuple[int, ...]
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, summary: BookSummary) -> "ByteShare":
        """That of a rendition: the bytes are those of its very files."""
        sizes = (document.size if document.linear else 0 for document in summary.documents)
        lengths = tuple(document.length for document in summary.documents)
        return cls(tuple(accumulate(sizes, initial=0)), lengths)

    def at(self, ordinal: int, k: int, page: int = PAGE) -> float:
        """The fraction shown when the page that begins at character `k` of a section holds `page` characters."""
        total = self.weights[-1]
        first, last = self.weights[ordinal], self.weights[ordinal + 1]
        length = self.lengths[ordinal]
        inside = min((max(k, 0) + page) / length, 1.0) if length else 1.0
        return (first + inside * (last - first)) / total if total else 0.0

    def place(self, fraction: float, page: int = PAGE) -> tuple[int, int, int]:
        """The reverse: section, characters before the page, and by how many they may be wrong.

        The border of two sections is the end of the first one's last page.
        """
        total = self.weights[-1]
        bytes_before = min(max(fraction, 0.0), 1.0) * total if fraction == fraction else 0.0
        # A fraction is a quotient, so a border is met only nearly.
        ordinal = max(bisect_left(self.weights, bytes_before - 1e-9 * total) - 1, 0)
        ordinal = min(ordinal, len(self.lengths) - 1)
        while ordinal + 1 < len(self.lengths) and self.weights[ordinal] == self.weights[ordinal + 1]:
            ordinal += 1  # only before the first section that weighs anything
        first, last = self.weights[ordinal], self.weights[ordinal + 1]
        length = self.lengths[ordinal]
        inside = min(max((bytes_before - first) / (last - first), 0.0), 1.0) if last > first else 0.0
        return ordinal, min(max(round(inside * length) - page, 0), length), page + ceil(ENGINES * length)
