"""Counting canonical characters agrees with looking at them one by one."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.positions.canonical import NO_INK
from appliance.positions.ink import code_points, ink, ink_end, ink_length, ink_offset, units
from tests.positions.documents import TEXT

LONG = st.lists(TEXT, max_size=30).map("".join)


@given(LONG)
def test_ink_leaves_out_white_space_and_nothing_else(text: str) -> None:
    assert ink(text) == "".join(character for character in text if character not in NO_INK)


@given(LONG, st.integers(0, 400), st.integers(0, 400))
def test_the_length_of_a_part_is_the_length_of_its_ink(text: str, start: int, end: int) -> None:
    start, end = sorted((min(start, len(text)), min(end, len(text))))
    assert ink_length(text, start, end) == len(ink(text[start:end]))


@given(LONG)
def test_every_canonical_character_is_found_again(text: str) -> None:
    offsets = [offset for offset, character in enumerate(text) if character not in NO_INK]
    assert [ink_offset(text, n) for n in range(len(offsets))] == offsets
    assert [ink_end(text, n + 1) for n in range(len(offsets))] == [offset + 1 for offset in offsets]
    assert ink_offset(text, len(offsets)) == len(text)


@given(LONG, st.integers(0, 400))
def test_utf16_units_and_code_points_are_inverse(text: str, offset: int) -> None:
    offset = min(offset, len(text))
    assert code_points(text, units(text, offset)) == offset


def test_units_count_as_browsers_do() -> None:
    assert units("a😀b", 2) == 3
    assert code_points("a😀b", 3) == 2
    assert code_points("a😀b", 2) == 1, "inside a pair, the pair is not counted"
    assert code_points("a😀b", 9) > 3, "beyond the end stays beyond the end"
