"""Approximate search (docs/reference/positions.md C.5 step 5)."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.positions.approximate import LONGEST, Match, distance, search

TEXTS = st.text(alphabet="abc", max_size=30)


def by_table(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, character in enumerate(one, start=1):
        above, row[0] = row[0], i
        for j, opposite in enumerate(other, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (character != opposite))
    return row[-1]


@given(TEXTS, TEXTS)
def test_distance(one: str, other: str) -> None:
    assert distance(one, other) == by_table(one, other)


@given(TEXTS.filter(bool), TEXTS)
def test_the_best_match_is_found(pattern: str, text: str) -> None:
    best = min(by_table(pattern, text[i:j]) for i in range(len(text) + 1) for j in range(i, len(text) + 1))
    found = search(pattern, text, 1.0)
    assert found is not None
    assert found.edits == best == by_table(pattern, text[found.start : found.end])
    if best:
        assert search(pattern, text, (best - 0.5) / len(pattern)) is None


def test_edited_words() -> None:
    text = "Hesaidthathewouldcometomorrowifitdidnotrain,andleft."
    assert search("thathewouldcomeagaintomorrow", text) == Match(6, 29, 5)
    assert search("nothinglikeit", text) is None
    assert search("", text) is None
    assert search("a", "a" * (LONGEST + 1)) is None
