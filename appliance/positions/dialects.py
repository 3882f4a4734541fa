"""The words of every dialect, as programs hand them to each other: read from text or JSON, written as JSON.

`xpointer` and `cfi` are strings; `kobo` is `{"source": …, "value": "kobo.3.2", "offset": 4}`; `fraction` a number from
0 to 1; `position` is `{"document": …, "occurrence": 0, "k": 1204, "affinity": "after"}`. A range is a list of two of
them, except that a CFI has ranges of its own.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec

from appliance.positions import cfi
from appliance.positions.book import OpenBook
from appliance.positions.canonical import (
    Encoded,
    EncodedRange,
    Place,
    Position,
    Range,
    RangePlace,
    Reason,
    Status,
)
from appliance.positions.kobospan import KoboLocator
from appliance.positions.ranges import (
    between,
    decode_cfi_range,
    encode_cfi_range,
    encode_kobo_range,
    encode_xpointer_range,
)

Dialect = Literal["xpointer", "cfi", "kobo", "fraction", "position"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

Locator = str | float | KoboLocator | Position
Locators = tuple[Locator, ...]  # one for a point, two for a range

EXAMPLES: dict[Dialect, str] = {
    "xpointer": "/body/DocFragment[5]/body/p[3]/text().17",
    "cfi": "epubcfi(/6/10!/4/2/6/3:41)",
    "kobo": '{"source": "OEBPS/ch5.xhtml", "value": "kobo.18.2", "offset": 4}',
    "fraction": "0.25",
    "position": '{"document": "OEBPS/ch5.xhtml", "occurrence": 0, "k": 1204, "affinity": "after"}',
}

MAX_NUMBER = 2**53


class NotALocator(ValueError):
    """The text is no locator of its dialect: a sentence that says why and what one looks like."""


def read(dialect: Dialect, text: str) -> Locators:
    """One locator of a line, or two for a range, separated by a TAB or as a JSON list. Raises `NotALocator`."""
    text = text.strip()
    if not text:
        raise NotALocator("The line is empty; give one locator, or two separated by a TAB.")
    if text.startswith("["):
        return parse(dialect, _json(text))
    pieces = text.split("\t")
    return parse(dialect, [_json(piece) for piece in pieces] if dialect in ("kobo", "position") else pieces)


def parse(dialect: Dialect, value: object) -> Locators:
    """As `read`, from a value as `write` makes them. Raises `NotALocator`."""
    pieces = value if isinstance(value, list | tuple) else [value]
    if not 1 <= len(pieces) <= 2:
        raise NotALocator(f"There are {len(pieces)} locators in the line; one is a point, two are a range.")
    return tuple(_PARSERS[dialect](piece) for piece in pieces)


def decode(book: OpenBook, dialect: Dialect, locators: Locators) -> Place | RangePlace:
    """The place of one locator in that rendition, or the range between two, in whatever order; never raises."""

    def place(value: Locator, *, end: bool = False) -> Place:
        if isinstance(value, KoboLocator):
            return book.decode_kobo(value.source, value.value, value.offset, end=end)
        if isinstance(value, Position):
            return book.place(value)
        if isinstance(value, float):
            return book.decode_fraction(value)
        return book.decode_xpointer(value, end=end) if dialect == "xpointer" else book.decode_cfi(value, end=end)

    if len(locators) == 2:
        return between(book, locators[0], locators[1], place)
    only = locators[0]
    if dialect == "cfi" and isinstance(only, str) and _is_range(only):
        return decode_cfi_range(book, only)
    return place(only)


def _is_range(text: str) -> bool:
    try:
        return "," in text and cfi.parse(text)[1] is not None
    except cfi.CfiSyntaxError:
        return False


@dataclass(frozen=True, slots=True)
class Written:
    """A place or range in a dialect's words, as JSON can carry it; `None` exactly when `status` is FAILED. `distance`:
    canonical characters from what the locator means to what was asked; of a range, those of its two ends."""

    value: Any
    status: Status
    reason: Reason
    distance: int | tuple[int, int] = 0


def write(book: OpenBook, dialect: Dialect, where: Position | Range, *, indexed: bool = False) -> Written:
    """Name a position or range of that rendition. `indexed`: the newer spelling of XPointers."""
    if isinstance(where, Range):
        return _write_range(book, dialect, where, indexed)
    if dialect in ("fraction", "position"):
        place = book.place(where)
        if place.position is None:
            return Written(None, place.status, place.reason)
        value = book.fraction(place.position) if dialect == "fraction" else as_json(place.position)
        return Written(value, place.status, place.reason)
    encoded: Encoded[Any]
    if dialect == "xpointer":
        encoded = book.encode_xpointer(where, indexed=indexed)
    elif dialect == "cfi":
        encoded = book.encode_cfi(where)
    else:
        encoded = book.encode_kobo(where, offset=True)
    return Written(as_json(encoded.locator), encoded.status, encoded.reason, encoded.distance)


def _write_range(book: OpenBook, dialect: Dialect, range: Range, indexed: bool) -> Written:
    if dialect in ("fraction", "position"):
        start, end = write(book, dialect, range.start), write(book, dialect, range.end)
        weaker = start if start.status.rank > end.status.rank else end
        values = None if start.value is None or end.value is None else [start.value, end.value]
        return Written(values, weaker.status, weaker.reason, (0, 0))
    encoded: EncodedRange[Any]
    if dialect == "xpointer":
        encoded = encode_xpointer_range(book, range, indexed=indexed)
    elif dialect == "cfi":
        encoded = encode_cfi_range(book, range)
    else:
        encoded = encode_kobo_range(book, range)
    locator = encoded.locator
    value = [as_json(end) for end in locator] if isinstance(locator, tuple) else locator
    return Written(value, encoded.status, encoded.reason, (encoded.start_distance, encoded.end_distance))


def as_json(value: Any) -> Any:
    """A locator in the shape that `read` takes."""
    return msgspec.to_builtins(value) if isinstance(value, KoboLocator | Position) else value


def has_spans(book: OpenBook) -> bool:
    """Whether the file holds koboSpans, so that a Kobo can name its places. Raises as `OpenBook.summary`."""
    documents = {document.path: document for document in book.summary.documents if document.length}
    longest = sorted(documents.values(), key=lambda document: -document.length)[:3]
    return any(b"koboSpan" in book._read(document.path) for document in longest)


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        if text.lstrip().startswith("kobo."):
            raise NotALocator("A span alone does not say in which document it is.") from None
        raise NotALocator("This is not JSON.") from None
    return value


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise NotALocator("An XPointer or a CFI is a text.")
    return given.strip()


def _fraction(given: object) -> float:
    try:
        value = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else -1.0
    except (ValueError, OverflowError):
        value = -1.0
    if not 0 <= value <= 1:  # neither is NaN
        raise NotALocator("A fraction is a number from 0 to 1.")
    return value


def _kobo(given: object) -> KoboLocator:
    fields = _object(given, {"source": str, "value": str, "offset": int})
    source, value, offset = fields.get("source"), fields.get("value", ""), fields.get("offset")
    if not source:
        raise NotALocator('A Kobo locator needs "source", the path of the document in the KEPUB.')
    return KoboLocator(source, value, offset)


def _position(given: object) -> Position:
    fields = _object(given, {"document": str, "occurrence": int, "k": int, "affinity": str})
    document, k, affinity = fields.get("document"), fields.get("k"), fields.get("affinity", "after")
    if not document or k is None:
        raise NotALocator('A position needs "document" and "k", the number of canonical characters before it.')
    if affinity not in ("after", "before"):
        raise NotALocator('The "affinity" of a position is "after" or "before".')
    return Position(document, fields.get("occurrence", 0), k, affinity)


def _object(given: object, kinds: dict[str, type]) -> dict[str, Any]:
    """The known fields of a JSON object that are not null."""
    if not isinstance(given, dict):
        raise NotALocator("This is not a JSON object.")
    fields = {name: given[name] for name in kinds if given.get(name) is not None}
    for name, value in fields.items():
        if not isinstance(value, kinds[name]) or isinstance(value, bool):
            kind = "text" if kinds[name] is str else "whole number"
            raise NotALocator(f'"{name}" must be a {kind}.')
        if isinstance(value, int) and not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise NotALocator(f'"{name}" is too large.')
    return fields


_PARSERS: dict[Dialect, Callable[[object], Locator]] = {
    "xpointer": _text,
    "cfi": _text,
    "fraction": _fraction,
    "kobo": _kobo,
    "position": _position,
}
