from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobo_api.wire import read_time, whole, write_time


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_time_survives_in_whole_seconds(time: datetime) -> None:
    assert read_time(write_time(time)) == time.replace(microsecond=0)


@pytest.mark.parametrize(
    "text", ["2026-03-01T09:30:00Z", "2026-03-01T09:30:00.0000000Z", "2026-03-01T10:30:00+01:00", "2026-03-01T09:30:00"]
)
def test_times_of_every_firmware_are_read(text: str) -> None:
    assert read_time(text) == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@given(st.one_of(st.none(), st.integers(), st.text(max_size=50), st.binary(), st.lists(st.text())))
def test_anything_else_is_no_time(value: object) -> None:
    assert read_time(value) is None or isinstance(read_time(value), datetime)


def test_whole_percents_are_integers_and_zero_is_a_number() -> None:
    assert repr([whole(33.0), whole(0), whole(33.5), whole(-1), whole(101), whole(True), whole("3"), whole(None)]) == (
        "[33, 0, 33.5, None, None, None, None, None]"
    )
