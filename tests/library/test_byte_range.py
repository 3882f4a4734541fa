from hypothesis import given
from hypothesis import strategies as st

from appliance.library.byte_range import Span, requested

ETAG = '"abc"'


@given(st.integers(0, 40), st.integers(0, 50), st.integers(0, 50))
def test_a_range_is_the_slice_it_says(size: int, first: int, last: int) -> None:
    data = bytes(range(size))
    span = requested({"range": f"bytes={first}-{last}"}, size, ETAG)
    if last < first:
        assert span == Span(0, size, False)
    elif first >= size:
        assert span is None
    else:
        assert span is not None and data[span.start : span.end] == data[first : last + 1] and span.is_part


@given(st.integers(1, 40), st.integers(0, 50))
def test_open_and_suffix_ranges(size: int, number: int) -> None:
    data = bytes(range(size))
    tail = requested({"range": f"bytes={number}-"}, size, ETAG)
    assert data[tail.start : tail.end] == data[number:] if tail else number >= size
    suffix = requested({"range": f"bytes=-{number}"}, size, ETAG)
    assert data[suffix.start : suffix.end] == data[-number:] if suffix else number == 0


def test_what_cannot_be_read_or_is_of_another_file_gives_the_whole() -> None:
    whole = Span(0, 9, False)
    for headers in (
        {},
        {"range": "bytes=0-1,3-4"},
        {"range": "lines=1-2"},
        {"range": "bytes=-"},
        {"range": "bytes=0-3", "if-range": '"other"'},
        {"range": "bytes=٣-4"},
    ):
        assert requested(headers, 9, ETAG) in (whole, Span(3, 5, True))
    assert requested({"range": "bytes=0-3", "if-range": ETAG}, 9, ETAG) == Span(0, 4, True)
