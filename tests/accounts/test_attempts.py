from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appliance.accounts.attempts import Attempts

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_door_closes_after_the_limit_and_opens_when_the_first_failure_is_old():
    attempts = Attempts(limit=3, window=15 * MINUTE)
    for minute in range(3):
        assert not attempts.wait("ida", NOON + minute * MINUTE)
        attempts.failed("ida", NOON + minute * MINUTE)
    assert attempts.wait("ida", NOON + 3 * MINUTE) == 12 * MINUTE
    assert not attempts.wait("ida", NOON + 15 * MINUTE)


def test_another_key_is_another_door():
    attempts = Attempts(limit=1)
    attempts.failed(("ida", "192.0.2.1"), NOON)
    assert attempts.wait(("ida", "192.0.2.1"), NOON)
    assert not attempts.wait(("ida", "192.0.2.2"), NOON)
    assert not attempts.wait(("ben", "192.0.2.1"), NOON)


def test_success_is_a_fresh_start():
    attempts = Attempts(limit=1)
    attempts.failed("ida", NOON)
    attempts.succeeded("ida")
    assert not attempts.wait("ida", NOON)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 3600)), max_size=300))
def test_memory_is_bounded_whatever_is_tried(tries: list[tuple[int, int]]):
    attempts = Attempts(limit=4, capacity=20)
    for key, second in sorted(tries, key=lambda item: item[1]):
        attempts.failed(key, NOON + timedelta(seconds=second))
    assert len(attempts._failures) <= 20
    assert all(len(times) <= 4 for times in attempts._failures.values())


@given(st.lists(st.integers(0, 7200), max_size=60), st.integers(0, 7200))
def test_exactly_the_failures_within_the_window_count(seconds: list[int], now: int):
    attempts = Attempts(limit=5, window=timedelta(seconds=900))
    past = sorted(second for second in seconds if second <= now)
    for second in past:
        attempts.failed("ida", NOON + timedelta(seconds=second))
    recent = [second for second in past if now - second < 900]
    wait = attempts.wait("ida", NOON + timedelta(seconds=now))
    assert bool(wait) == (len(recent) >= 5)
    if wait:
        assert wait.total_seconds() == recent[-5] + 900 - now
