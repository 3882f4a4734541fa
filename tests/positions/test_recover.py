"""Finding places again by their text (docs/reference/positions.md C.5)."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import OpenBook, Place, Position, Range, RangePlace, Reason, Status, quote_of, range_text
from appliance.positions.fold import fold
from appliance.positions.grams import Grams
from appliance.positions.ink import ink
from appliance.positions.recover import confirm, recover
from tests.positions.documents import book_file

WORDS = [f"{head}{middle}{end}" for head in ("br", "st", "l") for middle in "aeiou" for end in ("nd", "ck", "mp")]


def sentence(number: int) -> str:
    words = " ".join(random.Random(number).choices(WORDS, k=9))
    return f"Sentence {number} says “{words}” — isn’t that fine?"


SENTENCES = [sentence(number) for number in range(90)]


def paragraphs(sentences: list[str]) -> str:
    return "".join(f"<p>{sentence}</p>\n" for sentence in sentences)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., OpenBook]:
    def make(*bodies: str) -> OpenBook:
        name = f"{len(list(tmp_path.iterdir()))}.epub"
        return OpenBook.open(book_file(tmp_path / name, *bodies), name)

    return make


def words_at(book: OpenBook, found: RangePlace, count: int = 20) -> str:
    assert found.start.position is not None
    return book.quote(found.start.position, 0, count).suffix


def test_the_same_file(made: Callable[..., OpenBook]) -> None:
    book = made(paragraphs(SENTENCES[:40]), paragraphs(SENTENCES[40:]))
    for tick in range(0, book.summary.total, 101):
        place = book.at_tick(tick)
        assert place.position is not None
        found = recover(book, quote_of(book, place.position))
        assert (found.status, found.start.position) == (Status.EXACT, place.position)


def test_in_another_document(made: Callable[..., OpenBook]) -> None:
    book = made(paragraphs(SENTENCES))
    copy = made(*(paragraphs(SENTENCES[at : at + 10]) for at in range(80, -1, -10)))  # split, and the wrong way round
    for tick in range(30, book.summary.total - 30, 97):
        place = book.at_tick(tick)
        assert place.position is not None
        quote = quote_of(book, place.position)
        found = recover(copy, quote)
        expected = quote.suffix[:20]
        if found.status is Status.RECOVERED:
            assert words_at(copy, found) == expected or expected.startswith(words_at(copy, found))
        else:  # the context was torn apart
            assert found.status is Status.APPROXIMATE


def test_other_punctuation(made: Callable[..., OpenBook]) -> None:
    book = made(paragraphs(SENTENCES[:40]), paragraphs(SENTENCES[40:]))
    plain = [s.replace("“", '"').replace("”", '"').replace("’", "'").replace("—", "--") for s in SENTENCES]
    copy = made("<p><i>A new page.</i></p>", paragraphs(plain[:30]), paragraphs(plain[30:]))
    for tick in range(0, book.summary.total, 97):
        place = book.at_tick(tick)
        assert place.position is not None
        quote = quote_of(book, place.position)
        found = recover(copy, quote)
        assert (found.status, found.reason) == (Status.RECOVERED, Reason.DIFFERENT_TEXT)
        if quote.suffix[:1].isalnum():
            assert words_at(copy, found, 1) == quote.suffix[0]


def test_changed_words(made: Callable[..., OpenBook]) -> None:
    book = made(paragraphs(SENTENCES))
    copy = made(paragraphs([s.replace("says", "never says") for s in SENTENCES]))
    at = book.canonical_text(book.summary.documents[0]).index("Sentence44")
    found = recover(
        copy, quote_of(book, Range(Position("d0.xhtml", 0, at), Position("d0.xhtml", 0, at + 60, "before")))
    )
    assert (found.status, found.reason) == (Status.RECOVERED, Reason.DIFFERENT_TEXT)
    assert found.range is not None
    assert range_text(copy, found.range).startswith("Sentence44neversays“")


def test_long_ranges_are_found_by_both_ends(made: Callable[..., OpenBook]) -> None:
    book = made(paragraphs(SENTENCES[:40]), paragraphs(SENTENCES[40:]))
    copy = made(
        "<p>New.</p>", paragraphs([*SENTENCES[:10], "This is new.", *SENTENCES[10:50]]), paragraphs(SENTENCES[50:])
    )
    where = Range(Position("d0.xhtml", 0, 400), Position("d1.xhtml", 0, 1500, "before"))
    quote = quote_of(book, where)
    assert quote.length > 512
    found = recover(copy, quote)
    assert found.status is Status.RECOVERED and found.range is not None
    text, other = range_text(book, where), range_text(copy, found.range)
    assert (text[:100], text[-100:], len(text) + len("Thisisnew.")) == (other[:100], other[-100:], len(other))


@given(st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_duplicated_paragraphs(tmp_path_factory: pytest.TempPathFactory, copies: int, which: int, differ: bool) -> None:
    """Property 8 of positions.md C.11: the right copy when the context differs, ambiguity flagged when it does not."""
    copies, which = copies + 2, min(which, copies + 1)
    folder = tmp_path_factory.mktemp("twice")
    repeated = "This paragraph stands in the book again and again, word for word, and without a change. " * 2
    between = [f"But here stands number {n}, which is between." if differ else "—" * 60 for n in range(copies)]
    pairs = [text for n in range(copies) for text in (between[n], repeated)]
    book = OpenBook.open(book_file(folder / "a.epub", paragraphs(pairs)), "a")
    copy = OpenBook.open(book_file(folder / "b.epub", paragraphs(["A preface that was added." * 9, *pairs])), "b")
    text = book.canonical_text(book.summary.documents[0])
    k = [at for at in range(len(text)) if text.startswith(ink(repeated), at)][which] + 10
    quote = quote_of(book, Position("d0.xhtml", 0, k))
    found = recover(copy, quote)
    assert found.status is Status.RECOVERED
    assert words_at(copy, found) == quote.suffix[:20]
    if differ:
        assert found.reason is not Reason.AMBIGUOUS
        assert found.start.position == Position("d0.xhtml", 0, k + len(ink("A preface that was added.")) * 9)
    else:
        assert found.reason is Reason.AMBIGUOUS


def test_what_is_nowhere(made: Callable[..., OpenBook], tmp_path: Path) -> None:
    book = made(paragraphs(SENTENCES))
    other = made("<p>" + "Quite another text, alas. " * 200 + "</p>")
    found = recover(other, quote_of(book, Position("d0.xhtml", 0, book.summary.total // 2)))
    assert (found.status, found.reason) == (Status.APPROXIMATE, Reason.DIFFERENT_TEXT)
    assert found.start.tick == pytest.approx(other.summary.total / 2, abs=2)
    gone = OpenBook.open(tmp_path / "gone.epub", "gone")
    assert recover(gone, quote_of(book, Position("d0.xhtml", 0, 9))).reason is Reason.UNREADABLE


def test_the_index_finds_documents(made: Callable[..., OpenBook]) -> None:
    book = made(*(paragraphs(SENTENCES[at : at + 10]) for at in range(0, 90, 10)))
    grams = Grams(book)
    for number in range(90):
        assert grams.documents(fold(ink(SENTENCES[number]))[:70])[0] == number // 10
    assert grams.documents("nothing of this stands anywhere in it") == []


def known(book: OpenBook, start: int, end: int) -> RangePlace:
    return RangePlace(book.place(Position("d0.xhtml", 0, start)), book.place(Position("d0.xhtml", 0, end, "before")))


def test_structure_is_trusted_before_text(made: Callable[..., OpenBook]) -> None:
    """bookorbit #944: a Kobo inserts spaces and leaves out soft hyphens."""
    book = made(paragraphs(SENTENCES))
    found = known(book, 0, 40)
    text = book.canonical_text(book.summary.documents[0])[:40]
    assert confirm(book, found, text) is found
    assert confirm(book, found, " ".join(text).replace("“", '"')) is found
    assert confirm(book, found, text[:-6]) is found, "less than a fifth is missing"
    assert confirm(book, found, "") is found


def test_text_that_disagrees_is_looked_for(made: Callable[..., OpenBook]) -> None:
    book = made(paragraphs(SENTENCES))
    text = book.canonical_text(book.summary.documents[0])
    wanted = text.index("Sentence30")
    found = confirm(book, known(book, 0, 40), text[wanted : wanted + 60])
    assert found.status is Status.RECOVERED
    assert found.start.position == Position("d0.xhtml", 0, wanted)
    assert found.end.position == Position("d0.xhtml", 0, wanted + 60, "before")
    unknown = confirm(book, known(book, 0, 40), "nothing like this stands in the book anywhere at all")
    assert (unknown.status, unknown.start.position) == (Status.APPROXIMATE, Position("d0.xhtml", 0, 0))
    failed = Place(None, Status.FAILED, Reason.NO_PLACE, None, book.summary.total)
    assert confirm(book, RangePlace(failed, failed), text[wanted : wanted + 60]).start.position == found.start.position
    assert confirm(book, RangePlace(failed, failed), "nowhere at all, this").status is Status.FAILED
