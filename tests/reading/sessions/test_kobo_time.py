"""A Kobo tells its reading time twice: as sittings and as a counter. It counts once."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from appliance.reading.sessions.event import Source, believed, kobo_counter, kobo_sitting
from appliance.reading.sessions.kobo_time import ROUNDING, Counter, estimated
from appliance.reading.sessions.rule import Interval, sessions, union

HOUR = 3600
T0 = 1_795_000_000


def placed(counters, sittings=()):
    reports = [Counter(1, T0 + at, minutes * 60) for at, minutes in counters]
    known = [Interval(T0 + start, T0 + end, 1) for start, end in sittings]
    return [(each.start - T0, each.end - T0) for each in estimated(reports, known)]


def test_the_first_report_has_nothing_to_compare_with():
    assert placed([(0, 155)]) == []


def test_what_was_added_ends_with_the_report():
    assert placed([(0, 0), (5 * HOUR, 40)]) == [(5 * HOUR - 2400, 5 * HOUR)]
    assert placed([(0, 10), (HOUR, 10), (2 * HOUR, 10)]) == []


def test_what_sittings_tell_is_not_counted_again():
    assert placed([(0, 0), (5 * HOUR, 30)], [(1000, 2800)]) == []
    assert placed([(0, 0), (5 * HOUR, 31)], [(1000, 2830)]) == []  # rounding
    # The sitting came last, so the other ten minutes were before it.
    assert placed([(0, 0), (HOUR, 30)], [(HOUR - 1200, HOUR)]) == [(HOUR - 1800, HOUR - 1200)]


def test_a_hole_between_sittings_is_filled_from_its_end():
    found = placed([(0, 0), (HOUR, 30)], [(HOUR - 600, HOUR), (HOUR - 1500, HOUR - 900)])
    assert found == [(HOUR - 1800, HOUR - 1500), (HOUR - 900, HOUR - 600)]


def test_never_more_than_the_time_that_passed():
    assert placed([(0, 0), (600, 500)]) == [(0, 600)]


def test_a_counter_that_began_anew_counts_from_nothing():
    assert placed([(0, 500), (100 * HOUR, 20)]) == [(100 * HOUR - 1200, 100 * HOUR)]
    assert placed([(0, 500), (100 * HOUR, 0), (101 * HOUR, 20)]) == [(101 * HOUR - 1200, 101 * HOUR)]


def test_a_report_of_a_wrong_clock_is_passed_over():
    assert placed([(0, 500), (600, 450), (2 * HOUR, 530)]) == [(2 * HOUR - 1800, 2 * HOUR)]


def test_each_device_has_its_own_counter():
    reports = [Counter(1, T0, 0), Counter(2, T0, 6000), Counter(1, T0 + HOUR, 600), Counter(2, T0 + HOUR, 6600)]
    found = estimated(reports, [])
    assert [(each.device_id, each.end - each.start) for each in found] == [(1, 600), (2, 600)]
    assert sessions(found)[0].seconds == 600  # and a second counts once


@given(
    st.lists(st.tuples(st.integers(0, 40 * HOUR), st.integers(0, 400)), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 40 * HOUR), st.integers(1, 4000)), max_size=8),
    st.randoms(),
)
def test_whatever_is_reported(counters, sittings, chance):
    reports = [Counter(1, T0 + at, minutes * 60) for at, minutes in counters]
    known = [Interval(T0 + start, T0 + start + seconds, 1) for start, seconds in sittings]
    found = estimated(reports, known)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(each.end > each.start and each.estimated for each in found)
    told = union((each.start, each.end) for each in known)
    guessed = union((each.start, each.end) for each in found)
    assert not any(max(a, c) < min(b, d) for a, b in told for c, d in guessed)
    if found:
        assert min(reports).at <= min(found).start <= max(found).end <= max(each.at for each in reports)
    chance.shuffle(reports)
    chance.shuffle(known)
    assert estimated(reports, known) == found


@given(st.lists(st.tuples(st.integers(60, 20 * HOUR), st.booleans(), st.integers(1, 60)), max_size=10))
def test_a_whole_history_counts_what_was_read(history):
    """Somebody reads; the analytics of some sittings are lost; the counter shows whole minutes."""
    now, read = T0, 0
    counters, sittings = [Counter(1, T0, 0)], []
    for pause, told, minutes in history:
        start = now + pause
        now = start + minutes * 60
        read += minutes * 60
        counters.append(Counter(1, now, read))
        if told:
            sittings.append(Interval(start, now, 1))
    found = [*sittings, *estimated(counters, sittings)]
    assert sum(sitting.seconds for sitting in sessions(found)) == read
    assert all(each.end - each.start >= ROUNDING for each in estimated(counters, sittings))


def test_how_a_kobo_says_it():
    sitting = kobo_sitting("b", "3f3e2d1c", T0, 1260, 0.37)
    assert (sitting.source, sitting.started, sitting.seconds) == (Source.KOBO, T0 - 1260, 1260)
    assert (sitting.operation_id, sitting.end_fraction) == ("3f3e2d1c", 0.37)
    counter = kobo_counter("b", T0, 155)
    assert counter == kobo_counter("b", T0, 155) != kobo_counter("b", T0 + 1, 155)
    assert believed(counter, T0, None) == T0  # 155 minutes are behind it, not before it
