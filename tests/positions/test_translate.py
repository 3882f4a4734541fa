"""Carrying places between renditions of a book (docs/reference/positions.md C.2, C.6)."""

from pathlib import Path

import pytest

from appliance.kepub import convert
from appliance.positions import OpenBook, Place, Position, Reason, Status, translate
from tests.kepub.kepubs import document, epub
from tests.positions.documents import book_file

SENTENCES = [f"Sentence {number} of a book that says nothing twice, not even {number * 7919}." for number in range(60)]


def paragraphs(sentences: list[str]) -> str:
    return "".join(f"<p>{sentence}</p>\n" for sentence in sentences)


@pytest.fixture
def original(tmp_path: Path) -> OpenBook:
    return OpenBook.open(book_file(tmp_path / "a.epub", paragraphs(SENTENCES[:30]), paragraphs(SENTENCES[30:])), "a")


def words(book: OpenBook, place: Place) -> str:
    assert place.position is not None
    return book.quote(place.position, 0, 24).suffix


def test_its_own_kepub(original: OpenBook, tmp_path: Path) -> None:
    convert(original.path, tmp_path / "a.kepub.epub", engine="built-in")
    kepub = OpenBook.open(tmp_path / "a.kepub.epub", "k")
    for tick in range(0, original.summary.total, 97):
        place = original.at_tick(tick)
        there = translate(place, original, kepub)
        assert (there.status, there.position) == (Status.EXACT, place.position)
        assert translate(there, kepub, original) == place


def test_the_same_text_under_other_names(original: OpenBook, tmp_path: Path) -> None:
    path = tmp_path / "b.epub"
    path.write_bytes(
        epub(
            {
                "cover.xhtml": document('<p><img src="c.jpg"/></p>'),
                "part_001.xhtml": document(f"<div>{paragraphs(SENTENCES[:30])}</div>"),
                "d0.xhtml": document(paragraphs(SENTENCES[30:])),  # a name that meant something else
            }
        )
    )
    copy = OpenBook.open(path, "b")
    for tick in range(0, original.summary.total, 97):
        place = original.at_tick(tick)
        there = translate(place, original, copy)
        assert there.status is Status.EXACT
        assert words(copy, there) == words(original, place)
        assert translate(there, copy, original) == place


def test_an_edited_copy(original: OpenBook, tmp_path: Path) -> None:
    """Property 7 of positions.md C.11."""
    edited = SENTENCES.copy()
    edited[10] = "This one was written anew by somebody else entirely!"
    del edited[20]
    copy = OpenBook.open(book_file(tmp_path / "b.epub", paragraphs(edited[:29]), paragraphs(edited[29:])), "b")
    exact = 0
    for tick in range(0, original.summary.total, 13):
        place = original.at_tick(tick)
        there = translate(place, original, copy)
        assert there.position is not None
        if there.status is Status.EXACT:
            exact += 1
            assert words(copy, there)[:1] == words(original, place)[:1]
        else:
            assert there.status in (Status.RECOVERED, Status.SNAPPED)
    assert exact > 0.94 * original.summary.total / 13
    middle = original.decode_cfi("epubcfi(/6/2!/4/22/1:20)")
    assert words(original, middle).startswith("kthatsays")
    assert translate(middle, original, copy).status is Status.RECOVERED, "in the sentence that was replaced"


def test_another_book_is_only_a_share(original: OpenBook, tmp_path: Path) -> None:
    other = OpenBook.open(book_file(tmp_path / "b.epub", "<p>" + "nothing alike here " * 50 + "</p>"), "b")
    there = translate(original.at_tick(original.summary.total // 2), original, other)
    assert (there.status, there.reason) == (Status.APPROXIMATE, Reason.DIFFERENT_TEXT)
    assert there.tick == pytest.approx(other.summary.total / 2, abs=2)


def test_the_weakest_step_decides(original: OpenBook, tmp_path: Path) -> None:
    copy = OpenBook.open(book_file(tmp_path / "b.epub", paragraphs(SENTENCES[:30]), paragraphs(SENTENCES[30:])), "b")
    there = translate(original.decode_fraction(0.3), original, copy)
    assert (there.status, there.reason) == (Status.APPROXIMATE, Reason.FRACTION)
    failed = original.decode_cfi("nonsense")
    assert translate(failed, original, copy) == failed


def test_a_book_that_is_gone(original: OpenBook, tmp_path: Path) -> None:
    gone = OpenBook.open(tmp_path / "gone.epub", "x")
    place = original.at_tick(100)
    assert translate(place, original, gone).status is Status.FAILED
    assert translate(place, gone, original).status is Status.FAILED


def test_a_place_that_is_not_in_its_book(original: OpenBook, tmp_path: Path) -> None:
    copy = OpenBook.open(book_file(tmp_path / "b.epub", paragraphs(SENTENCES)), "b")
    place = Place(Position("x.xhtml", 0, 4), Status.EXACT, Reason.NONE, 4, 10)
    assert translate(place, original, copy).reason is Reason.NO_DOCUMENT


def test_repeated_documents_keep_their_rank(tmp_path: Path) -> None:
    body = paragraphs(SENTENCES[:5])
    one = OpenBook.open(book_file(tmp_path / "a.epub", body, paragraphs(SENTENCES[5:]), body), "a")
    path = tmp_path / "b.epub"
    path.write_bytes(
        epub({f"x{n}.xhtml": document(text) for n, text in enumerate([body, paragraphs(SENTENCES[5:]), body])})
    )
    two = OpenBook.open(path, "b")
    there = translate(one.place(Position("d2.xhtml", 0, 7)), one, two)
    assert there.position == Position("x2.xhtml", 0, 7)
    assert there.status is Status.EXACT
