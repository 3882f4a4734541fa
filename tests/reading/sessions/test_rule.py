"""What counts as reading, what belongs together, which day it was."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.reading.sessions.rule import (
    GAP,
    LONGEST_VISIT,
    Interval,
    daily,
    instant,
    joined,
    page_visit,
    sessions,
    union,
)

NOON = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp())

moments = st.integers(NOON, NOON + 6 * 3600)
fractions = st.none() | st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])


@st.composite
def intervals(draw):
    start = draw(moments)
    end = start + draw(st.integers(0, 5000))
    return Interval(start, end, draw(st.integers(1, 3)), draw(st.booleans()), draw(fractions), draw(fractions))


def read(start, seconds, device=1, **fields):
    return Interval(NOON + start, NOON + start + seconds, device, **fields)


def lengths(found):
    return [sitting.seconds for sitting in found if sitting.counts]


def test_a_pause_of_half_an_hour_ends_a_session():
    assert lengths(sessions([read(0, 60), read(60 + GAP - 1, 60)])) == [120]
    assert lengths(sessions([read(0, 60), read(60 + GAP, 60)])) == [60, 60]


def test_less_than_ten_seconds_is_not_a_session_but_joins_one():
    assert lengths(sessions([read(0, 9)])) == []
    assert lengths(sessions([read(0, 10)])) == [10]
    assert lengths(sessions([read(0, 9), read(100, 9)])) == [18]


def test_one_page_counts_ten_minutes_at_most():
    visit = page_visit(NOON, 8 * 3600, 1, 5, 100)
    assert visit.end - visit.start == LONGEST_VISIT
    assert (visit.start_fraction, visit.end_fraction) == (0.04, 0.05)
    assert page_visit(NOON, 30, 1, 7, 0)[4:] == (None, None)
    assert page_visit(NOON, 30, 1, 120, 100)[4:] == (1.0, 1.0)


def test_a_second_that_two_devices_saw_counts_once():
    (found,) = sessions([read(0, 600, 1), read(300, 600, 2), read(100, 50, 3)])
    assert found.seconds == 900 and found.devices == (1, 2, 3)
    assert found.stretches == ((NOON, NOON + 900),)


def test_what_only_a_counter_knows_is_told_apart():
    (found,) = sessions([read(0, 600), read(300, 600, estimated=True), read(1000, 100, estimated=True)])
    assert (found.seconds, found.estimated) == (1000, 400)


def test_a_session_begins_where_its_first_page_did_and_ends_where_its_last_did():
    events = [read(0, 60), read(70, 60, start_fraction=0.2, end_fraction=0.3), read(200, 60, end_fraction=0.35)]
    (found,) = sessions(events)
    assert (found.start_fraction, found.end_fraction) == (0.2, 0.35)


@given(st.lists(intervals(), max_size=25), st.randoms())
def test_the_order_of_the_facts_does_not_matter(facts, chance: random.Random):
    expected = sessions(facts)
    chance.shuffle(facts)
    assert sessions(facts) == expected
    assert sessions(facts + facts) == expected


@given(st.lists(intervals(), max_size=25))
def test_every_second_counts_once(facts):
    found = sessions(facts)
    seconds = {second for fact in facts for second in range(fact.start, fact.end)}
    measured = {second for fact in facts if not fact.estimated for second in range(fact.start, fact.end)}
    assert sum(sitting.seconds for sitting in found) == len(seconds)
    assert sum(sitting.estimated for sitting in found) == len(seconds - measured)
    assert [piece for sitting in found for piece in sitting.stretches] == union(
        (fact.start, fact.end) for fact in facts if fact.end > fact.start
    )
    for sitting in found:
        assert sitting.seconds <= sitting.end - sitting.start
        assert all(start - end < GAP for (_, end), (start, _) in pairwise(sitting.stretches))
    assert all(after.start - before.end >= GAP for before, after in pairwise(found))


@given(st.lists(intervals(), max_size=25))
def test_joining_what_comes_in_order_is_the_same(facts):
    facts.sort(key=lambda fact: fact.start)
    assert list(joined(iter(facts))) == sessions(facts)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Havana", "Pacific/Auckland", "Asia/Kathmandu"])
def test_a_session_over_midnight_belongs_to_both_days(zone):
    zone = ZoneInfo(zone)
    midnight = instant(date(2026, 11, 22), zone)
    days = daily([("b", midnight - 600, midnight + 300)], zone)
    assert [(day.date, day.seconds) for day in days] == [(date(2026, 11, 21), 600), (date(2026, 11, 22), 300)]


def test_days_are_as_long_as_their_clocks_make_them():
    zone = ZoneInfo("Europe/Berlin")
    start, end = instant(date(2026, 3, 28), zone), instant(date(2026, 10, 27), zone)
    hours = {day.date: day.seconds / 3600 for day in daily([("b", start, end)], zone)}
    assert hours.pop(date(2026, 3, 29)) == 23
    assert hours.pop(date(2026, 10, 25)) == 25
    assert set(hours.values()) == {24} and len(hours) == 211


def test_where_midnight_does_not_exist_the_day_begins_an_hour_later():
    zone = ZoneInfo("Africa/Cairo")  # the last Friday of April 2026, at midnight
    begin = instant(date(2026, 4, 24), zone)
    assert datetime.fromtimestamp(begin, zone).hour == 1
    days = daily([("b", begin - 60, begin + 60)], zone)
    assert [(day.date.day, day.seconds) for day in days] == [(23, 60), (24, 60)]


def test_a_day_that_a_country_left_out_has_nothing():
    zone = ZoneInfo("Pacific/Apia")
    start = int(datetime(2011, 12, 29, 12, tzinfo=zone).timestamp())
    days = daily([("b", start, start + 24 * 3600)], zone)
    assert [(day.date.day, day.seconds) for day in days] == [(29, 12 * 3600), (31, 12 * 3600)]


def test_two_books_at_the_same_time_fill_the_day_once():
    days = daily([("a", NOON, NOON + 600), ("b", NOON + 300, NOON + 900)], UTC)
    assert days[0].seconds == 900 and days[0].books == {"a": 600, "b": 600}


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
            st.integers(1, 4 * 86400),
        ),
        max_size=8,
    ),
    st.sampled_from(sorted(available_timezones())),
)
def test_days_add_up_to_what_was_read(facts, name):
    zone = ZoneInfo(name)
    stretches = [(book, int(start.timestamp()), int(start.timestamp()) + seconds) for book, start, seconds in facts]
    per_book = [
        (book, *piece)
        for book in "abc"
        for piece in union((start, end) for which, start, end in stretches if which == book)
    ]
    days = daily(per_book, zone)
    for book in "abc":
        read_in_all = sum(end - start for which, start, end in per_book if which == book)
        assert sum(day.books.get(book, 0) for day in days) == read_in_all
    all_pieces = union((start, end) for _, start, end in stretches)
    assert sum(day.seconds for day in days) == sum(end - start for start, end in all_pieces)
    for day in days:
        assert max(day.books.values()) <= day.seconds <= sum(day.books.values())
        assert day.seconds <= instant(day.date + timedelta(days=1), zone) - instant(day.date, zone)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(sorted(available_timezones())),
)
def test_each_second_is_on_the_day_that_the_wall_clock_shows(moment, name):
    second, zone = int(moment.timestamp()), ZoneInfo(name)
    (day,) = daily([("b", second, second + 1)], zone)
    assert day.date == datetime.fromtimestamp(second, zone).date()
    wide = daily([("b", second - 86400, second + 86400)], zone)
    ends = [instant(day.date + timedelta(days=1), zone) for day in wide]
    assert all(datetime.fromtimestamp(end - 1, zone).date() < datetime.fromtimestamp(end, zone).date() for end in ends)
