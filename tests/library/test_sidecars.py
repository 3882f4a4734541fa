"""Which versions of a sidecar stay, and what is seen in one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.library.sidecar_glance import Glance, glance
from appliance.library.sidecars import KEEP, UNFINISHED, too_old

START = datetime(2026, 11, 21, tzinfo=UTC)
VERSIONS = st.lists(st.tuples(st.integers(0, 900), st.booleans()), max_size=60).map(
    lambda said: [
        (number, START - timedelta(days=days), is_complete)
        for number, (days, is_complete) in enumerate(sorted(said, key=lambda one: one[0]))
    ]
)


@given(VERSIONS)
def test_the_last_and_one_of_each_month_stay(versions):
    gone = too_old(versions)
    complete = [one for one in versions if one[2]]
    kept = [one for one in complete if one[0] not in gone]
    assert kept[:KEEP] == complete[:KEEP]
    assert {(at.year, at.month) for _, at, _ in kept} == {(at.year, at.month) for _, at, _ in complete}
    assert len(kept) <= KEEP + 31
    assert sum(not one[2] and one[0] not in gone for one in versions) <= UNFINISHED
    assert too_old([one for one in versions if one[0] not in gone]) == set(), "what stays once stays"


def test_a_sidecar_at_a_glance():
    text = b"""-- /mnt/onboard/Alice.sdr/metadata.epub.lua
return {
    ["annotations"] = {
        [1] = {
            ["note"] = "\\
    [\\"percent_finished\\"] = 0.9,\\
",
            ["pos0"] = "x",
        },
        [2] = {
            ["chapter"] = "One",
        },
    },
    ["percent_finished"] = 0.42727272727273,
}
"""
    assert glance(text) == Glance(2, 0.42727272727273)


@pytest.mark.parametrize("text", [b"", b"\xff\x00", b'    ["percent_finished"] = 1e400,\n', b'    ["annotations"] = {'])
def test_anything_else_is_nothing(text: bytes):
    assert glance(text) == Glance()


def test_real_sidecars(shared):
    folder = shared / "captures-koreader" / "sidecars"
    seen = glance((folder / "epub-metadata.epub.lua").read_bytes())
    assert seen.annotations and seen.percent == 0.42727272727273
