"""Where an annotation stands, as its columns have it. Functions of values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.positions import OpenBook, Position, RangePlace, Reason, Status
from appliance.reading.annotations.effects import Row
from appliance.reading.annotations.locate import LocatedRange

PLACE = (
    "reference_sha256",
    "start_document",
    "start_occurrence",
    "start_k",
    "end_document",
    "end_occurrence",
    "end_k",
    "first",
    "last",
    "place_status",
    "place_reason",
    "quote",
)
"""The columns that a range is kept in."""

_NOT_GIVEN: tuple[Any, ...] = (None, None, 0, None, None, 0, None, None, None, "failed", "not-given", {})


def range_of(row: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The range of an annotation as a value to compare; `None` while it has no place."""
    if row["start_k"] is None:
        return None
    return tuple(row[name] for name in PLACE[:7])


def columns_of(located: LocatedRange | None) -> Row:
    """The columns of a place; those of an annotation that has none yet say why."""
    if located is None:
        return dict(zip(PLACE, _NOT_GIVEN, strict=True))
    place, where = located.place, located.place.range
    start, end = (where.start, where.end) if where is not None else (None, None)
    return {
        "reference_sha256": located.reference_sha256,
        "start_document": start.document if start else None,
        "start_occurrence": start.occurrence if start else 0,
        "start_k": start.k if start else None,
        "end_document": end.document if end else None,
        "end_occurrence": end.occurrence if end else 0,
        "end_k": end.k if end else None,
        "first": place.start.tick if where is not None else None,
        "last": place.end.tick if where is not None else None,
        "place_status": place.status.value,
        "place_reason": str(place.reason),
        "quote": located.quote,
    }


def place_in(book: OpenBook, row: Mapping[str, Any]) -> RangePlace:
    """The place that the columns tell; `book`: the rendition they are counted in."""
    start = Position(row["start_document"], row["start_occurrence"], row["start_k"])
    end = Position(row["end_document"], row["end_occurrence"], row["end_k"], "before")
    return RangePlace(book.place(start), book.place(end))


def as_known(found: RangePlace, row: Mapping[str, Any]) -> RangePlace:
    """A place that follows from that of the columns. What was known roughly when it came is not known better now."""
    status, reason = Status(row["place_status"]), Reason(row["place_reason"])
    if status.rank <= found.status.rank:
        return found
    return RangePlace(*(replace(end, status=status, reason=reason) for end in (found.start, found.end)))


def has_its_words(row: Mapping[str, Any]) -> bool:
    """Whether the words of the annotation are at its place: not where it was carried over to a file without them. (A
    reader that sent other words than stand where it marked them is believed about the place.)"""
    return row["place_status"] != Status.APPROXIMATE or bool((row["quote"] or {}).get("tick") == row["first"])
