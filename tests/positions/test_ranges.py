"""Ranges in every dialect: what is promised at their ends (docs/reference/positions.md C.4, C.10)."""

from pathlib import Path

import pytest

from appliance.epub.document import parse_document
from appliance.kepub import convert
from appliance.positions import (
    KoboLocator,
    OpenBook,
    Position,
    Range,
    RangePlace,
    Reason,
    Status,
    decode_cfi_range,
    decode_kobo_range,
    decode_xpointer_range,
    encode_cfi_range,
    encode_kobo_range,
    encode_xpointer_range,
    range_text,
)
from tests.kepub.kepubs import document, epub
from tests.positions.documents import book_file

FIRST = "<p>One <b>two</b>. Three four.</p>\n<p><img src='a.png'/></p>\n<p>Five 😀 six.</p>"
SECOND = "<h1>Seven</h1><p>Eight nine. Ten.</p><pre>raw. text</pre><p>End.</p>"


@pytest.fixture
def book(tmp_path: Path) -> OpenBook:
    return OpenBook.open(book_file(tmp_path / "a.epub", FIRST, SECOND), "a")


@pytest.fixture
def kepub(book: OpenBook, tmp_path: Path) -> OpenBook:
    convert(book.path, tmp_path / "a.kepub.epub", engine="built-in")
    return OpenBook.open(tmp_path / "a.kepub.epub", "k")


def span(start: int, end: int, name: str = "d0.xhtml", last: str = "") -> Range:
    return Range(Position(name, 0, start), Position(last or name, 0, end, "before"))


def exact(found: RangePlace) -> Range:
    assert found.status is Status.EXACT, found
    assert found.range is not None
    return found.range


def kobo(value: str, offset: int | None, source: str = "d0.xhtml") -> KoboLocator:
    return KoboLocator(source, value, offset)


def test_the_three_names_of_a_range(book: OpenBook, kepub: OpenBook) -> None:
    range = span(3, 12)
    assert range_text(book, range) == "two.Three"
    written = encode_cfi_range(book, range)
    assert (written.status, written.locator) == (Status.EXACT, "epubcfi(/6/2!/4/2,/2/1:0,/3:7)")
    pointed = encode_xpointer_range(book, range)
    assert pointed.locator == (
        "/body/DocFragment[1]/body/p[1]/b/text().0",
        "/body/DocFragment[1]/body/p[1]/text()[2].7",
    )
    indexed = encode_xpointer_range(book, range, indexed=True)
    assert indexed.locator is not None
    assert indexed.locator[1] == "/body[1]/DocFragment[1]/body[1]/p[1]/text()[2].7"
    spans = encode_kobo_range(kepub, range)
    assert spans.locator == (kobo("kobo.1.2", 0), kobo("kobo.1.4", 5))
    assert exact(decode_cfi_range(book, written.locator)) == range
    assert exact(decode_xpointer_range(book, *pointed.locator)) == range
    assert exact(decode_xpointer_range(book, *indexed.locator)) == range
    assert exact(decode_kobo_range(kepub, *spans.locator)) == range


def test_an_end_belongs_to_what_comes_before_it(book: OpenBook, kepub: OpenBook) -> None:
    """An end at offset 0 of a later span is just before that span (kobo-protocol.md 7.9)."""
    found = decode_kobo_range(kepub, kobo("kobo.1.1", 0), kobo("kobo.1.4", 0))
    assert exact(found) == span(0, 7)
    assert found.end.position == Position("d0.xhtml", 0, 7, "before")
    spans = encode_kobo_range(kepub, span(0, 7))
    assert spans.locator == (kobo("kobo.1.1", 0), kobo("kobo.1.3", 1)), "it stays in the span that ends there"
    assert exact(decode_cfi_range(book, "epubcfi(/6/2!/4,/2/1:0,/6/1:0)")) == span(0, 18)
    assert encode_cfi_range(book, span(0, 17)).locator == "epubcfi(/6/2!/4/2,/1:0,/3:13)"
    assert exact(decode_xpointer_range(book, *both("p[1]/text()[1].0", "p[3]/text().0"))) == span(0, 18)


def both(start: str, end: str) -> tuple[str, str]:
    return f"/body/DocFragment[1]/body/{start}", f"/body/DocFragment[1]/body/{end}"


def test_offsets_count_what_each_engine_counts(book: OpenBook, kepub: OpenBook) -> None:
    """A character beyond U+FFFF is one for KOReader, two for browsers and Kobo (positions.md A.2, row 17)."""
    range = span(18, 23)
    assert range_text(book, range) == "Five😀"
    assert encode_cfi_range(book, range).locator == "epubcfi(/6/2!/4/6,/1:0,/1:7)"
    assert encode_xpointer_range(book, range).locator == both("p[3]/text().0", "p[3]/text().6")
    assert encode_kobo_range(kepub, range).locator == (kobo("kobo.3.1", 0), kobo("kobo.3.1", 7))


def test_a_selection_made_backwards_is_put_in_order(book: OpenBook, kepub: OpenBook) -> None:
    assert exact(decode_cfi_range(book, "epubcfi(/6/2!/4/2,/3:7,/2/1:0)")) == span(3, 12)
    assert exact(decode_xpointer_range(book, *both("p[1]/text()[2].7", "p[1]/b/text().0"))) == span(3, 12)
    assert exact(decode_kobo_range(kepub, kobo("kobo.1.4", 5), kobo("kobo.1.2", 0))) == span(3, 12)
    backwards = Range(Position("d0.xhtml", 0, 12), Position("d0.xhtml", 0, 3))
    assert encode_cfi_range(book, backwards).locator == "epubcfi(/6/2!/4/2,/2/1:0,/3:7)"


def test_equal_ends_are_an_empty_range(book: OpenBook, kepub: OpenBook) -> None:
    for k in (0, 3, 12, 17, 18, 27):
        range = span(k, k)
        assert range_text(book, range) == ""
        written = encode_cfi_range(book, range)
        assert written.status is Status.EXACT
        assert "," not in str(written.locator)
        assert exact(decode_cfi_range(book, str(written.locator))) == range
        pointed = encode_xpointer_range(book, range).locator
        assert pointed is not None
        assert pointed[0] == pointed[1]
        assert exact(decode_xpointer_range(book, *pointed)) == range
        spans = encode_kobo_range(kepub, range).locator
        assert spans is not None
        assert spans[0] == spans[1]
        assert exact(decode_kobo_range(kepub, *spans)) == range


def test_a_range_over_white_space_alone_is_empty(book: OpenBook) -> None:
    assert exact(decode_cfi_range(book, "epubcfi(/6/2!/4/2,/3:1,/3:2)")) == span(7, 7)
    assert exact(decode_cfi_range(book, "epubcfi(/6/2!/4,/3:0,/3:1)")) == span(17, 17), "between two paragraphs"
    assert exact(decode_xpointer_range(book, *both("p[1]/text()[1].3", "p[1]/text()[1].4"))) == span(3, 3)


@pytest.mark.parametrize(("start", "end"), [(17, 18), (7, 18), (17, 23), (7, 23), (17, 27)])
def test_images_at_the_ends(book: OpenBook, kepub: OpenBook, start: int, end: int) -> None:
    """The image is character 17; behind it there is no name, so the place before what follows stands for it."""
    range = span(start, end)
    assert range_text(book, range).count("\ufffc") == 1
    written, pointed, spans = (
        encode_cfi_range(book, range),
        encode_xpointer_range(book, range),
        encode_kobo_range(kepub, range),
    )
    for name in (written, pointed, spans):
        assert (name.status, name.start_distance, name.end_distance) == (Status.EXACT, 0, 0)
    assert exact(decode_cfi_range(book, str(written.locator))) == range
    assert exact(decode_xpointer_range(book, *(pointed.locator or ("", "")))) == range
    assert spans.locator is not None
    assert exact(decode_kobo_range(kepub, *spans.locator)) == range


def test_an_image_at_the_very_end(tmp_path: Path) -> None:
    """KOReader and Kobo have no name for the place behind it; they say that the image is left out."""
    book = OpenBook.open(book_file(tmp_path / "a.epub", "<p>See <img src='a.png'/></p>"), "a")
    convert(book.path, tmp_path / "k.kepub.epub", engine="built-in")
    kepub = OpenBook.open(tmp_path / "k.kepub.epub", "k")
    range = span(1, 4)
    written = encode_cfi_range(book, range)
    assert written.status is Status.EXACT
    assert exact(decode_cfi_range(book, str(written.locator))) == range
    pointed = encode_xpointer_range(book, range)
    assert (pointed.status, pointed.end_distance) == (Status.SNAPPED, 1)
    assert pointed.locator == ("/body/DocFragment/body/p/text().1", "/body/DocFragment/body/p/img.0")
    spans = encode_kobo_range(kepub, range)
    assert (spans.status, spans.end_distance) == (Status.SNAPPED, 1)


def test_two_images_side_by_side(tmp_path: Path) -> None:
    book = OpenBook.open(book_file(tmp_path / "a.epub", "<p>a<img src='a'/><img src='b'/></p>"), "a")
    for start, end, path in ((1, 2, ",/2,/4"), (2, 3, ",/4,/6"), (1, 3, ",/2,/6"), (0, 2, ",/1:0,/4")):
        written = encode_cfi_range(book, span(start, end))
        assert (written.status, written.locator) == (Status.EXACT, f"epubcfi(/6/2!/4/2{path})")
        assert exact(decode_cfi_range(book, str(written.locator))) == span(start, end)


def test_an_image_in_a_span_of_text(tmp_path: Path) -> None:
    """Other converters write such spans; the offsets before and behind the image are the same."""
    body = '<p><span class="koboSpan" id="kobo.1.1">ab<img src="a"/>cd</span></p>'
    kepub = OpenBook.open(book_file(tmp_path / "a.kepub.epub", body), "k")
    spans = encode_kobo_range(kepub, span(3, 5))
    assert (spans.status, spans.reason) == (Status.SNAPPED, Reason.NOT_ADDRESSABLE)
    assert spans.locator == (kobo("kobo.1.1", 2), kobo("kobo.1.1", 4))
    assert (spans.start_distance, spans.end_distance) == (1, 0), "the image is taken in"
    assert encode_kobo_range(kepub, span(0, 5)).status is Status.EXACT


def test_a_formula_is_taken_whole(tmp_path: Path) -> None:
    body = '<p>m <math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi><mo>y</mo></math> n</p>'
    book = OpenBook.open(book_file(tmp_path / "a.epub", body), "a")
    found = decode_cfi_range(book, "epubcfi(/6/2!/4/2/2,/2/1:0,/4/1:1)")
    assert found.range == span(1, 2)
    assert (found.status, found.reason) == (Status.SNAPPED, Reason.NOT_ADDRESSABLE)
    pointers = ("/body/DocFragment/body/p/math/mi/text().0", "/body/DocFragment/body/p/math/mo/text().1")
    found = decode_xpointer_range(book, *pointers)
    assert (found.range, found.status) == (span(1, 2), Status.SNAPPED)


def test_elements_and_whole_documents(book: OpenBook) -> None:
    assert exact(decode_cfi_range(book, "epubcfi(/6,/2!/4,/4!/4)")) == span(0, 27), "up to the second document"
    assert exact(decode_cfi_range(book, "epubcfi(/6/2!/4,/2,/6)")) == span(0, 18)
    pointers = "/body/DocFragment[1]", "/body/DocFragment[2]/body"
    assert exact(decode_xpointer_range(book, *pointers)) == span(0, 27)
    assert exact(decode_xpointer_range(book, *both("p[1].0", "p[1].3"))) == span(0, 17)


def test_across_documents(book: OpenBook, kepub: OpenBook) -> None:
    range = span(23, 10, last="d1.xhtml")
    assert range_text(book, range) == "six.SevenEight"
    written = encode_cfi_range(book, range)
    assert (written.status, written.locator) == (Status.EXACT, "epubcfi(/6,/2!/4/6/1:8,/4!/4/4/1:5)")
    pointed = encode_xpointer_range(book, range)
    assert pointed.locator == ("/body/DocFragment[1]/body/p[3]/text().7", "/body/DocFragment[2]/body/p[1]/text().5")
    spans = encode_kobo_range(kepub, range)
    assert spans.locator == (kobo("kobo.3.1", 8), kobo("kobo.2.1", 5, "d1.xhtml"))
    assert exact(decode_cfi_range(book, written.locator)) == range
    assert exact(decode_xpointer_range(book, *pointed.locator)) == range
    assert exact(decode_kobo_range(kepub, *spans.locator)) == range


def test_an_end_at_the_border_of_two_documents(book: OpenBook, kepub: OpenBook) -> None:
    """A Kobo keeps an annotation in one file, so the end goes where its last character is."""
    found = decode_kobo_range(kepub, kobo("kobo.3.1", 8), kobo("kobo.1.1", 0, "d1.xhtml"))
    assert exact(found) == span(23, 27)
    assert exact(decode_cfi_range(book, "epubcfi(/6,/2!/4/6/1:12,/4!/4/4/1:5)")) == span(0, 10, "d1.xhtml")
    assert exact(decode_cfi_range(book, "epubcfi(/6,/2!/4/6/1:12,/4!/4/2/1:0)")) == span(27, 27), "nothing between"


def test_text_without_spans(book: OpenBook, kepub: OpenBook) -> None:
    """A start moves to the next span, an end to the one before (kepub.md 14.4); what lies wholly in the gap is named by
    what stands around it."""
    text = book.canonical_text(book.summary.documents[1])
    raw = text.index("raw"), text.index("End")
    spans = encode_kobo_range(kepub, span(0, raw[0] + 3, "d1.xhtml"))
    assert (spans.status, spans.reason, spans.end_distance) == (Status.SNAPPED, Reason.NOT_ADDRESSABLE, 3)
    spans = encode_kobo_range(kepub, span(raw[0] + 3, len(text), "d1.xhtml"))
    assert (spans.status, spans.start_distance) == (Status.SNAPPED, raw[0] + 3 - raw[1])
    spans = encode_kobo_range(kepub, span(raw[0] + 1, raw[0] + 3, "d1.xhtml"))
    assert spans.status is Status.SNAPPED
    assert spans.locator is not None
    found = decode_kobo_range(kepub, *spans.locator)
    assert found.range == span(*raw, "d1.xhtml")
    assert (spans.start_distance, spans.end_distance) == (1, raw[0] + 3 - raw[1])


def test_an_epub_has_no_spans(book: OpenBook) -> None:
    spans = encode_kobo_range(book, span(3, 12))
    assert (spans.status, spans.reason) == (Status.APPROXIMATE, Reason.NO_SPANS)
    assert spans.locator == (kobo("", None), kobo("", None))


def test_a_document_twice_in_the_spine(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="u"><metadata/><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/><itemref idref="a"/></spine></package>'
    )
    path.write_bytes(
        epub({"a.xhtml": document("<p>One two.</p>"), "b.xhtml": document("<p>Three.</p>")}, package=package)
    )
    book = OpenBook.open(path, "a")
    again = Range(Position("a.xhtml", 1, 3), Position("a.xhtml", 1, 7, "before"))
    assert encode_cfi_range(book, again).locator == "epubcfi(/6/6!/4/2,/1:4,/1:8)"
    assert exact(decode_cfi_range(book, "epubcfi(/6/6!/4/2,/1:4,/1:8)")) == again
    around = Range(Position("a.xhtml", 0, 3), Position("a.xhtml", 1, 3, "before"))
    assert range_text(book, around) == "two.Three.One"
    assert encode_xpointer_range(book, around).locator == (
        "/body/DocFragment[1]/body/p/text().4",
        "/body/DocFragment[3]/body/p/text().3",
    )
    convert(path, tmp_path / "k.kepub.epub", engine="built-in")
    kepub = OpenBook.open(tmp_path / "k.kepub.epub", "k")
    assert encode_kobo_range(kepub, again).status is Status.EXACT, "the same words"
    assert encode_kobo_range(kepub, around).status is Status.SNAPPED, "a Kobo cannot tell the two apart"


def test_bad_ranges(book: OpenBook, kepub: OpenBook, tmp_path: Path) -> None:
    for found in (
        decode_cfi_range(book, "nonsense"),
        decode_cfi_range(book, "epubcfi(/6/2!/4,/2,/4,/6)"),
        decode_xpointer_range(book, "nonsense", both("p[1]", "p[3]")[1]),
        decode_xpointer_range(book, both("p[1]", "p[3]")[0], ""),
        decode_kobo_range(kepub, kobo("kobo.1.1", 0), kobo("span", 3)),
    ):
        assert (found.range, found.status, found.reason) == (None, Status.FAILED, Reason.SYNTAX)
    found = decode_xpointer_range(book, *both("p[1]/text().0", "p[9]/text().0"))
    assert (found.start.status, found.end.status) == (Status.EXACT, Status.APPROXIMATE)
    assert (found.status, found.reason) == (Status.APPROXIMATE, Reason.NO_PLACE), "that of the weaker end"
    found = decode_kobo_range(kepub, kobo("kobo.1.1", 0), kobo("kobo.1.1", 400))
    assert (found.status, found.reason) == (Status.APPROXIMATE, Reason.BEYOND_END)
    unknown = encode_cfi_range(book, span(0, 3, "x.xhtml"))
    assert (unknown.locator, unknown.status, unknown.reason) == (None, Status.FAILED, Reason.NO_DOCUMENT)
    beyond = encode_cfi_range(book, span(3, 400))
    assert (beyond.locator, beyond.status) == ("epubcfi(/6/2!/4,/2/2/1:0,/6/1:12)", Status.APPROXIMATE)
    gone = OpenBook.open(tmp_path / "gone.epub", "x")
    assert encode_cfi_range(gone, span(0, 3)).status is Status.FAILED
    assert decode_cfi_range(gone, "epubcfi(/6/2!/4,/2,/4)").reason is Reason.UNREADABLE
    assert range_text(gone, span(0, 3)) == ""


def test_text_is_bounded(book: OpenBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.positions.ranges.MAX_TEXT", 8)
    assert range_text(book, span(23, 10, last="d1.xhtml")) == "six.Seve"
    assert range_text(book, span(0, 27)) == "Onetwo.T"


def test_a_document_that_is_not_well_formed(tmp_path: Path) -> None:
    """Text that KOReader's engine puts elsewhere is never called exact with other words."""
    body = "<table>loose<tr><td>cell one</td></tr></table><p>after"
    path = tmp_path / "a.epub"
    path.write_bytes(epub({"d0.xhtml": document(body)}))
    book = OpenBook.open(path, "a")
    length = len(parse_text(body))
    for start in range(length):
        for end in range(start + 1, length + 1):
            pointed = encode_xpointer_range(book, span(start, end))
            if pointed.locator is not None and pointed.status is Status.EXACT:
                assert exact(decode_xpointer_range(book, *pointed.locator)) == span(start, end)


def parse_text(body: str) -> str:
    parsed = parse_document(document(body), "application/xhtml+xml")
    assert parsed.body is not None
    return "".join("".join(parsed.body.itertext()).split())
