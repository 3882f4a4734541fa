"""An open book: what decode and encode promise for any input (docs/reference/positions.md C.4)."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.positions import KoboLocator, OpenBook, Place, Position, Quote, Reason, Status
from tests.conftest import ROOT
from tests.kepub.kepubs import document, epub
from tests.positions.documents import book_file

BOOKS = ROOT / "tests" / "data" / "books"
BROKEN = ROOT / "tests" / "data" / "broken"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> OpenBook:
    """Three documents: a picture, two paragraphs, nothing."""
    path = tmp_path_factory.mktemp("books") / "b.epub"
    spans = (
        '<p><span id="kobo.1.1">One two. </span><span id="kobo.1.2">Three four.</span></p>'
        '<p><span id="kobo.2.1">Five.</span></p>'
    )
    book_file(path, '<p><img src="a.jpg"/></p>', spans, "")
    return OpenBook.open(path, "b")


def test_the_summary_has_what_positions_need(book: OpenBook) -> None:
    summary = book.summary
    assert [(d.path, d.length, d.fragment, d.cfi_step) for d in summary.documents] == [
        ("d0.xhtml", 1, 1, 2),
        ("d1.xhtml", 22, 2, 4),
        ("d2.xhtml", 0, 3, 6),
    ]
    assert (summary.total, summary.fragments, summary.spine_step) == (23, 3, 6)
    assert type(summary).from_json(summary.to_json()) == summary


def test_the_three_names_of_a_place(book: OpenBook) -> None:
    place = book.decode_cfi("epubcfi(/6/4!/4/2/4[kobo.1.2]/1:6)")
    assert place == Place(Position("d1.xhtml", 0, 12), Status.EXACT, Reason.NONE, 13, 23)
    assert place.position is not None
    pointer = book.encode_xpointer(place.position)
    assert pointer.locator == "/body/DocFragment[2]/body/p[1]/span[2]/text().6"
    indexed = book.encode_xpointer(place.position, indexed=True)
    assert indexed.locator == "/body[1]/DocFragment[2]/body[1]/p[1]/span[2]/text()[1].6"
    progress = book.encode_kobo(place.position)
    assert progress.locator == KoboLocator("d1.xhtml", "kobo.1.2")
    assert (progress.distance, progress.content_percent, progress.book_percent) == (5, 31, 34)
    assert book.encode_kobo(place.position, offset=True).locator == KoboLocator("d1.xhtml", "kobo.1.2", 6)
    assert book.decode_xpointer(str(pointer.locator)) == book.decode_kobo("d1.xhtml", "kobo.1.2", 6) == place
    assert book.quote(place.position, 6, 4) == Quote(".Three", "four", "four. Five.")


@pytest.mark.parametrize(
    "locator",
    ["/body/DocFragment[2]", "/body/DocFragment[2].0", "/body/DocFragment[2]/body", "/body/DocFragment[2]/body.0"],
)
def test_a_whole_document_is_its_start(book: OpenBook, locator: str) -> None:
    start = Position("d1.xhtml", 0, 0)
    assert book.decode_xpointer(locator).position == start
    for text in ("epubcfi(/6/4)", "epubcfi(/6/4!)", "epubcfi(/6/4!/4)"):
        assert book.decode_cfi(text).position == start
        assert book.decode_cfi(text).status is Status.EXACT
    assert book.decode_kobo("d1.xhtml", "").position == start
    assert book.encode_cfi(start).locator == "epubcfi(/6/4!/4/2/2[kobo.1.1]/1:0)", "the first character, not the whole"


def test_an_empty_document_is_named_as_a_whole(book: OpenBook) -> None:
    place = Position("d2.xhtml", 0, 0)
    assert book.encode_xpointer(place).locator == "/body/DocFragment[3].0"
    assert book.encode_cfi(place).locator == "epubcfi(/6/6!/4)"
    kobo = book.encode_kobo(place)
    assert (kobo.locator, kobo.status) == (KoboLocator("d2.xhtml", ""), Status.APPROXIMATE)


def test_pictures_are_places(book: OpenBook) -> None:
    picture = Position("d0.xhtml", 0, 0)
    assert book.encode_cfi(picture).locator == "epubcfi(/6/2!/4/2/2)"
    assert book.encode_xpointer(picture).locator == "/body/DocFragment[1]/body/p/img.0"
    assert book.encode_kobo(picture).locator == KoboLocator("d0.xhtml", "")


def test_the_end_of_the_book(book: OpenBook) -> None:
    end = book.at_tick(10**9)
    assert end.position == Position("d1.xhtml", 0, 22)
    assert end.position is not None
    assert book.fraction(end.position) == 1
    assert book.encode_cfi(end.position).locator == "epubcfi(/6/4!/4/4/2[kobo.2.1]/1:5)"
    assert book.encode_xpointer(end.position).locator == "/body/DocFragment[2]/body/p[2]/span/text().5"
    kobo = book.encode_kobo(end.position)
    assert (kobo.locator, kobo.status) == (KoboLocator("d1.xhtml", "kobo.2.1"), Status.EXACT)
    assert kobo.book_percent < 100, "the last sentence has still to be read"


@pytest.mark.parametrize(
    ("share", "position"),
    [
        (0.0, Position("d0.xhtml", 0, 0)),
        (0.02, Position("d0.xhtml", 0, 0)),
        (0.5, Position("d1.xhtml", 0, 0)),
        (0.9, Position("d1.xhtml", 0, 17)),
        (1.0, Position("d1.xhtml", 0, 22)),
        (7.0, Position("d1.xhtml", 0, 22)),
        (-1.0, Position("d0.xhtml", 0, 0)),
        (float("nan"), Position("d0.xhtml", 0, 0)),
        (float("inf"), Position("d1.xhtml", 0, 22)),
    ],
)
def test_a_percentage_is_a_block_start_and_approximate(book: OpenBook, share: float, position: Position) -> None:
    place = book.decode_fraction(share)
    assert (place.position, place.status, place.reason) == (position, Status.APPROXIMATE, Reason.FRACTION)


def test_documents_outside_the_reading_order_weigh_nothing(tmp_path: Path) -> None:
    path = tmp_path / "b.epub"
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="n" href="n.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="gone"/><itemref id="one" idref="a"/><itemref idref="n" linear="no"/>'
        '<itemref idref="a"/></spine></package>'
    )
    path.write_bytes(epub({"a.xhtml": document("<p>aaaa</p>"), "n.xhtml": document("<p>note</p>")}, package=package))
    book = OpenBook.open(path, "b")
    assert book.fraction(Position("a.xhtml", 0, 2)) == 0.25
    assert book.fraction(Position("n.xhtml", 0, 0)) == book.fraction(Position("n.xhtml", 0, 4)) == 0.5
    assert book.fraction(Position("a.xhtml", 1, 2)) == 0.75
    # Both numberings of the spine, each counted in its own way (positions.md C.4, rule 9).
    assert book.encode_cfi(Position("a.xhtml", 1, 2)).locator == "epubcfi(/6/8!/4/2/1:2)"
    assert book.encode_cfi(Position("a.xhtml", 0, 2)).locator == "epubcfi(/6/4[one]!/4/2/1:2)"
    assert book.encode_xpointer(Position("a.xhtml", 1, 2)).locator == "/body/DocFragment[3]/body/p/text().2"
    assert book.decode_cfi("epubcfi(/6/2!/4/2/1:2)").reason is Reason.NO_DOCUMENT
    assert book.decode_xpointer("/body/DocFragment[4]/body/p/text().2").reason is Reason.NO_DOCUMENT


def test_places_that_are_not_in_the_book(book: OpenBook) -> None:
    nowhere = Position("x.xhtml", 0, 5)
    assert book.place(nowhere).status is Status.FAILED
    for encoded in (book.encode_cfi(nowhere), book.encode_xpointer(nowhere), book.encode_kobo(nowhere)):
        assert (encoded.locator, encoded.status, encoded.reason) == (None, Status.FAILED, Reason.NO_DOCUMENT)
    assert book.quote(nowhere) == Quote("", "", "")
    assert book.fraction(nowhere) == 0
    beyond = Position("d1.xhtml", 0, 999)
    assert book.place(beyond).status is Status.APPROXIMATE
    for encoded in (book.encode_cfi(beyond), book.encode_xpointer(beyond)):
        assert encoded.status is Status.SNAPPED
        assert encoded.distance == 999 - 22


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.epub")), ids=lambda path: path.stem)
def test_broken_books_fail_with_a_reason(path: Path) -> None:
    book = OpenBook.open(path, path.name)
    places = [
        book.decode_cfi("epubcfi(/6/2!/4/2/1:0)"),
        book.decode_xpointer("/body/DocFragment[1]/body/p/text().0"),
        book.decode_kobo("OEBPS/ch1.xhtml", "kobo.1.1"),
        book.decode_fraction(0.5),
        book.at_tick(10),
    ]
    for place in places:
        assert isinstance(place.status, Status)
        assert (place.position is None) == (place.status is Status.FAILED)
        if place.position is not None:
            book.encode_cfi(place.position)
            book.encode_xpointer(place.position)
            book.encode_kobo(place.position)
            book.quote(place.position)
    book.close()


def test_a_book_that_is_gone(tmp_path: Path) -> None:
    book = OpenBook.open(tmp_path / "gone.epub", "x")
    assert book.decode_cfi("epubcfi(/6/2!/4)").reason is Reason.UNREADABLE
    assert book.decode_fraction(0.5).reason is Reason.UNREADABLE
    assert book.encode_cfi(Position("a", 0, 0)).status is Status.FAILED
    assert book.place(Position("a", 0, 0)).status is Status.FAILED
    assert book.at_tick(1).status is Status.FAILED


def test_a_closed_book_opens_again(tmp_path: Path) -> None:
    book = OpenBook.open(book_file(tmp_path / "b.epub", "<p>one</p>", "<p>two</p>"), "b")
    assert book.decode_cfi("epubcfi(/6/2!/4/2/1:1)").status is Status.EXACT
    book.close()
    assert book.decode_cfi("epubcfi(/6/4!/4/2/1:1)").status is Status.EXACT
    book.close()


# -- nonsense

MARKS = "epubcfi(/!:,[]^;=)body/DocFragment[]text().0123456789 \t\n\u00e9😀\0%#_"


@given(st.text(MARKS, max_size=80))
def test_no_text_is_too_strange(book: OpenBook, text: str) -> None:
    for place in (book.decode_cfi(text), book.decode_xpointer(text), book.decode_kobo(text, text, 3)):
        assert (place.position is None) == (place.status is Status.FAILED)


LOCATORS = [
    "epubcfi(/6/4!/4/2/4[kobo.1.2]/1:6)",
    "epubcfi(/6/4[x]!/4/2,/2/1:0,/4/1:3)",
    "/body/DocFragment[2]/body/p[1]/span[2]/text().6",
    "/body[1]/DocFragment[2]/body[1]/p[2]/span[1]/text()[1].5",
]


@given(st.sampled_from(LOCATORS), st.lists(st.tuples(st.integers(0, 60), st.sampled_from(MARKS)), max_size=4))
@settings(max_examples=300)
def test_what_resolves_exactly_is_what_was_written(
    book: OpenBook, locator: str, changes: list[tuple[int, str]]
) -> None:
    """Property 11 of positions.md C.11: a mutated locator is exact only if it truly names a place."""
    text = locator
    for at, mark in changes:
        text = text[:at] + mark + text[at + 1 :]
    for decode, encode in ((book.decode_cfi, book.encode_cfi), (book.decode_xpointer, book.encode_xpointer)):
        place = decode(text)
        if place.status is not Status.EXACT:
            continue
        assert place.position is not None
        written = encode(place.position)
        assert written.status is Status.EXACT or place.position.affinity == "before"
        assert written.locator is not None
        again = decode(written.locator)
        assert (again.position, again.status) == (place.position, Status.EXACT) or place.position.affinity == "before"


@given(st.text(max_size=40), st.text(max_size=40), st.none() | st.integers(-5, 10**9))
def test_kobo_nonsense(book: OpenBook, source: str, value: str, offset: int | None) -> None:
    place = book.decode_kobo(source, value, offset)
    assert (place.position is None) == (place.status is Status.FAILED)
    place = book.decode_kobo("d1.xhtml", value, offset)
    assert place.status is not Status.EXACT or value.rpartition("#")[2][:5] in ("kobo.", "") or place.position


@given(st.text(max_size=20), st.integers(-5, 5), st.integers(-(10**6), 10**6), st.sampled_from(["after", "before"]))
def test_any_position_can_be_asked_for(book: OpenBook, path: str, occurrence: int, k: int, affinity: str) -> None:
    for document_path in (path, "d0.xhtml", "d1.xhtml", "d2.xhtml"):
        position = Position(document_path, occurrence, k, affinity)  # type: ignore[arg-type]
        for encoded in (
            book.encode_cfi(position),
            book.encode_xpointer(position),
            book.encode_kobo(position),
            book.encode_kobo(position, offset=True),
        ):
            assert (encoded.locator is None) == (encoded.status is Status.FAILED)
        assert 0 <= book.fraction(position) <= 1
        book.quote(position)
        book.place(position)


# -- real books


@pytest.mark.parametrize("path", sorted(BOOKS.glob("*.epub")), ids=lambda path: path.stem)
def test_every_place_of_a_real_book_is_found_again(path: Path) -> None:
    """Validation on emit (rule 10), on random places, both affinities and both spellings; ten hops drift nowhere."""
    book = OpenBook.open(path, path.name)
    chance = random.Random(path.name)
    for _ in range(150):
        place = book.at_tick(chance.randrange(book.summary.total + 1))
        assert place.position is not None
        position = place.position
        for _ in range(10):
            cfi = book.encode_cfi(position)
            if cfi.status is not Status.EXACT:
                break
            pointer = book.encode_xpointer(book.decode_cfi(str(cfi.locator)).position or position)
            if pointer.status is not Status.EXACT:
                assert pointer.status is Status.SNAPPED
                break
            back = book.decode_xpointer(str(pointer.locator)).position
            assert back is not None
            position = back
            assert position.k == place.position.k
        end = Position(place.position.document, place.position.occurrence, place.position.k, "before")
        for encode, decode in ((book.encode_cfi, book.decode_cfi), (book.encode_xpointer, book.decode_xpointer)):
            encoded = encode(end)
            assert encoded.locator is not None
            found = decode(encoded.locator)
            assert found.position is not None
            assert found.position.k + encoded.distance == end.k


def test_a_summary_is_a_few_kilobytes() -> None:
    for path in BOOKS.glob("*.epub"):
        summary = OpenBook.open(path, "x").summary
        assert len(summary.to_json()) < 250 * len(summary.documents) + 200
        json.loads(summary.to_json())


def test_captured_pointers(shared: Path) -> None:
    """What a real KOReader stored for its test book (../shared/captures-koreader/positions)."""
    captures = shared / "captures-koreader"
    book = OpenBook.open(captures / "books" / "lantern.epub", "lantern")
    for start in json.loads((captures / "positions" / "page-starts.json").read_text())["page_starts"]:
        place = book.decode_xpointer(start["xpointer"])
        assert place.status is Status.EXACT, start
        assert place.position is not None
        assert book.encode_xpointer(place.position).locator == start["xpointer"]
    for entry in json.loads((captures / "positions" / "text-ranges.json").read_text()):
        for end in ("0", "1"):
            place = book.decode_xpointer(entry["pos" + end])
            assert (place.status in (Status.EXACT, Status.SNAPPED)) == entry["in_document" + end], entry
    for entry in json.loads((captures / "positions" / "toc.json").read_text()):
        assert book.decode_xpointer(entry["xpointer"]).status is Status.EXACT


def test_a_document_of_which_the_engine_has_other_text_throughout(tmp_path: Path) -> None:
    """A reference to a C1 control is another character for it; the document can be named all the same."""
    book = OpenBook.open(book_file(tmp_path / "b.epub", "&#133;", "<p>a</p>"), "b")
    for indexed, name in ((False, "/body/DocFragment[1].0"), (True, "/body[1]/DocFragment[1].0")):
        written = book.encode_xpointer(Position("d0.xhtml", 0, 0), indexed=indexed)
        assert written.locator == name
        assert book.decode_xpointer(name).position == Position("d0.xhtml", 0, 0)
