"""Progress: facts are appended first, the current position is derived.

`record` is the only way in, `current` the only way out. See docs/reference/koreader.md 9.6 and kobo-protocol.md 5.6.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from appliance.models import Progress
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

    `sha256`: the rendition in whose coordinates `locator` is. `place`: `locator` decoded there, already translated to
    the book's reference rendition. `percent`: the device's own claim, 0 to 1. `claimed_at`: its clock, `None` if it
    sends none. `reading_status`: unread, reading, finished or `None`. `based_on`: the `Progress.version` that the
    device had been given, `None` when it cannot say. `operation_id`: makes a resent report a duplicate.
    """

    user_id: int
    device_id: int
    received_at: datetime
    dialect: str
    locator: str
    place: Place
    book_id: str | None
    sha256: str | None = None
    asked_for: str | None = None
    percent: float | None = None
    claimed_at: datetime | None = None
    act: Act = Act.UNKNOWN
    reading_status: str | None = None
    based_on: int | None = None
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a report: `kind` is current, history, suggestion, echo, duplicate or rejected."""

    kind: str
    reason: str
    entry_id: int
    version: int | None


def record(session: Session, report: Report) -> Outcome:
    """Append the report to the journal and derive what is current. The caller's transaction commits both or none."""
    raise NotImplementedError


def current(session: Session, user_id: int, book_id: str) -> Progress | None:
    """The current position of a user in a book, `None` when nothing was ever read."""
    return session.get(Progress, (user_id, book_id))


def note_given(
    session: Session, device_id: int, book_id: str, version: int, locator: str, tick: int | None, at: datetime
) -> None:
    """Remember what a device was told, so that its echo is recognised (positions.md C.8 rule 2)."""
    raise NotImplementedError
