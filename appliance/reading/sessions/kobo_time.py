"""What a Kobo says of reading time, and how much of it can be given a place in time. Pure.

A Kobo tells twice (docs/reference/kobo-protocol.md 8.1 and 5.3). Analytics name sittings: when a book was left and how
many seconds it had been read. They are facts like page visits, but they come late, and never from a device whose owner
switched them off. The reading state carries a counter: minutes read so far in this book on this device.

The two overlap, so the counter only fills what the sittings leave open: of the increase between two reports, whatever
the sittings between them do not explain is taken to have been read just before the later report, in the time that they
leave free. When exactly, nobody knows; such seconds are marked as estimated.

* The first counter says nothing: it has no report before it. So a counter of 0 is noted for the moment a book was
  first downloaded; from then on all of it counts.
* A counter that fell was reset (a device wiped, a book removed and fetched again) if so much can have been read since
  the report before; otherwise its clock is wrong, and it is passed over.
* Never more than the time between two reports: a wrong clock makes hours out of nothing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from operator import itemgetter
from typing import NamedTuple

from appliance.reading.sessions.rule import Interval, union

ROUNDING = 60
"""Seconds that a counter of whole minutes may be off; a smaller rest is not reading."""


class Counter(NamedTuple):
    """What a device's counter showed: `seconds` read in a book up to the moment `at`."""

    device_id: int
    at: int
    seconds: int


def estimated(counters: Iterable[Counter], sittings: Iterable[Interval]) -> list[Interval]:
    """What the counters know of that the sittings of the same device do not, in order of start."""
    by_device: dict[int, list[Counter]] = {}
    for counter in sorted(counters):
        by_device.setdefault(counter.device_id, []).append(counter)
    sat: dict[int, list[tuple[int, int]]] = {}
    for sitting in sittings:
        sat.setdefault(sitting.device_id, []).append((sitting.start, sitting.end))
    known = {device_id: union(pieces) for device_id, pieces in sat.items()}
    found = [
        Interval(start, end, device_id, True)
        for device_id, reports in by_device.items()
        for after, at, seconds in _increases(reports)
        for start, end in _placed(seconds, _free(after, at, known.get(device_id, ())))
    ]
    return sorted(found)


def _increases(reports: Sequence[Counter]) -> Iterable[tuple[int, int, int]]:
    """(after, at, seconds): so much was read between two moments. `reports`: of one device, in order of time."""
    _, before, shown = reports[0]
    for _, at, seconds in reports[1:]:
        elapsed = at - before
        if seconds >= shown:
            increase = seconds - shown
        elif seconds <= elapsed:
            increase = seconds
        else:
            continue
        if increase:
            yield before, at, min(increase, elapsed)
            before, shown = at, seconds
        elif seconds < shown:
            before, shown = at, seconds


def _free(after: int, at: int, sittings: Sequence[tuple[int, int]]) -> tuple[int, list[tuple[int, int]]]:
    """The seconds of a window that sittings explain, and what they leave of it. `sittings`: apart and in order."""
    left, explained, to = [], 0, after
    first = bisect_right(sittings, after, key=itemgetter(1))
    for start, end in takewhile(lambda sitting: sitting[0] < at, islice(sittings, first, None)):
        start, end = max(start, after), min(end, at)
        left.append((to, start))
        explained += end - start
        to = end
    left.append((to, at))
    return explained, left


def _placed(seconds: int, window: tuple[int, list[tuple[int, int]]]) -> Iterable[tuple[int, int]]:
    """The rest of `seconds` that is not explained, put as late as there is room."""
    explained, free = window
    rest = seconds - explained
    if rest < ROUNDING:
        return
    for start, end in reversed(free):
        if taken := min(rest, end - start):
            yield end - taken, end
        rest -= taken
