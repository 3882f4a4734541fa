"""Status, rating and review of a book: which of several devices' words count. Functions of values, nothing else.

Ratings are half stars, 1 to 10; 0 is none. A status that a person set is never changed by one that only follows from
how far somebody has read (docs/reference/koreader.md 6.4, 9.8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

STATUSES: Final = ("unread", "reading", "finished", "abandoned")
_READ_SO_FAR: Final = ("unread", "reading", "finished")
FINISHED: Final = 0.99  # share of the book from which it counts as finished
FIELDS: Final = ("status", "rating", "review")
By = Literal["automatic", "person", "handed-back"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CurrentState:
    """What is known of a book. `versions`, `times`: of the last change of each field. `by`: who set the status."""

    status: str = "unread"
    rating: int = 0
    review: str = ""
    by: By = "automatic"
    versions: Mapping[str, int] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StateChange:
    """What a device changed of what it held at `base_version`. `by`: whether a person set the status, or handed it back
    to follow the reading. `starts_over`: the book is read from the beginning again, which is a person's act, whoever
    called it finished. `takes_back`: a person undoes the reading that finished it."""

    fields: Mapping[str, Any]
    base_version: int
    at: datetime
    by: By = "person"
    starts_over: bool = False
    takes_back: bool = False


def merge_state(current: CurrentState, change: StateChange) -> dict[str, Any]:
    """The fields to set, with `by` when the status is among them or a person confirms it."""
    result: dict[str, Any] = {}
    for name in FIELDS:
        if name not in change.fields:
            continue
        mine, theirs = change.fields[name], getattr(current, name)
        if name == "status" and change.by == "handed-back":
            if current.by == "person":
                result |= {"status": mine, "by": "automatic"}
            continue
        if name == "status" and change.by == "automatic":
            if mine != theirs and (change.starts_over or _follows(current, change, mine)):
                result |= {"status": mine, "by": "automatic"}
            continue
        confirms = name == "status" and current.by == "automatic"
        if mine == theirs and not confirms:
            continue
        unseen = current.versions.get(name, 0) > change.base_version and not confirms
        if unseen and name in current.times and (change.at, str(mine)) <= (current.times[name], str(theirs)):
            continue
        result[name] = mine
        if name == "status":
            result["by"] = "person"
    return result


def _follows(current: CurrentState, change: StateChange, status: str) -> bool:
    """Whether a status that follows from reading comes after the present one. Finished is sticky: every reader says
    "reading" as soon as a book is opened."""
    steps = _READ_SO_FAR
    if current.by != "automatic":
        return False
    return change.takes_back or steps.index(status) > steps.index(current.status)


def fold_state(row: Row | None, effect: Mapping[str, Any]) -> Row:
    """The columns of a book's state after an effect of the journal: `fields` set at `version`."""
    row = row or {"status": "unread", "status_by": "automatic", "rating": 0, "review": "", "versions": {}, "times": {}}
    fields = {"status_by" if name == "by" else name: value for name, value in effect["fields"].items()}
    said = [name for name in FIELDS if name in effect["fields"]]
    return {
        **row,
        **fields,
        "version": effect["version"],
        "versions": row["versions"] | dict.fromkeys(said, effect["version"]),
        "times": row["times"] | dict.fromkeys(said, effect["at"]),
    }


def whole_stars(rating: int) -> int:
    """Half stars as a reader shows them that has whole ones only: 0 for none, else 1 to 5, halves rounded up."""
    return (rating + 1) // 2
