"""From facts to reading sessions: which seconds were read, what belongs together, which day it was. Pure.

All times are whole seconds since 1970 (UTC), because that is what the facts come in (docs/reference/koreader.md 3.15)
and there are hundreds of thousands of them. A second counts once, however many devices and sources saw it, and the
order of the facts never matters.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

GAP = 30 * 60
"""A pause of this many seconds ends a session."""

LONGEST_VISIT = 10 * 60
"""Seconds of one page visit that count: who stays longer has put the book down."""

SHORTEST = 10
"""A session of fewer seconds does not count."""


class Interval(NamedTuple):
    """Reading on one device from `start` until before `end`. `estimated`: only its length is known (`kobo_time`).
    Fractions of the book: 0 to 1, `None` when unknown."""

    start: int
    end: int
    device_id: int
    estimated: bool = False
    start_fraction: float | None = None
    end_fraction: float | None = None


def page_visit(start: int, seconds: int, device_id: int, page: int, pages: int) -> Interval:
    """A page that somebody looked at: `page` of `pages` in whatever layout the device had then."""
    shown = (min((page - 1) / pages, 1.0), min(page / pages, 1.0)) if pages > 0 else (None, None)
    return Interval(start, start + min(seconds, LONGEST_VISIT), device_id, False, *shown)


@dataclass(frozen=True, slots=True)
class Sitting:
    """A reading session: continuous reading of one book. `stretches`: the parts that count, as (start, end), apart and
    in order; `seconds` is their sum, `estimated` how many of those only a counter knows of. `devices`: ids."""

    stretches: tuple[tuple[int, int], ...]
    estimated: int
    devices: tuple[int, ...]
    start_fraction: float | None
    end_fraction: float | None

    @property
    def start(self) -> int:
        return self.stretches[0][0]

    @property
    def end(self) -> int:
        return self.stretches[-1][1]

    @property
    def seconds(self) -> int:
        return sum(end - start for start, end in self.stretches)

    @property
    def counts(self) -> bool:
        """Whether it is long enough to be called reading."""
        return self.seconds >= SHORTEST


def sessions(intervals: Iterable[Interval]) -> list[Sitting]:
    """The sessions of a book, in order; also those too short to count, because more may come to join them."""
    return list(joined(sorted(intervals, key=lambda interval: interval.start)))


def joined(intervals: Iterable[Interval]) -> Iterator[Sitting]:
    """`sessions` of intervals that are in order of their start already, without holding them all."""
    open_: _Open | None = None
    for interval in intervals:
        if interval.end <= interval.start:
            continue
        if open_ is not None and interval.start - open_.end >= GAP:
            yield open_.close()
            open_ = None
        if open_ is None:
            open_ = _Open()
        open_.add(interval)
    if open_ is not None:
        yield open_.close()


@dataclass(slots=True)
class _Open:
    """A session that is still growing. `measured_to`: the end of what is known by more than a counter."""

    stretches: list[list[int]] = field(default_factory=list)
    measured: int = 0
    measured_to: int = -1
    devices: set[int] = field(default_factory=set)
    # The smaller fraction of two that start together, the larger of two that end together: whatever their order.
    first: tuple[int, float] | None = None
    last: tuple[int, float] | None = None

    @property
    def end(self) -> int:
        return self.stretches[-1][1]

    def add(self, interval: Interval) -> None:
        start, end, device_id, estimated, start_fraction, end_fraction = interval
        self.devices.add(device_id)
        if not self.stretches or start > self.stretches[-1][1]:
            self.stretches.append([start, end])
        elif end > self.stretches[-1][1]:
            self.stretches[-1][1] = end
        if not estimated and end > self.measured_to:
            self.measured += end - max(start, self.measured_to)
            self.measured_to = end
        if start_fraction is not None and (self.first is None or (start, start_fraction) < self.first):
            self.first = (start, start_fraction)
        if end_fraction is not None and (self.last is None or (end, end_fraction) > self.last):
            self.last = (end, end_fraction)

    def close(self) -> Sitting:
        stretches = tuple((start, end) for start, end in self.stretches)
        return Sitting(
            stretches,
            sum(end - start for start, end in stretches) - self.measured,
            tuple(sorted(self.devices)),
            self.first[1] if self.first else None,
            self.last[1] if self.last else None,
        )


@dataclass(frozen=True, slots=True)
class Day:
    """A local day. `seconds`: read in all, each second once even where two books claim it; `books`: by book id."""

    date: date
    seconds: int
    books: dict[str, int]


def daily(stretches: Iterable[tuple[str, int, int]], zone: tzinfo) -> list[Day]:
    """What was read on which day in a time zone, in order. `stretches`: (book id, start, end); those of one book must
    not overlap, as in sessions. What goes on over midnight belongs to both days, each its part."""
    books: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    pieces: dict[date, list[tuple[int, int]]] = defaultdict(list)
    today, midnight, tomorrow = date.min, 0, 0
    for book_id, start, end in stretches:
        while start < end:
            if not midnight <= start < tomorrow:
                today, midnight, tomorrow = _day_of(start, zone)
            until = min(end, tomorrow)
            books[today][book_id] += until - start
            pieces[today].append((start, until))
            start = until
    return [
        Day(each, sum(end - start for start, end in union(pieces[each])), dict(books[each])) for each in sorted(books)
    ]


def union(pieces: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is in at least one of the pieces, (start, end): apart and in order."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def instant(day: date, zone: tzinfo) -> int:
    """When a local day begins. Where clocks are put forward at midnight that is the moment they are."""
    # Python reads a time that does not exist by the offset before it, and of two equal ones the first: both right.
    return math.floor(datetime.combine(day, time.min, tzinfo=zone).timestamp())


def _day_of(moment: int, zone: tzinfo) -> tuple[date, int, int]:
    """The local day of a moment, when it begins and when it is over."""
    today = datetime.fromtimestamp(moment, UTC).astimezone(zone).date()
    return today, min(instant(today, zone), moment), max(instant(today + timedelta(days=1), zone), moment + 1)
