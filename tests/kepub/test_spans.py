"""The sentence splitter and the counters, against a second formulation of each (docs/reference/kepub.md 4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.kepub.spans import Numbering, cut

LETTERS = st.text(alphabet="ab.!?'\"“”’…‘)»。 \t\n\f\r\u00a0\u2003\u200b漢😀\u0301:;5", max_size=60)


def cut_by_states(text: str) -> list[str]:
    """The state machine of kepub.md 4.2."""
    pieces, state, start = [], "text", 0
    for at, character in enumerate(text):
        space = character in " \t\n\f\r"
        if state == "gap" and not space:
            pieces.append(text[start:at])
            start, state = at, "text"
        if space:
            state = "gap" if state in ("terminator", "closer", "gap") else "text"
        elif character in ".!?":
            state = "terminator"
        elif state == "terminator" and character in "'\"“”’…":
            state = "closer"
        else:
            state = "text"
    return [*pieces, text[start:]] if text[start:] else pieces


@given(LETTERS)
def test_cuts_like_the_state_machine(text: str) -> None:
    assert cut(text) == cut_by_states(text)


@given(st.text(max_size=200))
def test_pieces_are_the_text(text: str) -> None:
    pieces = cut(text)
    assert "".join(pieces) == text
    assert all(pieces)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Wait... what?! Yes.", ["Wait... ", "what?! ", "Yes."]),
        ("Dr. Lee", ["Dr. ", "Lee"]),
        ("at 3.5 p.m. today.", ["at 3.5 p.m. ", "today."]),
        ("« Oui. » Non.", ["« Oui. ", "» Non."]),
        ("Now.”’ x", ["Now.”’ x"]),
        ("New\u00a0. Next", ["New\u00a0. ", "Next"]),
        ("end.\u00a0Next", ["end.\u00a0Next"]),
    ],
)
def test_known_cuts(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


EVENTS = st.lists(st.one_of(st.just("block"), st.just("image"), st.tuples(LETTERS, st.booleans())), max_size=20)


@given(EVENTS)
def test_numbers_like_the_table(events: list[object]) -> None:
    """kepub.md 4.1, read off the table with plain variables."""
    numbering = Numbering()
    paragraph, segment, pending = 0, 0, False
    last = (0, 0)
    for event in events:
        if event == "block":
            numbering.pending = pending = True
        elif event == "image":
            paragraph, segment, pending = paragraph + 1, 1, False
            assert numbering.next_image() == f"kobo.{paragraph}.1"
        else:
            text, in_paragraph = event
            expected: list[tuple[str | None, str]] = []
            for piece in cut_by_states(text):
                if not piece.strip() and not in_paragraph:
                    expected.append((None, piece))
                    continue
                if pending:
                    paragraph, segment, pending = paragraph + 1, 0, False
                segment += 1
                expected.append((f"kobo.{paragraph}.{segment}", piece))
            assert numbering.number(text, in_paragraph) == expected
        assert (paragraph, segment) >= last
        last = (paragraph, segment)
