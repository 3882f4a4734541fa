"""KOReader's percentage: page / pages of one device's layout (docs/reference/xpointer.md 12, positions.md C.7).

Which place is on which page depends on font, margins and screen, so it is learned from what the device reports.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from itertools import pairwise
from math import ceil

from appliance.positions.fraction import ENGINES, PAGE

MAX_PAIRS = 64  # the reports of some weeks; a page that is further from all of them is estimated as well by the text
FLOOR = 0.0001  # KOReader rounds down to four decimals
NOISE = 1e-9  # of floating-point numbers


class PageShare:
    """Ticks of a book (canonical characters before a place) against one device's percentages, 0 … 1.

    `pairs`: (tick, percentage) that the device reported, newest first. Pages only ever count up, so a pair that says
    otherwise was made with another font or screen, and so were all older ones: they are dropped. What was reported is
    repeated exactly. Between two such places goes a line from page top to page top; without any, that of the text.
    """

    def __init__(self, pairs: Iterable[tuple[int, float]], total: int) -> None:
        self.total = max(total, 0)
        self.learned = _consistent(pairs, self.total)
        shares = [share for _, share in self.learned]
        steps = [high - low for low, high in pairwise(shares) if high - low > FLOOR]
        self.page = min([*steps, PAGE / self.total if self.total else 1.0, 1.0])  # share of the book
        line = list(self.learned)
        if not line or line[0][0] > 0:
            line.insert(0, (0, min([self.page, *shares[:1]])))  # the first page is page 1 of n
        if line[-1][0] < self.total:
            line.append((self.total, 1.0 + self.page))  # where a page n + 1 of n would begin
        self._ticks = [tick for tick, _ in line]
        self._shares = [share for _, share in line]

    def at(self, tick: int) -> tuple[float, float]:
        """The percentage this device shows at a place, and by how much that may be wrong. Never falls as ticks rise.

        A percentage that the device reported is given for another place only if that is surely on the same page:
        KOReader takes equal percentages for the same place, and would not move (positions.md A.4).
        """
        tick = min(max(tick, 0), self.total)
        share = self._share(tick)
        at = bisect_left(self.learned, tick, key=lambda pair: pair[0])
        if at < len(self.learned) and self.learned[at][0] == tick:
            return share, FLOOR
        low = self.learned[at - 1][1] if at else 0.0
        high = self.learned[at][1] if at < len(self.learned) else 1.0
        return share, min(max(share - low, high - share), ENGINES) + FLOOR

    def tick(self, share: float) -> tuple[int, int]:
        """Where the page with a percentage begins, and by how many characters that may be wrong."""
        share = min(max(share, 0.0), 1.0) if share == share else 0.0  # NaN is not equal to itself
        first = self._first(share - NOISE)
        # A page ends where the next one begins, and the last one with the book.
        last = self._last(share + FLOOR + self.page) if share + FLOOR < 1 else self.total
        below = bisect_left(self.learned, share, key=lambda pair: pair[1])
        above = bisect_right(self.learned, share + FLOOR, key=lambda pair: pair[1])
        low = self.learned[below - 1][0] if below else 0
        high = self.learned[above][0] if above < len(self.learned) else self.total
        bound = max(first - low, high - first, 1)
        return first, min(bound, max(ceil((ENGINES + self.page) * self.total), last - first + 1))

    def _share(self, tick: int) -> float:
        at = bisect_left(self._ticks, tick)
        if self._ticks[at] == tick:
            return min(self._shares[at], 1.0)
        (left, right), (low, high) = self._ticks[at - 1 : at + 1], self._shares[at - 1 : at + 1]
        # On average a place is half a page below the top of its page.
        middle = low + (high - low) * (tick - left) / (right - left) - self.page / 2
        return min(max(middle, low + 2 * FLOOR), high, 1.0)

    def _first(self, share: float) -> int:
        """The first tick at which the line has at least this share."""
        at = bisect_left(self._shares, share)
        return self._ticks[0] if at == 0 else self._crossing(at, share)

    def _last(self, share: float) -> int:
        """The last tick at which the line has at most this share."""
        at = bisect_right(self._shares, share)
        return self._ticks[0] if at == 0 else self._crossing(at, share)

    def _crossing(self, at: int, share: float) -> int:
        if at == len(self._shares):
            return self._ticks[-1]
        (left, right), (low, high) = self._ticks[at - 1 : at + 1], self._shares[at - 1 : at + 1]
        return min(left + ceil((right - left) * (share - low) / (high - low)), right)


def _consistent(pairs: Iterable[tuple[int, float]], total: int) -> list[tuple[int, float]]:
    """The newest pairs that one layout can have, by tick."""
    kept: list[tuple[int, float]] = []
    for tick, share in pairs:
        if not (0 <= tick <= total and 0 <= share <= 1):  # neither is NaN
            continue
        at = bisect_left(kept, (tick, share))
        if at < len(kept) and kept[at] == (tick, share):
            continue
        before, after = kept[at - 1] if at else (-1, 0.0), kept[at] if at < len(kept) else (total + 1, 1.0)
        if tick in (before[0], after[0]) or not before[1] <= share <= after[1]:
            break
        insort(kept, (tick, share))
        if len(kept) == MAX_PAIRS:
            break
    return kept
