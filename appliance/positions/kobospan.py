"""The Kobo dialect: koboSpans in the delivered file (docs/reference/kepub.md 11 and 14, kobo-protocol.md 5.3, 7.9).

Span ids are read from the file itself, never computed: producers number differently (kepub.md 9).
"""

import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import unquote

from appliance.positions.canonical import Position, Reason, Status
from appliance.positions.document import DocumentIndex, Element
from appliance.positions.found import Found
from appliance.positions.ink import code_points, ink_end, ink_length, ink_offset, units

MAX_LENGTH = 2048  # characters of a source or a value

_END = re.compile(r"[\s>\[:/]")
_VALUE = re.compile(r"kobo\.\d{1,9}\.\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KoboLocator:
    """A place as a Kobo names it.

    `source`: path of the document inside the KEPUB. `value`: id of the span, `kobo.18.2`; empty for a whole document.
    `offset`: UTF-16 units into the span's text (annotations), `None` for reading progress, which means the span. That a
    Kobo counts a character beyond U+FFFF as two has not been measured on a device (kobo-protocol.md 7.9).
    """

    source: str
    value: str
    offset: int | None = None


def parse_value(text: str) -> str | None:
    """The span id in any of its spellings: `kobo.18.2`, `span#kobo\\.18\\.2`, `OEBPS/ch07.xhtml#kobo.18.2`
    (kobo-protocol.md 7.9); the empty string for none, `None` if it cannot be read."""
    if not text:
        return ""
    if len(text) > MAX_LENGTH:
        return None
    value = _END.split(text.rpartition("#")[2], 1)[0].replace("\\", "")
    return value if _VALUE.fullmatch(value) else None


def selector(value: str) -> str:
    """The span as `startPath` and `endPath` of an annotation that we make: `span#kobo\\.18\\.2`
    (kobo-protocol.md 7.9)."""
    return "span#" + value.replace(".", "\\.")


def normalise_source(source: str) -> str:
    """Archive path of a `Location.Source` (kobo-protocol.md 5.3): no volume prefix, slash, escapes or fragment."""
    return unquote(source.rpartition("!")[2].lstrip("/")).partition("#")[0]


def match_source(source: str, paths: Collection[str]) -> str | None:
    """The document that a source names: exactly, else by unique suffix."""
    wanted = normalise_source(source)
    for candidate in (wanted, source):
        if candidate in paths:
            return candidate
    if not wanted:
        return None
    ending = [path for path in paths if path.endswith("/" + wanted) or wanted.endswith("/" + path)]
    return ending[0] if len(set(ending)) == 1 else None


def find(index: DocumentIndex, value: str, offset: int | None, *, end: bool = False) -> Found:
    """The canonical place of a span, or of `offset` UTF-16 units into its text.

    `end`: the place is the exclusive end of a range, so an offset of 0 is the end of what comes before.
    """
    found = _find(index, value, offset)
    return found._replace(affinity="before") if end else found


def _find(index: DocumentIndex, value: str, offset: int | None) -> Found:
    if not value:
        return Found(0, Status.EXACT, Reason.WHOLE_DOCUMENT)
    span = index.span_by_id.get(value)
    if span is None:
        return _near(index, value)
    if offset is not None and offset < 0:
        return Found(span.first, Status.APPROXIMATE, Reason.BEYOND_END)
    if not offset:
        return Found(span.first, Status.EXACT)
    for chunk in span.texts():
        length = units(chunk.text, len(chunk.text))
        if offset <= length:
            k = chunk.first + ink_length(chunk.text, 0, code_points(chunk.text, offset))
            return Found(k, Status.EXACT)
        offset -= length
    return Found(span.last, Status.APPROXIMATE, Reason.BEYOND_END, "before")


def _near(index: DocumentIndex, value: str) -> Found:
    """A span the file does not have: ids rise through a file, so its neighbour tells roughly where it was."""
    if not index.spans:
        return Found(0, Status.APPROXIMATE, Reason.NO_SPANS)
    keys = [_key(span.id or "") for span in index.spans]
    at = bisect_right(keys, _key(value)) - 1
    return Found(index.spans[at].first if at >= 0 else 0, Status.APPROXIMATE, Reason.NO_PLACE)


def _key(value: str) -> tuple[int, int]:
    _, paragraph, segment = value.split(".")
    return int(paragraph), int(segment)


def point(index: DocumentIndex, position: Position, *, offset: bool) -> tuple[str, int | None, Status, Reason]:
    """Span id, offset in it (`None` without `offset`), and how well that names the position (kepub.md 14.4).

    Progress names the span that *contains* the place: the reader may re-read some words, and never skips any.
    """
    before = position.affinity == "before"
    k = min(max(position.k, 0), index.length)
    backwards = k > 0 and (before or k == index.length)
    if before and offset and k - 1 in index.atoms:
        # No offset names the place behind an image; the place before what follows means the same.
        following = index.span_at(k)
        if following is not None:
            return following.id or "", _offset_in(following, k, False), Status.EXACT, Reason.NONE
    span = index.span_at(k - 1 if backwards else k)
    if span is not None:
        if not offset:
            return span.id or "", None, Status.EXACT, Reason.NONE
        return span.id or "", _offset_in(span, k, backwards), Status.EXACT, Reason.NONE
    # In a gap (`pre`, formulas, text without spans): the next span for a start, the one before for an end.
    ahead, behind = index.span_after(k), index.span_before(k)
    if ahead is not None and (not backwards or behind is None):
        return ahead.id or "", 0 if offset else None, Status.SNAPPED, Reason.NOT_ADDRESSABLE
    if behind is None:
        reason = Reason.EMPTY if not index.length else Reason.NO_SPANS
        return "", None, Status.APPROXIMATE, reason
    end = _offset_in(behind, behind.last, True) if offset else None
    return behind.id or "", end, Status.SNAPPED, Reason.NOT_ADDRESSABLE


def _offset_in(span: Element, k: int, backwards: bool) -> int:
    total = 0
    for chunk in span.texts():
        inside = chunk.first < k <= chunk.last if backwards else chunk.first <= k < chunk.last
        if inside:
            place = ink_end(chunk.text, k - chunk.first) if backwards else ink_offset(chunk.text, k - chunk.first)
            return total + units(chunk.text, place)
        total += units(chunk.text, len(chunk.text))
    return 0  # an image
