"""Status, rating and review of a book: which of several devices' words count. Functions of values, nothing else.

Ratings are half stars, 1 to 10; 0 is none. A status that a person set is never changed by one that only follows from
how far somebody has read (docs/reference/koreader.md 6.4, 9.8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

STATUSES: Final = ("unread", "reading", "finished", "abandoned")
FIELDS: Final = ("status", "rating", "review")
FINISHED: Final = 0.99  # share of the book from which it counts as finished

By = Literal["automatic", "person"]


@dataclass(frozen=True, slots=True)
class CurrentState:
    """What is known of a book. `versions`, `times`: of the last change of each field. `by`: who set the status."""

    status: str = "unread"
    rating: int = 0
    review: str = ""
    by: By = "automatic"
    versions: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(FIELDS, 0))
    times: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StateChange:
    """What a device changed of what it held at `base_version`. `by`: whether a person set the status."""

    fields: Mapping[str, Any]
    base_version: int
    at: datetime
    by: By = "person"


def merge_state(current: CurrentState, change: StateChange) -> dict[str, Any]:
    """The fields to set, with `by` when the status is among them or a person confirms it."""
    result: dict[str, Any] = {}
    for name in FIELDS:
        if name not in change.fields:
            continue
        mine, theirs = change.fields[name], getattr(current, name)
        if name == "status" and change.by == "automatic":
            if current.by == "automatic" and mine != theirs:
                result |= {"status": mine, "by": "automatic"}
            continue
        confirms = name == "status" and current.by == "automatic"
        if mine == theirs and not confirms:
            continue
        unseen = current.versions[name] > change.base_version and not confirms
        if unseen and name in current.times and (change.at, str(mine)) <= (current.times[name], str(theirs)):
            continue
        result[name] = mine
        if name == "status":
            result["by"] = "person"
    return result


def automatic_status(fraction: float, before: str, *, started_over: bool) -> str:
    """What follows from reading at `fraction` of the book. Finished is sticky until the book is started over."""
    if fraction >= FINISHED:
        return "finished"
    if before == "finished" and not started_over:
        return "finished"
    return "reading" if fraction > 0 or before == "reading" else before


def whole_stars(rating: int) -> int:
    """Half stars as a reader shows them that has whole ones only: 0 for none, else 1 to 5, halves rounded up."""
    return (rating + 1) // 2
