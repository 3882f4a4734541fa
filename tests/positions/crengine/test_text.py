"""What becomes of the characters between two tags (docs/reference/xpointer.md 4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions.crengine.text import PIECE, fold, keep, pieces
from appliance.positions.ink import ink


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (" a \n\t b  c ", " a b c "),
        ("a\u00a0 \u00a0b\u3000 c", "a\u00a0 \u00a0b\u3000 c"),
        ("a &#32; b&#10;&#9; c", "a   b\n\t c"),  # references are neither folded nor changed
        ("a\x0bb\x0c c", "a\x0bb\x0c c"),
    ],
)
def test_folding(source: str, text: str) -> None:
    assert fold(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("\ttab", "        tab"),
        ("ab\ttab", "ab      tab"),
        ("x\n\ttab", "x\n       tab"),  # the line feed counts as column 0
        ("  a  \n b", "  a  \n b"),
        ("&amp;&amp;\tx", "&&      x"),
    ],
)
def test_keeping(source: str, text: str) -> None:
    assert keep(source) == text


@given(st.text(alphabet="ab \n\t\u00a0漢", max_size=80))
def test_no_canonical_character_is_lost(source: str) -> None:
    assert ink(fold(source)) == ink(source) == ink(keep(source))


def test_a_long_stretch_is_cut_behind_its_last_space() -> None:
    source = "word " * 4000
    parts = list(pieces(source))
    assert "".join(parts) == source
    assert [len(part) for part in parts[:-1]] == [8190, 8190]
    assert [len(part) for part in pieces("x" * 20000)] == [PIECE, PIECE, 20000 - 2 * PIECE]
    assert list(pieces("")) == []
