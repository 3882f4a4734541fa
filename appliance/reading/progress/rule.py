"""The conflict rule: which report becomes the current position. A function of values, nothing else.

Newest reading *activity* decides, not newest upload. What it must withstand (docs/reference/koreader.md 1.5 and 9.6,
kobo-protocol.md 5.6): stock KOSync clients replay old positions as new, push where they were on suspend, and send no
clock; a fresh download reports its first page; every device repeats what it was just told.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.positions import Status
from appliance.positions.fraction import ENGINES
from appliance.reading.book_state.rule import FINISHED
from appliance.reading.clock import happened
from appliance.reading.progress.report import Act, Report
from appliance.reading.sessions.rule import GAP

DROP = 0.05  # share of the book; a fall by more needs reading behind it
FIRST_PAGE = 0.01  # share of the book; a place before this is where fresh downloads and lost pointers land
MOMENT = timedelta(seconds=1)  # a Kobo's clock counts whole seconds; what is rough must be newer by more than that
BURST = timedelta(seconds=5)  # the next entry of a replayed queue follows within the client's timeout; pushes wait 25 s
SITTING = timedelta(seconds=GAP)  # a pause longer than this ends a reading session


@dataclass(frozen=True, slots=True)
class Known:
    """The current position before the report. `fraction`: `Report.fraction`."""

    version: int
    epoch: int
    status: str
    activity_at: datetime
    tick: int | None
    fraction: float
    device_id: int


@dataclass(frozen=True, slots=True)
class Said:
    """What this device last said of this book. `epoch`: of the reading that it said it in."""

    tick: int | None
    fraction: float | None
    received_at: datetime
    outcome: str
    reason: str
    reading_status: str | None = None
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What this device was last told of this book, if it has said nothing new since."""

    locator: str
    tick: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """`kind`: current, history, suggestion, echo or rejected; `reason`: a fixed code. For current: what it becomes."""

    kind: str
    reason: str
    status: str = "reading"
    epoch: int = 1


def activity_time(report: Report) -> datetime:
    """When the reading happened: the device's clock if it can be believed, else when we heard of it."""
    return happened(report.claimed_at, report.received_at, report.skew)


def fraction_of(report: Report, known: Known | None) -> float:
    """How much of the book is read by a report that has a place. Who looks at a note is as far as before."""
    if report.is_aside:
        return known.fraction if known else 0.0
    if report.fraction is not None:
        return report.fraction
    tick, total = report.place.tick, report.place.total
    return tick / total if tick is not None and total else 0.0


def decide(
    report: Report, known: Known | None, said: Said | None, given: Given | None, burst: bool = False
) -> Decision:
    """What becomes of `report`. `burst`: the same client sent another report within `BURST` before this one."""
    if report.book_id is None:
        return Decision("history", "unknown-book")
    tick, total = report.place.tick, report.place.total
    if report.reading_status == "finished":
        return _finished(report, known)
    if report.place.position is None or tick is None:
        return Decision("rejected", report.place.reason or "no-place")
    fraction = fraction_of(report, known)
    if known is None:
        if report.act is Act.OPENED:
            return Decision("history", "opened")
        return Decision("current", "first-report", _status(fraction, "unread"), 1)
    if given is not None and report.act is not Act.JUMPED and _is_echo(report, given, tick):
        return Decision("echo", "as-given")
    if tick == known.tick and not (known.status == "finished" and _takes_back(report)):
        return Decision("echo", "as-current")
    if said is not None and tick == said.tick and report.act is not Act.JUMPED:
        # Pushing the same place again (suspend, close) is not reading, however late it comes. A suggestion that is
        # merely repeated stays one.
        return Decision("echo", "as-said-before")
    if report.act is Act.OPENED:
        return Decision("history", "opened")
    if activity_time(report) < known.activity_at:
        return Decision("history", "older-activity")
    rough = report.place.status is Status.APPROXIMATE and report.act is not Act.JUMPED
    if rough and activity_time(report) < known.activity_at + MOMENT:
        return Decision("history", "older-activity")
    if _starts_over(report, known, said) or (known.status == "unread" and fraction < known.fraction):
        return _current(report, "started-over", fraction, known)
    if rough and _is_near(report, known, tick, total):
        return Decision("history", "within-percent-error")
    if _is_of_earlier_reading(report, known, said, given, fraction):
        if _reads_on(report, said, tick, fraction):
            return _current(report, "read-on", fraction, known)
        return Decision("suggestion", "earlier-reading")
    fell = known.fraction - fraction
    if report.act in (Act.READ, Act.JUMPED):
        if _is_stale(report, known) and fell > DROP and not _reads_on(report, said, tick, fraction):
            # A page left open turns once, while another device has read far on: ask before taking everybody back.
            return Decision("suggestion", "stale-view")
        return _current(report, report.act.value if report.of_entry is None else "put-back", fraction, known)
    if burst:
        return Decision("suggestion", "replayed-queue")
    if fell > DROP or (fraction < FIRST_PAGE and fell > 0):
        if _reads_on(report, said, tick, fraction):
            return _current(report, "read-on", fraction, known)
        return Decision("suggestion", "fell-back")
    return _current(report, "newest", fraction, known)


def _finished(report: Report, known: Known | None) -> Decision:
    if known is not None and activity_time(report) < known.activity_at:
        return Decision("history", "older-activity")
    if known is not None and known.status == "finished":
        return Decision("echo", "as-current")
    return Decision("current", "finished", "finished", known.epoch if known else 1)


def _is_echo(report: Report, given: Given, tick: int) -> bool:
    """A device repeats the string it was given until a page is turned. A Kobo answers with the first span of the page
    that shows the given one (kepub.md 11), so a little before it counts too; `slack` says how much."""
    if report.locator == given.locator:
        return True
    return given.tick is not None and given.tick - report.slack <= tick <= given.tick


def _reads_on(report: Report, said: Said | None, tick: int, fraction: float) -> bool:
    """Whether this is reading that goes on from where the device fell back to: the same device, near the place it
    named before, forward, after a page's time, within one sitting. A replayed or lost position does not do that."""
    if said is None or said.outcome != "suggestion" or said.tick is None or said.fraction is None:
        return False
    pause = report.received_at - said.received_at
    return BURST < pause < SITTING and tick > said.tick and fraction - said.fraction <= DROP


def _is_near(report: Report, known: Known, tick: int, total: int) -> bool:
    """Whether a place from a percentage may as well be the known one: it never replaces a better one then (positions.md
    A.2 row 29, C.7)."""
    error = report.error if report.error is not None else ENGINES * total
    return known.tick is not None and abs(tick - known.tick) <= error


def _starts_over(report: Report, known: Known, said: Said | None) -> bool:
    """Whether this very device had finished the book and now says that it reads it: somebody has opened it again."""
    finished = known.status == "finished" and said is not None and said.reading_status == "finished"
    return finished and report.reading_status == "reading" and report.act is not Act.JUMPED


def _is_of_earlier_reading(
    report: Report, known: Known, said: Said | None, given: Given | None, fraction: float
) -> bool:
    """Whether a device that has not heard of the book being started over still shows a place of the reading before,
    and nothing tells when it was read. Old epochs never come back by themselves (koreader.md 9.6)."""
    if said is None or said.epoch is None or said.epoch >= known.epoch or report.act is Act.JUMPED:
        return False
    tick = report.place.tick or 0
    if said.tick is None or said.fraction is None or abs(fraction - said.fraction) > DROP:
        return False
    if given is not None and given.tick is not None and abs(tick - given.tick) < abs(tick - said.tick):
        return False  # it reads on from where it was told to
    # A page turned in a browser that has seen the present reading is of the present reading.
    blind = report.claimed_at is None if report.act is Act.UNKNOWN else _is_stale(report, known)
    return blind and fraction - known.fraction > DROP


def _is_stale(report: Report, known: Known) -> bool:
    return report.based_on is not None and report.based_on < known.version


def _takes_back(report: Report) -> bool:
    """Whether a person undoes what finished the book."""
    return report.of_entry is not None


def _current(report: Report, reason: str, fraction: float, known: Known) -> Decision:
    """Finished stays finished while somebody looks something up; who reads from the beginning starts over. Whoever
    marked the book as unread starts over with the next page."""
    begun_again = known.status == "finished" and fraction < DROP
    starts_over = begun_again or known.status == "unread"
    status = _status(fraction, "reading" if starts_over or _takes_back(report) else known.status)
    return Decision("current", reason, status, known.epoch + starts_over)


def _status(fraction: float, before: str) -> str:
    return "finished" if fraction >= FINISHED or before == "finished" else "reading"
