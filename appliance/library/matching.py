"""Is this file a new rendition of a book we have? A pure rule, because a wrong yes mixes two books' reading data.

The unique identifier alone is not enough: makers write “unknown” or copy it to another book (the corpus has both). The
text alone is not enough either: picture books of the same number of pages have the same text, namely none.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from appliance.library.sorting import folded
from appliance.positions.summary import BookSummary

# Where the file lies: in the place of the book's file ("same"), beside it under the same name ("beside", a.epub and
# a.kepub.epub), or anywhere else.
Nearness = Literal["same", "beside", "elsewhere"]

PROSE = 1000  # canonical characters, in documents of at least PAGE: enough to be a text of its own
PAGE = 100  # canonical characters

# Below this share of common text a file is another book (positions.md C.6).
SAME_TEXT = 0.5
SAME_LENGTH = 0.1  # as a share: how much the lengths of two copies with the same names may differ


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is compared."""

    unique_identifier: str | None
    title: str
    authors: tuple[str, ...]
    summary: BookSummary


def is_same_book(new: Portrait, known: Portrait, nearness: Nearness) -> bool:
    """Whether `new` is a rendition of the book that `known` is a rendition of."""
    same_title = folded(new.title) == folded(known.title)
    same_authors = [folded(name) for name in new.authors] == [folded(name) for name in known.authors]
    same_names = same_title and same_authors
    same_identifier = new.unique_identifier is not None and new.unique_identifier == known.unique_identifier
    if new.summary.fingerprint == known.summary.fingerprint:
        return has_prose(new.summary) or nearness != "elsewhere" or (same_identifier and same_names)
    shared = shared_text(new.summary, known.summary)
    if shared >= SAME_TEXT:
        return same_identifier or nearness != "elsewhere"
    if not same_identifier:
        return False
    if nearness == "elsewhere":
        return same_names and _similar_length(new.summary, known.summary)
    return same_title or same_authors or shared > 0


def has_prose(summary: BookSummary) -> bool:
    """Whether the text is long enough to tell this book from all others. Pages that are a picture do not count."""
    return sum(document.length for document in summary.documents if document.length >= PAGE) >= PROSE


def shared_text(one: BookSummary, other: BookSummary) -> float:
    """The share of the shorter text that stands in documents which both have, 0 … 1."""
    shorter = min(one.total, other.total)
    common = _texts(one) & _texts(other)
    return sum(length * times for (_, length), times in common.items()) / shorter if shorter else 0.0


def _texts(summary: BookSummary) -> Counter[tuple[str, int]]:
    return Counter((document.digest, document.length) for document in summary.documents if document.length)


def _similar_length(one: BookSummary, other: BookSummary) -> bool:
    return abs(one.total - other.total) <= SAME_LENGTH * max(one.total, other.total)
