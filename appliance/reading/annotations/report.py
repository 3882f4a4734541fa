"""What a device says of its annotations, and what becomes of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from appliance.positions.dialects import Dialect
from appliance.reading.annotations.locate import LocatedRange
from appliance.reading.annotations.palette import Surface

_SORTED = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who speaks. `dialect` and `sha256`: in which the ranges are; `surface`: whose colours. `skew`: `clock.happened`.
    `is_person`: what is asked for is what a person chose on a screen of ours, such as a deletion in the browser.
    `has_colours`: whether its screen is known to show them."""

    user_id: int
    device_id: int
    book_id: str
    surface: Surface
    dialect: Dialect
    sha256: str
    received_at: datetime
    skew: timedelta | None = None
    is_person: bool = False
    has_colours: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """An annotation as a device has it.

    `native_id`: what the device calls it; in the browser the annotation's own id. `range`: in the caller's dialect, as
    JSON (`positions.dialects`). `fields`: text, note, colour and style as the device spells them; one that is missing
    is not spoken of. `native`: everything the device sent, to be given back. `base_version`: of the annotation as the
    device showed it, for those who know; others are compared with what they were last known to hold.
    """

    native_id: str
    kind: str
    range: Any = None
    fields: Mapping[str, str] = field(default_factory=dict)
    native: Mapping[str, Any] = field(default_factory=dict)
    chapter: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    base_version: int | None = None
    merges_notes: bool = False
    operation_id: str | None = None

    @property
    def words(self) -> str:
        """The words under it. What a reader writes on a bookmark is none of the book's text: "in Chapter 3"."""
        return "" if self.kind == "bookmark" else self.fields.get("text", "")

    @property
    def payload(self) -> dict[str, Any]:
        """What the journal keeps of it."""
        return {
            "native_id": self.native_id,
            "kind": self.kind,
            "range": self.range,
            "fields": dict(self.fields),
            "native": dict(self.native),
            "base_version": self.base_version,
        }

    @property
    def fingerprint(self) -> str:
        """Of all that counts: not of times, which devices touch without a change."""
        counts = [self.kind, self.range, sorted(self.fields.items())]
        try:
            spelled = _SORTED.encode(counts)
        except UnicodeEncodeError:  # half a character
            spelled = json.dumps(counts, sort_keys=True).encode()
        return blake2b(spelled, digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Deletion:
    """An annotation that a device deleted. Absence is never one: the device must say so. `is_confirmed`: a person was
    seen to delete this very one."""

    native_id: str
    at: datetime | None = None
    base_version: int | None = None
    is_confirmed: bool = False
    operation_id: str | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """What the journal keeps of it."""
        return {"native_id": self.native_id, "deleted": True, "is_confirmed": self.is_confirmed}


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal keeps of one thing said. `subject`: the annotation, if there is one; `effects`: what was done to
    it. `located`: the range that was said, where one was looked up. `asked_for`: what the device calls the annotation
    that it deleted."""

    subject: str | None
    payload: Mapping[str, Any]
    effects: list[dict[str, Any]]
    outcome: str
    reason: str
    operation_id: str | None = None
    claimed_at: datetime | None = None
    located: LocatedRange | None = None
    asked_for: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one thing a device said.

    `outcome`: current, echo, duplicate, suggestion (waits for a person), history or rejected; `reason`: a fixed code.
    `annotation_id`, `version`: of the annotation afterwards, `None` when there is none. `deleted`: the device still has
    what was deleted elsewhere.
    """

    native_id: str
    outcome: str
    reason: str
    annotation_id: str | None = None
    version: int | None = None
    deleted: bool = False
