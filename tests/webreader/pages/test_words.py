import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webreader.browser_name import browser_name
from webreader.pages.words import ago, duration, moment, percent, stars, until, zone_of

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("fraction", "said"),
    [(None, "–"), (0, "0 %"), (0.0001, "under 1 %"), (0.424, "42 %"), (0.9999, "99 %"), (1, "100 %")],
)
def test_percent_is_neither_done_too_early_nor_none_too_long(fraction: float | None, said: str):
    assert percent(fraction) == said.replace(" %", "\N{NO-BREAK SPACE}%")


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(hours=15), "yesterday"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=40), "2 April 2026"),
    ],
)
def test_ago(passed: timedelta, said: str):
    assert ago(NOON - passed, NOON, BERLIN) == said


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(hours=1), "today, 13:00"),
        (timedelta(hours=15), "yesterday, 23:00"),
        (timedelta(days=40), "2 April 2026, 14:00"),
        (timedelta(hours=-12), "13 May 2026, 02:00"),
    ],
)
def test_moment(passed: timedelta, said: str):
    assert moment(NOON - passed, NOON, BERLIN) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(12, "under a minute"), (60, "1 min"), (3_570, "1 h"), (3_600, "1 h"), (7_500, "2 h 5 min")]
)
def test_duration(seconds: int, said: str):
    assert duration(seconds) == re.sub(r" (h|min)\b", "\N{NO-BREAK SPACE}\\1", said)


@pytest.mark.parametrize(("rating", "said"), [(1, "½ star"), (2, "1 star"), (3, "1½ stars"), (10, "5 stars")])
def test_stars(rating: int, said: str):
    assert stars(rating) == said


def test_yesterday_is_a_matter_of_the_time_zone():
    late = datetime(2026, 5, 11, 22, 30, tzinfo=UTC)
    assert ago(late, NOON, UTC) == "yesterday"
    assert ago(late, NOON, BERLIN) == "13 hours ago"


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(), "now"),
        (timedelta(minutes=40), "in 40 minutes"),
        (timedelta(hours=3), "today at 17:00"),
        (timedelta(hours=20), "tomorrow at 10:00"),
        (timedelta(days=5), "17 May 2026"),
    ],
)
def test_until(ahead: timedelta, said: str):
    assert until(NOON + ahead, NOON, BERLIN) == said


def test_an_unknown_time_zone_is_the_machines_own():
    assert zone_of("Europe/Berlin") == BERLIN
    assert zone_of("Nowhere/At All") is not None and zone_of("../../etc/passwd") is not None


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        (
            "Mozilla/5.0 (Linux; U; Android 2.0) AppleWebKit/538.1 Version/4.0 Mobile Safari (Kobo Touch 0390/4.44)",
            "Kobo",
        ),
        ("", "Browser"),
    ],
)
def test_browsers_have_names(header: str, name: str):
    assert browser_name(header) == name


@given(st.text())
def test_any_header_gives_a_short_name(header: str):
    assert 0 < len(browser_name(header)) < 40
