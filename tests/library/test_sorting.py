"""Titles and names in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.epub.metadata import Author, Metadata
from appliance.library.sorting import folded, sort_name, sort_title


def metadata(title: str, language: str = "en", file_as: str | None = None) -> Metadata:
    return Metadata(title, file_as, (), language, (), None, None, None, "", (), "", "")


@pytest.mark.parametrize(
    ("title", "language", "expected"),
    [
        ("The Sea", "en-GB", "Sea, The"),
        ("THE SEA", "en", "SEA, THE"),
        ("A", "en", "A"),
        ("An Odd One", "en", "Odd One, An"),
        ("Theory", "en", "Theory"),
        ("Die Verwandlung", "de", "Verwandlung, Die"),
        ("Die Another Day", "en", "Die Another Day"),
        ("L’Étranger", "fr", "Étranger, L’"),
        ("Les Misérables", "fr-FR", "Misérables, Les"),
        ("Il nome della rosa", "it", "nome della rosa, Il"),
        ("The Sea", "", "Sea, The"),
        ("The Sea", "ja", "The Sea"),
    ],
)
def test_articles_go_last(title: str, language: str, expected: str) -> None:
    assert sort_title(metadata(title, language)) == expected


def test_what_the_book_says_comes_first() -> None:
    assert sort_title(metadata("The Sea", file_as="Ocean")) == "Ocean"
    assert sort_name(Author("Jane Austen", "AUSTEN")) == "AUSTEN"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Jane Austen", "Austen, Jane"),
        ("L. Frank Baum", "Baum, L. Frank"),
        ("Kurt Vonnegut Jr.", "Vonnegut Jr., Kurt"),
        ("Voltaire", "Voltaire"),
        ("Austen, Jane", "Austen, Jane"),
        ("夏目漱石", "夏目漱石"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert sort_name(Author(name, None)) == expected


def test_folding() -> None:
    assert folded("  Élégie\tNaïve ") == "elegie naive"
    assert folded("STRASSE") == folded("straße")


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(min_size=1, max_size=40), st.sampled_from(["de", "en", "es", "fr", "it", "nl", "pt", "xx"]))
def test_no_letter_of_a_title_is_lost(title: str, language: str) -> None:
    left = sorted(sort_title(metadata(title, language)).replace(",", "").split())
    assert "".join(sorted("".join(left))) == "".join(sorted("".join(title.replace(",", "").split())))
