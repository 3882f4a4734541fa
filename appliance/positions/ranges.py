"""Ranges: two places and the text between them, in every dialect (docs/reference/positions.md C.4, C.10).

Dialects write a range in their own ways, and each end has its own side: a start stands before its first character, an
end behind its last one, so an end at the start of something belongs to what comes before it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from appliance.positions import cfi
from appliance.positions.book import UNREADABLE, OpenBook
from appliance.positions.canonical import (
    Encoded,
    EncodedRange,
    Locator,
    Place,
    Position,
    Range,
    RangePlace,
    Reason,
    Status,
    worst,
)
from appliance.positions.kobospan import KoboLocator
from appliance.positions.summary import BookSummary

MAX_TEXT = 1_000_000  # canonical characters that `range_text` gives at most

Part = TypeVar("Part")
End = TypeVar("End")
Decode = Callable[..., Place]  # of a locator, and the keyword `end`


def decode_xpointer_range(book: OpenBook, pos0: str, pos1: str) -> RangePlace:
    """A highlight of KOReader: its first character, and the place just behind its last one (xpointer.md 12)."""
    return between(book, pos0, pos1, book.decode_xpointer)


def decode_cfi_range(book: OpenBook, text: str) -> RangePlace:
    """A range CFI; a point is an empty range."""
    try:
        start, end = cfi.parse(text)
    except cfi.CfiSyntaxError:
        failed = book.decode_cfi(text)
        return RangePlace(failed, failed)
    if end is None:
        place = book.resolve_cfi(start)
        return _tightened(book, RangePlace(place, place))
    return between(book, start, end, book.resolve_cfi)


def decode_kobo_range(book: OpenBook, start: KoboLocator, end: KoboLocator) -> RangePlace:
    """An annotation of a Kobo: spans, first offset and offset behind the last character (kobo-protocol.md 7.9). A
    locator without an offset is the start of its span."""

    def decode(locator: KoboLocator, *, end: bool = False) -> Place:
        return book.decode_kobo(locator.source, locator.value, locator.offset, end=end)

    return between(book, start, end, decode)


def encode_xpointer_range(book: OpenBook, range: Range, *, indexed: bool = False) -> EncodedRange[tuple[str, str]]:
    """KOReader's `pos0` and `pos1`. `indexed`: as for `OpenBook.encode_xpointer`."""
    return _encode(
        book,
        range,
        lambda position: book.encode_xpointer(position, indexed=indexed),
        lambda start, end: (start, end),
        lambda pair: decode_xpointer_range(book, *pair),
    )


def encode_cfi_range(book: OpenBook, range: Range) -> EncodedRange[str]:
    """The CFI that foliate-js would write for this range; a point when it is empty."""
    return _encode(
        book,
        range,
        book.encode_cfi,
        lambda start, end: cfi.write_range(cfi.parse(start)[0], cfi.parse(end)[0]),
        lambda text: decode_cfi_range(book, text),
    )


def encode_kobo_range(book: OpenBook, range: Range) -> EncodedRange[tuple[KoboLocator, KoboLocator]]:
    """Both ends with their spans and offsets. In a document without spans both name the document alone, which is
    approximate."""
    return _encode(
        book,
        range,
        lambda position: book.encode_kobo(position, offset=True),
        lambda start, end: (start, end),
        lambda pair: decode_kobo_range(book, *pair),
    )


def range_text(book: OpenBook, range: Range) -> str:
    """The canonical characters between the ends, at most `MAX_TEXT`; without those of documents that cannot be read."""
    try:
        summary = book.summary
    except UNREADABLE:
        return ""
    first = summary.document(range.start.document, range.start.occurrence)
    last = summary.document(range.end.document, range.end.occurrence)
    if first is None or last is None:
        return ""
    pieces: list[str] = []
    room = MAX_TEXT
    for document in summary.documents[first.ordinal : last.ordinal + 1]:
        start = max(range.start.k, 0) if document is first else 0
        end = max(range.end.k, 0) if document is last else document.length
        if room <= 0:
            break
        if start >= end:
            continue
        try:
            piece = book.canonical_text(document)[start : min(end, start + room)]
        except UNREADABLE:
            continue
        pieces.append(piece)
        room -= len(piece)
    return "".join(pieces)


def between(book: OpenBook, first: Part, second: Part, decode: Decode) -> RangePlace:
    """The range between two locators, in the order of the book: a selection may be made backwards."""
    found = RangePlace(decode(first), decode(second, end=True))
    if found.range is not None and (found.end.tick or 0) < (found.start.tick or 0):
        found = RangePlace(decode(second), decode(first, end=True))
    return _tightened(book, found)


def _tightened(book: OpenBook, found: RangePlace) -> RangePlace:
    """The same text, begun in the document of its first character and ended in that of its last one."""
    start, end = found.start, found.end
    if start.position is None or end.position is None:
        return found
    begin = start.position if start.position.affinity == "after" else replace(start.position, affinity="after")
    stop = end.position if end.position.affinity == "before" else replace(end.position, affinity="before")
    if start.tick == end.tick:
        stop = replace(begin, affinity="before")
    elif (begin.document, begin.occurrence) != (stop.document, stop.occurrence):
        begin, stop = _onward(book.summary, begin), _back(book.summary, stop)
    if begin is start.position and stop is end.position:
        return found
    return RangePlace(replace(start, position=begin), replace(end, position=stop))


def _onward(summary: BookSummary, position: Position) -> Position:
    """The end of a document is the start of the next one that has text."""
    here = summary.document(position.document, position.occurrence)
    if here is None or position.k < here.length:
        return position
    after = next((document for document in summary.documents[here.ordinal + 1 :] if document.length), here)
    return position if after is here else Position(after.path, after.occurrence, 0)


def _back(summary: BookSummary, position: Position) -> Position:
    """The start of a document is the end of the last one before that has text."""
    here = summary.document(position.document, position.occurrence)
    if here is None or position.k > 0:
        return position
    before = next((document for document in reversed(summary.documents[: here.ordinal]) if document.length), here)
    return position if before is here else Position(before.path, before.occurrence, before.length, "before")


def _encode(
    book: OpenBook,
    range: Range,
    name: Callable[[Position], Encoded[End]],
    join: Callable[[End, End], Locator],
    decode: Callable[[Locator], RangePlace],
) -> EncodedRange[Locator]:
    """Name both ends, put them together, and read the result back (positions.md C.4, rule 10)."""
    wanted = between(book, range.start, range.end, lambda position, *, end=False: book.place(position))
    if wanted.range is None:
        return EncodedRange(None, Status.FAILED, wanted.reason)
    start = name(wanted.range.start)
    end = start if wanted.start.tick == wanted.end.tick else name(wanted.range.end)
    if start.locator is None or end.locator is None:
        return EncodedRange(None, Status.FAILED, start.reason if start.locator is None else end.reason)
    named = _tick(wanted.start) - start.distance, _tick(wanted.end) - end.distance
    # What lies wholly in a gap is named by what stands around the gap: its ends have changed places.
    around = named[0] > named[1]
    locator = join(end.locator, start.locator) if around else join(start.locator, end.locator)
    read = decode(locator)
    if read.range is None:
        return EncodedRange(None, Status.FAILED, read.reason)
    status = worst(start.status, end.status, wanted.status)
    reason = next((step.reason for step in (start, end, wanted) if step.status is status), Reason.NONE)
    if _same(read.range, wanted.range):
        return EncodedRange(locator, status, reason)
    if status is Status.EXACT:
        status, reason = Status.SNAPPED, Reason.NOT_ADDRESSABLE
    return EncodedRange(
        locator, status, reason, _tick(wanted.start) - _tick(read.start), _tick(wanted.end) - _tick(read.end)
    )


def _tick(place: Place) -> int:
    return place.tick or 0


def _same(one: Range, other: Range) -> bool:
    """The same characters. A file that stands in the spine twice has them twice, and not every dialect can tell."""
    return one == other or (
        one.start.document == one.end.document == other.start.document == other.end.document
        and (one.start.k, one.end.k) == (other.start.k, other.end.k)
        and one.start.occurrence == one.end.occurrence
        and other.start.occurrence == other.end.occurrence
    )
