"""What a device says of reading time, and whether it can be true. Pure.

All times are whole seconds since 1970 (UTC).
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.reading.sessions.rule import LONGEST_VISIT

CLOCK_OFF = 5 * 60
"""Seconds by which a clock may be off and still be believed."""

LONGEST = 24 * 60 * 60
"""Seconds of one sitting; more is a device that was left alone."""

OLDEST = 946_684_800  # 2000: before it there was nothing that could have counted reading
_LAST = 2**32
_MOST = 2**31 - 1


class Source(StrEnum):
    """Who counted. `KOREADER_PAGE`: a row of KOReader's statistics. `PLUGIN`: our plugin, where those are switched
    off. `KOBO`: a sitting from a Kobo's analytics. `KOBO_COUNTER`: the minutes in its reading state."""

    KOREADER_PAGE = "koreader-page"
    PLUGIN = "plugin"
    BROWSER = "browser"
    KOBO = "kobo"
    KOBO_COUNTER = "kobo-counter"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `started`: by the device's clock. `seconds`: how long it lasted, without a pause.

    About a book of the library (`book_id`) or a file by the digest by which KOReader knows it (`digest`). Either a page
    visit (`page` of `pages`, in the layout of that moment), or it carries an `operation_id` that makes it the same when
    the device sends it again. Fractions of the book, 0 to 1, where the device knows them. A Kobo's counter has shown
    `seconds` at `started` (`kobo_counter`).
    """

    source: Source
    started: int
    seconds: int
    book_id: str | None = None
    digest: str | None = None
    page: int | None = None
    pages: int | None = None
    start_fraction: float | None = None
    end_fraction: float | None = None
    operation_id: str | None = None


def kobo_sitting(book_id: str, event_id: str, left: int, seconds: int, fraction: float | None = None) -> Event:
    """`LeaveContent` in a Kobo's analytics (docs/reference/kobo-protocol.md 8.1): the book was left at `left`, after
    `seconds` of reading, at a `fraction` of it."""
    return Event(Source.KOBO, left - seconds, seconds, book_id, end_fraction=fraction, operation_id=event_id)


def kobo_counter(book_id: str, at: int, minutes: int) -> Event:
    """`Statistics` in a Kobo's reading state (docs/reference/kobo-protocol.md 5.3): `SpentReadingMinutes` at its
    `LastModified`. Also noted with 0 when a book was first downloaded, so that the first report can count."""
    # The device repeats both with every state it sends.
    return Event(Source.KOBO_COUNTER, at, minutes * 60, book_id, operation_id=f"{book_id}:{at}:{minutes}")


def refusal(event: Event) -> str | None:
    """Why a fact cannot be kept at all: a fixed code, `None` for one that can."""
    counter = event.source is Source.KOBO_COUNTER
    if not (0 <= event.started < _LAST and (0 if counter else 1) <= event.seconds <= _MOST):
        return "out-of-bounds"
    if (event.book_id is None) == (event.digest is None):
        return "about-nothing"
    if event.page is None:
        return None if event.operation_id else "no-operation"
    if event.operation_id is not None or event.digest is None:
        return "not-a-visit"
    return None if 1 <= event.page <= _MOST and 0 <= (event.pages or 0) <= _MOST else "out-of-bounds"


def believed(event: Event, received: int, skew: int | None) -> int | None:
    """When it began, as far as that can be believed; `None` when it cannot. `skew`: how far the device's clock was
    ahead of ours when it sent this.

    A clock that is wrong now was wrong a moment ago too, but maybe not a year ago: so a time that becomes impossible
    by the correction is taken as it stands, and the other way round.
    """
    if event.source is Source.KOBO_COUNTER:
        length = 0
    elif event.page is None and event.seconds > LONGEST:
        return None
    else:
        length = event.seconds if event.page is None else min(event.seconds, LONGEST_VISIT)
    claimed = event.started
    times = (claimed,) if skew is None or abs(skew) <= CLOCK_OFF else (claimed - skew, claimed)
    return next((each for each in times if OLDEST <= each and each + length <= received + CLOCK_OFF), None)
