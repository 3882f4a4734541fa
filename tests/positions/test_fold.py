"""Folded text and the way back from it (docs/reference/positions.md C.5 step 4)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions.fold import Folded, fold

TEXTS = st.text(alphabet="abCß.-—–'\"“”…ﬁ\u00ad\u200b\u2060\u0301é漢😀Ⅷ½\u00a0かが\uac01Σς", max_size=40)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“It’s”", '"It\'s"'),
        ("«no»", '"no"'),
        ("wait—for–it−", "wait--for-it---"),
        ("and…so", "and...so"),
        ("of\u00adfice", "oﬃce"),
        ("zero\u200b\u200c\u200d\u2060width", "zerowidth"),
        ("CHAPTER", "chapter"),
        ("Straße", "STRASSE"),
        ("10\u00a0km", "10km"),
        (unicodedata.normalize("NFD", "Nguyễn Việt").replace(" ", ""), "NguyễnViệt"),
    ],
)
def test_what_copies_differ_in_folds_away(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(TEXTS)
def test_composed_and_decomposed_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(TEXTS)
def test_a_folded_text_folds_to_itself(text: str) -> None:
    folded = fold(text.replace("-", "").replace("—", "").replace("–", ""))  # dashes close up when what parts them goes
    assert fold(folded) == folded


@given(TEXTS)
def test_the_way_back(text: str) -> None:
    folded = Folded(text)
    sources = [folded.to_source(at) for at in range(len(folded.text) + 1)]
    assert sources == sorted(sources)
    assert sources[-1] == len(text)
    for at, source in enumerate(sources[:-1]):
        assert folded.from_source(source) <= at < folded.from_source(source + 1), "it comes from that character"
    places = [folded.from_source(k) for k in range(len(text) + 1)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, len(folded.text))
