"""The one position model all dialects are translated through (docs/reference/positions.md C.1, C.4).

A document's *canonical text* is its ink: every character of the body except white space, with one U+FFFC for each atom
(an image, a video, a formula …). White space is exactly what engines disagree about; the rest agrees. A position is
the number of canonical characters before it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Literal, TypeVar

Affinity = Literal["after", "before"]

ATOM = "\ufffc"
ATOMS = frozenset({"img", "svg", "image", "video", "audio", "math", "iframe"})
# Text inside these atoms is ink all the same: what a reader without video shows instead. All engines have it.
OPEN_ATOMS = frozenset({"video", "audio"})
SILENT = frozenset({"script", "style", "template"})

# The five HTML white-space characters, and U+FFFD, which converters remove (kepub.md 4, step 7).
NO_INK = "\t\n\f\r \ufffd"


class Status(StrEnum):
    """How good a translated place is. The order is from best to worst (`rank`)."""

    EXACT = "exact"  # the place is addressable and was addressed
    SNAPPED = "snapped"  # not addressable here: the nearest addressable place, `distance` away
    RECOVERED = "recovered"  # found again by its text
    APPROXIMATE = "approximate"  # from a percentage, or only the document is known
    FAILED = "failed"  # nothing is known; `reason` says why

    @property
    def rank(self) -> int:
        """0 for the best status."""
        return _RANKS[self]


_RANKS = {status: rank for rank, status in enumerate(Status)}
_rank = _RANKS.__getitem__


def worst(*statuses: Status) -> Status:
    """The weakest of the steps of a translation (positions.md C.4)."""
    return max(statuses, key=_rank)


class Reason(StrEnum):
    """Why a place is not exact. Stable codes: they are stored and shown on APIs."""

    NONE = ""
    SYNTAX = "syntax"  # the locator cannot be read
    TOO_LONG = "too-long"  # the locator is longer than any real one
    NO_DOCUMENT = "no-document"  # it names a document the book does not have
    NO_PLACE = "no-place"  # the document has no such element, text or span
    BEYOND_END = "beyond-end"  # the offset is greater than the text
    UNREADABLE = "unreadable"  # the document or the book file cannot be read
    INDEXING = "indexing"  # the document is so long that its index is still being made: ask again
    EMPTY = "empty"  # the document has no text; its start is all there is
    NOT_ADDRESSABLE = "not-addressable"  # the place exists but has no name in this dialect
    UNDECIDED = "undecided"  # KOReader's numbering of this document is not certain
    NO_SPANS = "no-spans"  # the document has no koboSpans
    WHOLE_DOCUMENT = "whole-document"  # the locator names a document, so its start
    FRACTION = "fraction"  # from a percentage
    DIFFERENT_TEXT = "different-text"  # the two renditions differ here
    MOVED = "moved"  # the text stands elsewhere in the other rendition
    AMBIGUOUS = "ambiguous"  # the text stands in several places; this is the nearest of them
    TOO_LARGE = "too-large"  # the document is too long to be indexed, or two that differ are to be compared
    OTHER_DIALECT = "other-dialect"  # read by epub.js's numbering, or the offset by code points


@dataclass(frozen=True, slots=True)
class Position:
    """A place in one rendition.

    `document`: path of the content document in the archive. `occurrence`: 0 for its first place in the spine, 1 for
    the second … `k`: canonical characters before the place, 0 ≤ k ≤ length. `affinity`: "after" is the place before
    character k (points, starts of ranges), "before" the place behind character k − 1 (ends of ranges).
    """

    document: str
    occurrence: int
    k: int
    affinity: Affinity = "after"


@dataclass(frozen=True, slots=True)
class Range:
    """Two positions, `start` before `end`; `end` has affinity "before"."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Place:
    """A decoded position with its quality.

    `position` is `None` exactly when `status` is FAILED. `tick`: canonical characters before it in the whole book,
    out of `total`.
    """

    position: Position | None
    status: Status
    reason: Reason
    tick: int | None
    total: int


Locator = TypeVar("Locator", covariant=True)


@dataclass(frozen=True, slots=True)
class Encoded(Generic[Locator]):
    """A position in a dialect's own words.

    `locator` is `None` exactly when `status` is FAILED. `distance`: canonical characters from the place the locator
    means to the asked one, so 0 when exact, positive when the locator lies before. Kobo progress names a whole span:
    `distance` is then how far into the span the place is. `content_percent`, `book_percent`: share of the document and
    of the book before the locator, whole percents rounded down, 0 … 100.
    """

    locator: Locator | None
    status: Status
    reason: Reason
    distance: int = 0
    content_percent: int = 0
    book_percent: int = 0


@dataclass(frozen=True, slots=True)
class RangePlace:
    """A decoded range: the places of its two ends."""

    start: Place
    end: Place

    @property
    def range(self) -> Range | None:
        """The range, `None` when an end is unknown."""
        if self.start.position is None or self.end.position is None:
            return None
        return Range(self.start.position, self.end.position)

    @property
    def status(self) -> Status:
        """That of the weaker end."""
        return worst(self.start.status, self.end.status)

    @property
    def reason(self) -> Reason:
        """That of the weaker end."""
        return self.start.reason if self.status is self.start.status else self.end.reason


@dataclass(frozen=True, slots=True)
class EncodedRange(Generic[Locator]):
    """A range in a dialect's own words: two XPointers, one CFI, two Kobo locators.

    `locator` is `None` exactly when `status` is FAILED. `start_distance`, `end_distance`: as `Encoded.distance`.
    """

    locator: Locator | None
    status: Status
    reason: Reason
    start_distance: int = 0
    end_distance: int = 0
