"""Bodies of the KOSync protocol: what is read, what is refused, and that nothing makes the parser fail otherwise."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koreader_api.kosync.wire import MAX_PROGRESS, WireError, floor_percentage, read_progress

PUSH = {
    "document": "596C52EC482E99F80EBAE664DB3D92C0",
    "progress": "/body/DocFragment[4]/body/section/p[10]/text().0",
    "percentage": 0.4272,
    "device": "Emulator",
    "device_id": "0123456789ABCDEF0123456789ABCDEF",
}


def read(**changes):
    return read_progress(json.dumps({**PUSH, **changes}).encode())


def test_a_stock_push():
    update = read()
    assert update.document == PUSH["document"].lower()
    assert (update.progress, update.percentage, update.device_id) == (PUSH["progress"], 0.4272, PUSH["device_id"])


def test_optional_fields_may_be_missing_and_unknown_ones_are_ignored():
    body = {"document": "x", "progress": "12", "metadata": {"title": "A"}, "percentage": None}
    update = read_progress(json.dumps(body).encode())
    assert (update.device, update.device_id, update.percentage) == ("", "", None)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, 0), (1, 1), (0.5, 0.5), (42, 0.42), (100, 1), (101, None), (-1, None), (True, None), ("0.5", None)],
)
def test_percentages_of_odd_clients(share, expected):
    assert read(percentage=share).percentage == expected


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"<html>", 400, 103),
        (b"[1]", 400, 104),
        (b'{"progress": "x"}', 403, 2004),
        (b'{"document": "", "progress": "x"}', 403, 2004),
        (b'{"document": "a:b", "progress": "x"}', 403, 2003),
        (b'{"document": "a"}', 403, 2003),
        (json.dumps({"document": "a", "progress": "x" * (MAX_PROGRESS + 1)}).encode(), 403, 2003),
        (b'{"document": "a", "progress": "x", "device": 7}', 403, 2003),
        (b"[" * 100_000, 400, 103),
    ],
)
def test_refusals_are_those_of_the_protocol(body, status, code):
    with pytest.raises(WireError) as refused:
        read_progress(body)
    assert (refused.value.status, refused.value.code) == (status, code)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.binary(max_size=200) | st.dictionaries(st.sampled_from(sorted(PUSH)), json_values).map(json.dumps))
def test_nothing_else_than_a_refusal_comes_out(body):
    try:
        update = read_progress(body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"))
    except WireError:
        return
    assert update.document and len(update.progress) <= MAX_PROGRESS
    assert update.percentage is None or 0 <= update.percentage <= 1


@given(st.floats(0, 1))
def test_percentages_are_cut_not_rounded(share):
    cut = floor_percentage(share)
    assert cut <= share < cut + 0.0001 + 1e-12
