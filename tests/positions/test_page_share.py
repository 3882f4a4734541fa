"""KOReader's percentages, learned (positions.md C.7; property 13), against those of a real one."""

import json
import math
from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import OpenBook
from appliance.positions.fraction import ENGINES
from appliance.positions.page_share import FLOOR, MAX_PAIRS, PageShare


def floored(share):
    return math.floor(share * 10_000 + 1e-6) / 10_000


class Layout:
    """A book set in pages: `tops` are the ticks at which they begin."""

    def __init__(self, tops, total):
        self.tops, self.total = sorted({0, *tops}), total

    def percent(self, tick):
        return floored(bisect_right(self.tops, tick) / len(self.tops))

    def pairs(self, ticks):
        return [(tick, self.percent(tick)) for tick in ticks]


@st.composite
def layouts(draw, total=None):
    total = total if total is not None else draw(st.integers(1, 200_000))
    return Layout(draw(st.lists(st.integers(0, total), max_size=60)), total)


@st.composite
def learned(draw):
    """A layout, and places in it that the device reported."""
    layout = draw(layouts())
    return layout, layout.pairs(draw(st.lists(st.integers(0, layout.total), max_size=30)))


@given(learned())
def test_what_was_reported_is_repeated_exactly(case):
    layout, pairs = case
    pages = PageShare(pairs, layout.total)
    for tick, share in pairs:
        assert pages.at(tick) == (share, FLOOR)


@given(learned())
def test_a_percentage_never_falls(case):
    layout, pairs = case
    pages = PageShare(pairs, layout.total)
    ticks = sorted({*range(0, layout.total + 1, max(layout.total // 300, 1)), *(tick for tick, _ in pairs)})
    shares = [pages.at(tick)[0] for tick in ticks]
    assert shares == sorted(shares) and 0 <= shares[0] and shares[-1] <= 1
    places = [pages.tick(n / 500)[0] for n in range(501)]
    assert places == sorted(places) and 0 <= places[0] and places[-1] <= layout.total


@given(learned(), st.data())
def test_there_and_back_within_the_stated_error(case, data):
    layout, pairs = case
    pages = PageShare(pairs, layout.total)
    tick = data.draw(st.integers(0, layout.total))
    for share in (pages.at(tick)[0], floored(pages.at(tick)[0])):
        back, error = pages.tick(share)
        assert 0 <= back <= layout.total
        assert abs(back - tick) <= error


@given(learned(), st.data())
def test_between_reports_the_truth_is_within_their_bounds(case, data):
    """However odd the layout is: pages only ever count up."""
    layout, pairs = case
    pages = PageShare(pairs, layout.total)
    tick = data.draw(st.integers(0, layout.total))
    low = max((share for at, share in pairs if at <= tick), default=0.0)
    high = min((share for at, share in pairs if at >= tick), default=1.0)
    share, error = pages.at(tick)
    assert low <= share <= high
    assert error <= ENGINES + FLOOR
    if error < ENGINES:
        assert abs(share - layout.percent(tick)) <= error


@given(learned(), st.data())
def test_equal_percentages_are_surely_one_page(case, data):
    """KOReader takes them for the same place and would not go there (positions.md A.4)."""
    layout, pairs = case
    pages = PageShare(pairs, layout.total)
    tick = data.draw(st.integers(0, layout.total))
    share, _ = pages.at(tick)
    below = [pair for pair in pairs if pair[0] < tick]
    if below and floored(share) == max(below)[1] and share < 1:
        assert (
            layout.percent(tick) == max(below)[1]
            or min((other for at, other in pairs if at > tick), default=1.0) - max(below)[1] <= 2 * FLOOR
        )


@given(st.data())
def test_the_newest_layout_wins(data):
    """The font was changed: nothing that contradicts what the device said since is kept, nor anything older."""
    new = data.draw(layouts())
    old = data.draw(layouts(total=new.total))
    ticks = st.lists(st.integers(0, new.total), max_size=20)
    newest, older = new.pairs(data.draw(ticks)), old.pairs(data.draw(ticks))
    pages = PageShare(newest + older, new.total)
    for tick, share in newest:
        assert pages.at(tick)[0] == share
    assert all(low[0] < high[0] and low[1] <= high[1] for low, high in pairwise(pages.learned))


def test_older_pairs_go_with_the_first_that_contradicts():
    pages = PageShare([(500, 0.5), (600, 0.55), (700, 0.52), (100, 0.1)], 1_000)
    assert pages.learned == [(500, 0.5), (600, 0.55)], "0.1 may be true, but was said before the font was changed"


def test_the_number_of_pairs_is_bounded():
    pages = PageShare(((tick, tick / 10_000) for tick in range(10_000)), 10_000)
    assert len(pages.learned) == MAX_PAIRS


@given(st.lists(st.tuples(st.integers(-5, 2_000), st.floats())), st.integers(-1, 1_000), st.floats(), st.integers())
def test_nothing_is_too_odd(pairs, total, share, tick):
    pages = PageShare(pairs, total)
    assert 0 <= pages.at(tick)[0] <= 1
    assert 0 <= pages.tick(share)[0] <= max(total, 0)


# -- a real KOReader


@pytest.fixture(scope="module")
def lantern(shared):
    return OpenBook.open(shared / "captures-koreader/books/lantern.epub", "lantern")


@pytest.fixture(scope="module")
def tops(shared, lantern):
    """Page tops of the whole book in its default font, with their percentages."""
    pages = json.loads((shared / "captures-koreader/positions/page-starts.json").read_text())["page_starts"]
    return [(lantern.decode_xpointer(page["xpointer"]).tick, floored(page["percent"])) for page in pages]


@pytest.fixture(scope="module")
def fonts(shared, lantern):
    """The same five places in three sizes of the font."""
    layouts = json.loads((shared / "captures-koreader/positions/layout-dependence.json").read_text())["by_font_size"]
    return {
        layout["font_size"]: [
            (lantern.decode_xpointer(at["goto_xpointer"]).tick, at["kosync_percentage"]) for at in layout["at"]
        ]
        for layout in layouts
    }


def test_a_real_readers_pages_are_known_by_their_text_within_the_stated_error(lantern, tops, fonts):
    pages = PageShare([], lantern.summary.total)
    for tick, percent in [*tops, *(place for places in fonts.values() for place in places)]:
        share, error = pages.at(tick)
        assert abs(share - percent) <= error
        back, error = pages.tick(percent)
        assert abs(back - tick) <= error


def test_a_real_reader_gets_its_own_percentages_back(lantern, tops, fonts):
    total = lantern.summary.total
    for places in (tops[:MAX_PAIRS], tops[-MAX_PAIRS:], *fonts.values()):
        pages = PageShare(reversed(places), total)
        assert all(pages.at(tick)[0] == percent for tick, percent in places)


def test_a_real_reader_is_known_better_the_more_it_reported(lantern, tops):
    """Every other place of the book: the mean error falls with each tenth of its pages that was seen."""
    starts = [tick for tick, _ in tops]
    ticks = range(0, lantern.summary.total, 53)

    def error(pairs):
        pages = PageShare(pairs, lantern.summary.total)
        return sum(abs(pages.at(t)[0] - tops[max(bisect_right(starts, t) - 1, 0)][1]) for t in ticks) / len(ticks)

    errors = [error(tops[::every] if every else []) for every in (0, 20, 5, 2)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 0.005 and errors[-1] < 0.0025
