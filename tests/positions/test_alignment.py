"""Equal stretches of two texts (docs/reference/positions.md C.6)."""

import random

from hypothesis import given
from hypothesis import strategies as st

from appliance.positions.alignment import align

WORDS = [f"word{number}" for number in range(40)]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=60).map("".join)


@given(TEXTS, TEXTS)
def test_blocks_are_equal_and_rise(left: str, right: str) -> None:
    alignment = align(left, right)
    at = (0, 0)
    for block in alignment.blocks:
        assert block.length > 0
        assert left[block.left : block.left + block.length] == right[block.right : block.right + block.length]
        assert (block.left, block.right) >= at
        assert block.left >= at[0]
        assert block.right >= at[1]
        at = (block.left + block.length, block.right + block.length)


@given(TEXTS)
def test_a_text_is_aligned_with_itself(text: str) -> None:
    alignment = align(text, text)
    assert alignment.share == 1
    for k in range(len(text) + 1):
        assert alignment.to_right(k) == (k, True)
        assert alignment.to_left(k, before=True) == (k, True)


@given(TEXTS, TEXTS, st.integers(0, 300))
def test_an_exact_place_comes_back(left: str, right: str, k: int) -> None:
    alignment = align(left, right)
    k = min(k, len(left))
    there, exact = alignment.to_right(k)
    assert 0 <= there <= len(right)
    if exact and k < len(left):
        assert left[k] == right[there]
        assert alignment.to_left(there) == (k, True)


def test_a_long_text_with_changes_keeps_everything_else() -> None:
    """Property 7 of positions.md C.11: what is changed somewhere leaves the rest exact, and is never exact itself."""
    shuffle = random.Random(7)
    sentences = [" ".join(shuffle.choices(WORDS, k=12)).replace(" ", f"{number};") for number in range(2000)]
    changed = sentences.copy()
    changed[100] = ""
    changed[700] = "Somethingelseentirelystandshere."
    changed.insert(1500, "Anewsentencewasadded.")
    left, right = "".join(sentences), "".join(changed)
    alignment = align(left, right)
    assert alignment.share > 0.99
    starts = [sum(map(len, sentences[:number])) for number in (50, 101, 699, 701, 1499, 1500, 1999)]
    for start in starts:
        there, exact = alignment.to_right(start + 10)  # where it begins may be in doubt: sentences begin alike
        assert exact
        assert right[there : there + 30] == left[start + 10 : start + 40]
    middle = sum(map(len, sentences[:700])) + len(sentences[700]) // 2
    assert not alignment.to_right(middle)[1]


def test_smart_punctuation_costs_only_the_marks() -> None:
    left = 'Hesaid"yes"...andwent--home.' * 20
    right = left.replace('"yes"', "“yes”").replace("...", "…").replace("--", "—")
    alignment = align(left, right)
    k = left.index("andwent")
    there, exact = alignment.to_right(k)
    assert exact
    assert right[there:].startswith("andwent")


def test_nothing_in_common_is_no_block() -> None:
    alignment = align("a" * 1000, "b" * 1000)
    assert (alignment.blocks, alignment.share) == ([], 0)
    assert alignment.to_right(500) == (500, False)
    assert align("", "").share == 1
    assert align("", "abc").to_right(0) == (0, False)


def test_hostile_repetition_ends() -> None:
    align("ab" * 50_000, "ba" * 50_000)
    align("a" * 100_000 + "x" + "b" * 100_000, "b" * 100_000 + "y" + "a" * 100_000)
