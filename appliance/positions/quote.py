"""The words around a position, to show to people and to find the place again (docs/reference/positions.md C.5)."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.positions.canonical import Position, Range
from appliance.positions.document import DocumentIndex
from appliance.positions.ink import ink_offset

if TYPE_CHECKING:
    from appliance.positions.book import OpenBook

DISPLAY = 120  # characters
CONTEXT = 48  # canonical characters
WHOLE = 512  # canonical characters; of a longer range each end is kept
END = 256  # canonical characters


@dataclass(frozen=True, slots=True)
class Quote:
    """`prefix`, `suffix`: canonical characters (no white space) before and after the place, for comparing.

    `display`: the words that follow the place, with single spaces, for people.
    """

    prefix: str
    suffix: str
    display: str


def quote(index: DocumentIndex, k: int, before: int, after: int) -> Quote:
    """The quote of canonical index `k`; `before` and `after` in canonical characters."""
    return Quote(index.text[max(k - before, 0) : k], index.text[k : k + after], _display(index, k))


def _display(index: DocumentIndex, k: int) -> str:
    pieces: list[str] = []
    length = 0
    last_parent = None
    for chunk in index.chunks_from(k):
        text = chunk.text[ink_offset(chunk.text, k - chunk.first) :] if chunk.first < k else chunk.text
        if chunk.parent is not last_parent and index.block_start(chunk.first) == chunk.first:
            pieces.append(" ")
        pieces.append(text)
        last_parent = chunk.parent
        length += len(text)
        if length > 2 * DISPLAY:
            break
    words = " ".join("".join(pieces).split())
    if len(words) <= DISPLAY:
        return words
    return words[:DISPLAY].rsplit(" ", 1)[0] + "…"


@dataclass(frozen=True, slots=True)
class TextQuote:
    """What finds a place or range again when its file is gone (positions.md C.5), in canonical characters.

    `exact`: the text of a range, "" for a place; when `length` is more than 512, its first and its last 256 characters.
    `prefix`, `suffix`: up to 48 characters around it. `document`, `occurrence`, `k`: where it began, in a document of
    `document_length`; `tick` of `total` in the book. `display`: the words from there on, with spaces, for people.
    """

    exact: str
    prefix: str
    suffix: str
    length: int
    document: str
    occurrence: int
    k: int
    document_length: int
    tick: int
    total: int
    display: str

    @property
    def head(self) -> str:
        """The beginning of the text, of which nothing is missing."""
        return self.exact if self.length <= WHOLE else self.exact[:END]

    @property
    def tail(self) -> str:
        """The end of the text, of which nothing is missing."""
        return self.exact if self.length <= WHOLE else self.exact[END:]


def quote_of(book: "OpenBook", where: Position | Range) -> TextQuote:
    """The quote of a place or range of this very book. Raises `BookError` or `OSError` when it cannot be read, and
    `ValueError` for a document that the book does not have."""
    start, end = (where.start, where.end) if isinstance(where, Range) else (where, where)
    summary = book.summary
    first = summary.document(start.document, start.occurrence)
    last = summary.document(end.document, end.occurrence)
    if first is None or last is None:
        raise ValueError(f"the book has no document {start.document!r} or {end.document!r}")
    display = book.quote(start, 0, 0).display
    base, tick = summary.bases[first.ordinal], summary.bases[first.ordinal] + min(max(start.k, 0), first.length)
    stop = max(summary.bases[last.ordinal] + min(max(end.k, 0), last.length), tick)
    if stop - tick <= WHOLE:
        exact = text_between(book, tick, stop)
    else:
        exact = text_between(book, tick, tick + END) + text_between(book, stop - END, stop)
    return TextQuote(
        exact,
        text_between(book, max(tick - CONTEXT, base), tick),
        text_between(book, stop, min(stop + CONTEXT, summary.bases[last.ordinal + 1])),
        stop - tick,
        first.path,
        first.occurrence,
        tick - base,
        first.length,
        tick,
        summary.total,
        display,
    )


def text_between(book: "OpenBook", tick: int, stop: int) -> str:
    """The canonical characters between two ticks of a book. Raises `BookError` or `OSError`."""
    summary = book.summary
    pieces: list[str] = []
    at = max(bisect_right(summary.bases, tick) - 1, 0)
    while at < len(summary.documents) and summary.bases[at] < stop:
        document, base = summary.documents[at], summary.bases[at]
        if document.length:
            pieces.append(book.canonical_text(document)[max(tick - base, 0) : stop - base])
        at += 1
    return "".join(pieces)
