"""When a file is a new rendition of a book that is known."""

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.library.matching import PROSE, Nearness, Portrait, has_prose, is_same_book, shared_text
from appliance.positions.summary import BookSummary, SpineDocument

PLACES: tuple[Nearness, ...] = ("same", "beside", "elsewhere")


def summary(*texts: str) -> BookSummary:
    def digest(text: str) -> str:
        return blake2b(text.encode(), digest_size=16).hexdigest()

    documents = tuple(
        SpineDocument(n, f"{n}.xhtml", "", 0, n + 1, 2 * n + 2, None, True, 0, len(text), digest(text), "xml")
        for n, text in enumerate(texts)
    )
    return BookSummary(documents, 6, None, digest("".join(text for text in texts if text)), len(texts))


def portrait(
    *texts: str, identifier: str | None = "urn:1", title: str = "Title", authors: tuple[str, ...] = ("Ann",)
) -> Portrait:
    return Portrait(identifier, title, authors, summary(*texts))


LONG = "a" * PROSE
OTHER = "b" * PROSE


def same(one: Portrait, other: Portrait) -> list[bool]:
    return [is_same_book(one, other, place) for place in PLACES]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # The same text, whatever the names: a converted copy.
        (portrait(LONG), portrait(LONG, identifier="urn:2", title="Other"), [True, True, True]),
        # A blank first page, as a converter adds it, is no other text.
        (portrait("", LONG), portrait(LONG, identifier=None), [True, True, True]),
        # Nearly no text: pictures. Alike texts say nothing unless the file lies in the same place.
        (portrait("x" * 40, identifier="a"), portrait("x" * 40, identifier="b"), [True, True, False]),
        (portrait("x" * 40), portrait("x" * 40), [True, True, True]),
        (portrait("x" * 40), portrait("x" * 40, title="Other"), [True, True, False]),
        # A typo mended in one of three chapters.
        (portrait(LONG, OTHER, "c" * 500), portrait(LONG, OTHER, "C" * 500), [True, True, True]),
        (portrait(LONG, "c"), portrait(LONG, "C", identifier="urn:2"), [True, True, False]),
        # Every chapter differs a little: smart quotes.
        (portrait(LONG), portrait(LONG + "”"), [True, True, True]),
        (portrait(LONG), portrait(LONG + "”", identifier="urn:2"), [False, False, False]),
        # One identifier for two books (the W3C's pkg-unique-id and its duplicate).
        (portrait(LONG), portrait(OTHER, title="Other"), [True, True, False]),
        (portrait(LONG), portrait(OTHER, title="Other", authors=("Bob",)), [False, False, False]),
        # A serial that has grown: the old chapters are in the new file.
        (portrait(LONG, OTHER, "c" * 5000), portrait(LONG, OTHER), [True, True, True]),
        # A first and a second volume under one name and number.
        (portrait(LONG), portrait(OTHER * 2), [True, True, False]),
        (portrait(LONG, identifier=None), portrait(OTHER, identifier=None), [False, False, False]),
    ],
)
def test_the_rule(one: Portrait, other: Portrait, expected: list[bool]) -> None:
    assert same(one, other) == expected
    assert same(other, one) == expected


def test_case_and_accents_of_names_do_not_matter() -> None:
    assert is_same_book(portrait(LONG, title="L’Été"), portrait(LONG + "!", title="l’ete"), "elsewhere")


def test_prose() -> None:
    assert has_prose(summary(LONG)) and has_prose(summary(*["x" * 100] * 10))
    assert not has_prose(summary(*["x" * 50] * 1000)) and not has_prose(summary())


TEXTS = st.lists(st.sampled_from(["", "a", "b" * 120, "c" * 300, "d" * 1000, "e" * 5000]), max_size=6)
PORTRAITS = st.builds(
    lambda texts, identifier, title: portrait(*texts, identifier=identifier, title=title),
    TEXTS,
    st.sampled_from([None, "urn:1", "urn:2"]),
    st.sampled_from(["One", "Two"]),
)


@given(PORTRAITS, PORTRAITS)
def test_it_does_not_matter_which_file_was_first(one: Portrait, other: Portrait) -> None:
    assert same(one, other) == same(other, one)
    assert 0 <= shared_text(one.summary, other.summary) <= 1


@given(PORTRAITS, PORTRAITS)
def test_being_near_never_speaks_against(one: Portrait, other: Portrait) -> None:
    in_place, beside, elsewhere = same(one, other)
    assert in_place == beside and in_place >= elsewhere


@given(PORTRAITS)
def test_a_book_is_itself_in_its_place(one: Portrait) -> None:
    assert is_same_book(one, one, "same")
