"""Quotes that find a place again (docs/reference/positions.md C.5)."""

from pathlib import Path

import pytest

from appliance.positions import OpenBook, Position, Range, quote_of
from tests.positions.documents import book_file

ONE = "<p>The first chapter begins here.</p><p>It has a second paragraph.</p>"
TWO = "<p>The second chapter.</p>" + "".join(f"<p>Paragraph {number}.</p>" for number in range(80))


@pytest.fixture
def book(tmp_path: Path) -> OpenBook:
    return OpenBook.open(book_file(tmp_path / "a.epub", ONE, TWO), "a")


def test_of_a_place(book: OpenBook) -> None:
    quote = quote_of(book, Position("d0.xhtml", 0, 15))
    assert (quote.exact, quote.length) == ("", 0)
    assert quote.prefix == "Thefirstchapter"
    assert quote.suffix == "beginshere.Ithasasecondparagraph."
    assert (quote.document, quote.k, quote.document_length) == ("d0.xhtml", 15, 48)
    assert (quote.tick, quote.total) == (15, book.summary.total)
    assert quote.display.startswith("begins here. It has")


def test_of_a_range(book: OpenBook) -> None:
    quote = quote_of(book, Range(Position("d0.xhtml", 0, 3), Position("d0.xhtml", 0, 8, "before")))
    assert (quote.prefix, quote.exact, quote.suffix[:7], quote.length) == ("The", "first", "chapter", 5)


def test_across_documents(book: OpenBook) -> None:
    quote = quote_of(book, Range(Position("d0.xhtml", 0, 38), Position("d1.xhtml", 0, 9, "before")))
    assert quote.exact == "paragraph.Thesecond"
    assert quote.suffix.startswith("chapter.Paragraph0.")
    assert (quote.length, quote.head, quote.tail) == (19, quote.exact, quote.exact)


def test_of_a_long_range(book: OpenBook) -> None:
    text = book.canonical_text(book.summary.documents[1])
    quote = quote_of(book, Range(Position("d0.xhtml", 0, 0), Position("d1.xhtml", 0, 700, "before")))
    assert (len(quote.exact), quote.length) == (512, 748)
    assert quote.head.endswith(text[: 256 - 48])
    assert quote.tail == text[444:700]


def test_of_nothing(book: OpenBook, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no document"):
        quote_of(book, Position("x.xhtml", 0, 0))
    with pytest.raises(OSError):
        quote_of(OpenBook.open(tmp_path / "gone.epub", "g"), Position("d0.xhtml", 0, 0))
    assert quote_of(book, Position("d0.xhtml", 0, 10**9)).suffix == ""
