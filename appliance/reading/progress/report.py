"""What a device reports, and what becomes of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appliance.positions import Place


class Act(StrEnum):
    """What the reader did, as far as the device can tell."""

    READ = "read"  # pages were turned
    OPENED = "opened"  # the book was opened or a position restored; says nothing about reading
    UNKNOWN = "unknown"  # the client cannot say: stock KOSync, Kobo
    JUMPED = "jumped"  # a person deliberately chose this place (contents list, undo, "start over")


@dataclass(frozen=True, slots=True)
class Report:
    """One report of one device.

    `sha256`: the rendition in whose coordinates `locator` is. `place`: `locator` decoded there and translated to the
    book's reference rendition `reference_sha256` (`locate` does both). `asked_for`: the document digest a KOSync
    client named. `percent`: the device's own claim, 0 to 1. `claimed_at`: its clock, `None` if it sends none; `skew`:
    how far that was ahead of ours when it sent this, where it tells the time with its requests (`clock.happened`).
    `reading_status`: unread, reading, finished or `None`. `based_on`: the `Progress.version` that the device was
    showing, `None` when it cannot say. `slack`: by how many canonical characters the dialect may fall short when it
    repeats a place (a Kobo names the first sentence of the page). `error`: by how many an approximate place may be
    wrong, `None` when nobody estimated it. `fraction`: of the text in reading order before the place, 0 to 1; by
    default that of all text. `is_aside`: the place is in notes or the like, outside the reading order, which says
    nothing of how far somebody has read. `operation_id`: makes a resent report a duplicate. `placed_at`: when its place
    was found, where that was later than it was received. `of_entry`: whose place in the journal a person puts back.
    """

    user_id: int
    device_id: int
    received_at: datetime
    dialect: str
    locator: str
    place: Place
    book_id: str | None
    sha256: str | None = None
    reference_sha256: str | None = None
    asked_for: str | None = None
    percent: float | None = None
    claimed_at: datetime | None = None
    act: Act = Act.UNKNOWN
    reading_status: str | None = None
    based_on: int | None = None
    slack: int = 0
    error: int | None = None
    fraction: float | None = None
    is_aside: bool = False
    operation_id: str | None = None
    placed_at: datetime | None = None
    of_entry: int | None = None
    skew: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a report: `kind` is current, history, suggestion, echo, duplicate or rejected; `version` is that
    of the current position afterwards, `None` when there is none."""

    kind: str
    reason: str
    entry_id: int
    version: int | None
