"""The failure catalogue: each row of docs/reference/positions.md A.2 as a book made for it, and the right names.

What is expected was worked out by hand from docs/reference/xpointer.md (sections 3 to 9), positions.md (B.2) and
kepub.md (4, 7), not from any output. Rows 29 and 31 to 33 are about what a server does; they are in
tests/reading/test_catalogue_of_behaviour.py.
"""

import zipfile
from pathlib import Path

import pytest

from appliance.positions import KoboLocator, OpenBook, Position, Reason, Status, translate
from tests.kepub.kepubs import document, epub
from tests.positions.pair import Pair, by_kepubify, exactly, known

XHTML_1_1 = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'


@pytest.fixture
def one(tmp_path: Path):
    """Make a book of one document: its pointers begin with `X`, its CFIs with `C`."""
    return lambda body, **kind: Pair(tmp_path / "one", {"d.xhtml": document(body, **kind)})


X = "/body/DocFragment/body"
C = "epubcfi(/6/2!"


def test_row_01_indented_source(one):
    """X counts folded text, C the raw text, K the raw text of the span."""
    book = one("<p>One\n     two   three.\n   Four.</p>")
    book.check("two", f"{X}/p/text().4", f"{C}/4/2/1:9)", ("kobo.1.1", 9))
    book.check("three", f"{X}/p/text().8", f"{C}/4/2/1:15)", ("kobo.1.1", 15))
    book.check("Four", f"{X}/p/text().15", f"{C}/4/2/1:25)", ("kobo.1.2", 0))


def test_row_02_white_space_between_blocks(one):
    """It is no text node for X; for C it is part of the odd steps; K has no span for it."""
    book = one("<div>\n  <p>one</p>\n  <p>two</p>\n tail\n</div>")
    book.check("two", f"{X}/div/p[2]/text().0", f"{C}/4/2/4/1:0)", ("kobo.2.1", 0))
    book.check("tail", f"{X}/div/text().1", f"{C}/4/2/5:2)", ("kobo.2.2", 2))


def test_row_03_white_space_between_inline_elements(one):
    """One text node `" "` in X, so what follows is the second."""
    book = one("<p><i>a</i> <b>b</b> c</p>")
    book.check("c", f"{X}/p/text()[2].1", f"{C}/4/2/5:1)", ("kobo.1.4", 1))
    space = book.epub.decode_xpointer(f"{X}/p/text()[1].1")
    assert known(space).k == 1, "the place behind the space is before b"


def test_row_04_inline_markup(one):
    book = one("<p>alpha <b>beta</b> gamma</p>")
    book.check("beta", f"{X}/p/b/text().0", f"{C}/4/2/2/1:0)", ("kobo.1.2", 0))
    book.check("gamma", f"{X}/p/text()[2].1", f"{C}/4/2/3:1)", ("kobo.1.3", 1))
    book.check("mma", f"{X}/p/text()[2].3", f"{C}/4/2/3:3)", ("kobo.1.3", 3))


def test_row_05_no_text_between_two_elements(one):
    """C counts the empty odd step, X has no node for it."""
    book = one("<p><b>x</b><i>y</i>tail</p>")
    book.check("ail", f"{X}/p/text().1", f"{C}/4/2/5:1)", ("kobo.1.3", 1))
    assert book.epub.decode_cfi(f"{C}/4/2/1:1)", dialect="epubjs") == book.place("ail"), "it counts real text nodes"


def test_row_06_comments_and_processing_instructions(one):
    """One chunk for C; two text nodes for X, and two spans for K."""
    book = one("<p>ab<!--c-->cd</p>")
    book.check("d", f"{X}/p/text()[2].1", f"{C}/4/2/1:3)", ("kobo.1.2", 1))
    assert book.epub.decode_cfi(f"{C}/4/2/3:1)", dialect="epubjs") == book.place("d")
    one('<p>ab<?page n="1"?>cd</p>').check("d", f"{X}/p/text()[2].1", f"{C}/4/2/1:3)", ("kobo.1.2", 1))


def test_row_07_cdata(one):
    """Text for C and X. Our converter keeps it outside the spans, so a Kobo is given the next one."""
    book = one("<p>ab<![CDATA[cd]]>ef</p>")
    book.check("f", f"{X}/p/text()[3].1", f"{C}/4/2/1:5)", ("kobo.1.2", 1))
    inside = book.place("d")
    assert exactly(book.epub.encode_xpointer(known(inside))) == f"{X}/p/text()[2].1"
    assert exactly(book.epub.encode_cfi(known(inside))) == f"{C}/4/2/1:3)"
    assert book.epub.decode_xpointer(f"{X}/p/text()[2].1") == book.epub.decode_cfi(f"{C}/4/2/1:3)") == inside
    kobo = book.kepub.encode_kobo(known(translate(inside, book.epub, book.kepub)), offset=True)
    assert kobo.locator == KoboLocator("d.xhtml", "kobo.1.2", 0)
    assert (kobo.status, kobo.reason, kobo.distance) == (Status.SNAPPED, Reason.NOT_ADDRESSABLE, -1)


def test_row_07_cdata_that_kepubify_loses(one):
    """Nothing that stands for it is exact."""
    book = one("<p>ab<![CDATA[cd]]>ef</p>")
    other = by_kepubify(book)
    assert translate(book.place("d"), book.epub, other).status is not Status.EXACT
    after = translate(book.place("f"), book.epub, other)
    assert after.status is not Status.EXACT or other.quote(known(after), 0, 1).suffix == "f"


def test_row_08_spans_in_inline_elements_and_elements_in_spans(tmp_path):
    """Other makers put elements into a span: offsets run over all its text (kepub.md 14.3)."""
    body = '<p><em><span class="koboSpan" id="kobo.1.1">One <b>two</b> three.</span></em></p>'
    (tmp_path / "k.epub").write_bytes(epub({"d.xhtml": document(body)}))
    kepub = OpenBook.open(tmp_path / "k.epub", "k")
    for k, offset, xpointer, cfi in (
        (4, 5, "/p/em/span/b/text().1", "/4/2/2/2[kobo.1.1]/2/1:1"),
        (6, 8, "/p/em/span/text()[2].1", "/4/2/2/2[kobo.1.1]/3:1"),
    ):
        position = Position("d.xhtml", 0, k)
        assert exactly(kepub.encode_kobo(position, offset=True)) == KoboLocator("d.xhtml", "kobo.1.1", offset)
        assert exactly(kepub.encode_xpointer(position)) == X + xpointer
        assert exactly(kepub.encode_cfi(position)) == f"{C}{cfi})"
        assert known(kepub.decode_kobo("d.xhtml", "kobo.1.1", offset)) == position
        assert exactly(kepub.encode_kobo(position)) == KoboLocator("d.xhtml", "kobo.1.1")


def test_row_09_an_image_as_position(one):
    """An atom of its own: it borrows no neighbour's name."""
    book = one('<p>before <img src="a.png" alt="not text"/> after</p>')
    book.check("\ufffc", f"{X}/p/img.0", f"{C}/4/2/2)", ("kobo.2.1", 0))
    book.check("before", f"{X}/p/text()[1].0", f"{C}/4/2/1:0)", ("kobo.1.1", 0))
    book.check("after", f"{X}/p/text()[2].1", f"{C}/4/2/3:1)", ("kobo.2.2", 1))


def test_row_10_footnote_calls_and_page_breaks(one):
    """Elements without width split the text of X and C."""
    book = one('<p>one<a id="n1"/> two<span epub:type="pagebreak" id="pg2" title="2"/>three</p>')
    book.check("two", f"{X}/p/text()[2].1", f"{C}/4/2/3:1)", ("kobo.1.2", 1))
    book.check("three", f"{X}/p/text()[3].0", f"{C}/4/2/5:0)", ("kobo.1.3", 0))


def test_row_11_ruby(one):
    """The reading is part of the text for all three; boxes of the engine are no steps."""
    book = one("<p><ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>です。</p>")
    book.check("かん", f"{X}/p/ruby/rt[1]/text().0", f"{C}/4/2/2/2/1:0)", ("kobo.1.2", 0))
    book.check("字", f"{X}/p/ruby/text()[2].0", f"{C}/4/2/2/3:0)", ("kobo.1.3", 0))
    book.check("です", f"{X}/p/text().0", f"{C}/4/2/3:0)", ("kobo.1.5", 0))
    assert known(book.epub.decode_xpointer(f"{X}/p/ruby.0")).k == 0


def test_row_12_table_without_tbody(one):
    """No row group in the book, nor in our KEPUB."""
    book = one("<table><tr><td>one</td><td>two</td></tr></table>")
    book.check("two", f"{X}/table/tr/td[2]/text().0", f"{C}/4/2/2/4/1:0)", ("kobo.1.2", 0))
    position = known(book.place("two"))
    assert exactly(book.kepub.encode_xpointer(position)) == f"{X}/div/div/table/tr/td[2]/span/text().0"
    assert book.kepub.decode_xpointer(f"{X}/div/div/table/tbody/tr/td[2]/span/text().0").status is Status.APPROXIMATE


def test_row_12_row_group_that_kepubify_puts_in(one):
    book = one("<table><tr><td>one</td><td>two</td></tr></table>")
    other = by_kepubify(book)
    position = known(book.place("two"))
    assert exactly(other.encode_xpointer(position)) == f"{X}/div/div/table/tbody/tr/td[2]/span/text().0"
    assert other.decode_xpointer(f"{X}/div/div/table/tr/td[2]/span/text().0").status is Status.APPROXIMATE


def test_row_13_text_directly_in_a_table(one):
    """Absent in X; a Kobo has it before the table."""
    book = one("<p>before</p><table><tr><td>cell</td></tr>loose</table><p>after</p>")
    book.check("cell", f"{X}/table/tr/td/text().0", f"{C}/4/4/2/2/1:0)", ("kobo.2.1", 0))
    loose = book.place("loose")
    assert exactly(book.epub.encode_cfi(known(loose))) == f"{C}/4/4/3:0)"
    pointer = book.epub.encode_xpointer(known(loose))
    assert (pointer.status, pointer.reason) == (Status.SNAPPED, Reason.NOT_ADDRESSABLE)
    kobo = book.kepub.encode_kobo(known(translate(loose, book.epub, book.kepub)), offset=True)
    assert exactly(kobo) == KoboLocator("d.xhtml", "kobo.1.2", 0)


def test_row_13_text_that_kepubify_moves(one):
    """Another order of the text: what calls itself exact is still the same word."""
    book = one("<p>before</p><table><tr><td>cell</td></tr>loose</table><p>after</p>")
    other = by_kepubify(book)
    for word in ("before", "cell", "loose", "after"):
        there = translate(book.place(word), book.epub, other)
        same = other.quote(known(there), 0, len(word)).suffix == word
        assert same or there.status is not Status.EXACT, word
        assert same or word in ("cell", "loose"), "what was not moved is found"


def test_row_14_named_entities(one):
    """With an XHTML doctype the file is XML; without, browsers read it as HTML, and C has other steps."""
    body = "<p>caf&eacute; two</p><table><tr><td>x</td></tr></table>"
    book = one(body, doctype=XHTML_1_1)
    book.check("two", f"{X}/p/text().5", f"{C}/4/2/1:5)", ("kobo.1.1", 5))
    book.check("x", f"{X}/table/tr/td/text().0", f"{C}/4/4/2/2/1:0)", ("kobo.2.1", 0))
    book = one(body)
    book.check("two", f"{X}/p/text().5", f"{C}/4/2/1:5)", ("kobo.1.1", 5))
    book.check("x", f"{X}/table/tr/td/text().0", f"{C}/4/4/2/2/2/1:0)", ("kobo.2.1", 0))


def test_row_15_soft_hyphen(one):
    book = one("<p>Ro\u00adsen two</p>")
    book.check("sen", f"{X}/p/text().3", f"{C}/4/2/1:3)", ("kobo.1.1", 3))
    book.check("two", f"{X}/p/text().7", f"{C}/4/2/1:7)", ("kobo.1.1", 7))


def test_row_16_combining_marks(one):
    """Two characters everywhere; nothing is normalised."""
    book = one("<p>cafe\u0301 two</p>")
    book.check("two", f"{X}/p/text().6", f"{C}/4/2/1:6)", ("kobo.1.1", 6))


def test_row_17_astral_characters(one):
    """X counts code points, C and K UTF-16 units."""
    book = one("<p>a😀b two. 𝒳 three</p>")
    book.check("b two", f"{X}/p/text().2", f"{C}/4/2/1:3)", ("kobo.1.1", 3))
    book.check("two", f"{X}/p/text().4", f"{C}/4/2/1:5)", ("kobo.1.1", 5))
    book.check("three", f"{X}/p/text().11", f"{C}/4/2/1:13)", ("kobo.1.2", 3))


def test_row_18_repeated_sentence(one):
    """The structure says which one it is."""
    book = one("<p>Again. Again. Again.</p><p>Again.</p>")
    for nth, (xpointer, cfi, kobo) in enumerate(
        [
            ("/p[1]/text().0", "/4/2/1:0", ("kobo.1.1", 0)),
            ("/p[1]/text().7", "/4/2/1:7", ("kobo.1.2", 0)),
            ("/p[1]/text().14", "/4/2/1:14", ("kobo.1.3", 0)),
            ("/p[2]/text().0", "/4/4/1:0", ("kobo.2.1", 0)),
        ]
    ):
        book.check("Again", X + xpointer, f"{C}{cfi})", kobo, nth)


def package(*items: str, refs: str) -> str:
    """A package document. `items`: further attributes by href; the id of `a.xhtml` is `a`."""
    manifest = "".join(
        f'<item id="{item.partition(".")[0]}" href="{item.partition(" ")[0]}" '
        f'media-type="{"image/svg+xml" if ".svg" in item else "application/xhtml+xml"}"{item[len(item.split()[0]) :]}/>'
        for item in items
    )
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/>'
        f"<manifest>{manifest}</manifest><spine>{refs}</spine></package>"
    )


def spine(folder: Path, refs: str, *items: str) -> Pair:
    bodies = {"a.xhtml": "<p>aaaa</p>", "b.xhtml": "<p>bbbb</p>", "n.xhtml": "<nav><ol><li>note</li></ol></nav>"}
    documents = {name: document(body) for name, body in bodies.items()}
    documents["s.svg"] = b'<svg xmlns="http://www.w3.org/2000/svg"><text>drawn</text></svg>'
    return Pair(folder, documents, package("a.xhtml", "b.xhtml", *items, refs=refs))


def test_row_19_documents_outside_the_reading_order(tmp_path):
    """Counted in X and C; weight 0 in a percentage."""
    refs = '<itemref idref="a"/><itemref idref="n" linear="no"/><itemref idref="b"/>'
    book = spine(tmp_path, refs, "n.xhtml")
    book.check("bbb", "/body/DocFragment[3]/body/p/text().0", "epubcfi(/6/6!/4/2/1:0)", ("kobo.1.1", 0))
    book.check("note", "/body/DocFragment[2]/body/nav/ol/li/text().0", "epubcfi(/6/4!/4/2/2/2/1:0)", ("kobo.1.1", 0))
    assert book.epub.fraction(Position("n.xhtml", 0, 2)) == 0.5
    assert book.epub.fraction(Position("b.xhtml", 0, 2)) == 0.75


def test_row_20_the_contents_page_in_the_spine(tmp_path):
    book = spine(tmp_path, '<itemref idref="n"/><itemref idref="b"/>', 'n.xhtml properties="nav"')
    book.check("note", "/body/DocFragment[1]/body/nav/ol/li/text().0", "epubcfi(/6/2!/4/2/2/2/1:0)", ("kobo.1.1", 0))
    book.check("bbb", "/body/DocFragment[2]/body/p/text().0", "epubcfi(/6/4!/4/2/1:0)", ("kobo.1.1", 0))


def test_row_21_an_itemref_that_names_nothing(tmp_path):
    """It takes a step of the CFI and no DocFragment."""
    book = spine(tmp_path, '<itemref idref="a"/><itemref idref="gone"/><itemref idref="b"/>')
    book.check("bbb", "/body/DocFragment[2]/body/p/text().0", "epubcfi(/6/6!/4/2/1:0)", ("kobo.1.1", 0))
    assert book.epub.decode_cfi("epubcfi(/6/4!/4/2/1:0)").reason is Reason.NO_DOCUMENT
    assert book.epub.decode_xpointer("/body/DocFragment[3]/body/p/text().0").reason is Reason.NO_DOCUMENT


def test_row_22_a_drawing_in_the_spine(tmp_path):
    """It is a DocFragment like any other, and `svg` is the root of its CFIs."""
    book = spine(tmp_path, '<itemref idref="a"/><itemref idref="s"/><itemref idref="b"/>', "s.svg")
    book.check("bbb", "/body/DocFragment[3]/body/p/text().0", "epubcfi(/6/6!/4/2/1:0)", ("kobo.1.1", 0))
    drawn = book.place("rawn")
    assert exactly(book.epub.encode_cfi(known(drawn))) == "epubcfi(/6/4!/2/1:1)"
    assert book.epub.decode_cfi("epubcfi(/6/4!/2/1:1)") == drawn
    pointer = "/body/DocFragment[2]/body/autoboxing/svg/text/text().1"
    assert exactly(book.epub.encode_xpointer(known(drawn))) == pointer
    assert book.epub.decode_xpointer(pointer) == drawn
    there = translate(drawn, book.epub, book.kepub)
    assert there.status is Status.EXACT
    kobo = book.kepub.encode_kobo(known(there))
    assert (kobo.locator, kobo.status, kobo.reason) == (KoboLocator("s.svg", ""), Status.APPROXIMATE, Reason.NO_SPANS)


def test_row_23_a_kepub_with_a_blank_first_page(one, tmp_path):
    """All numbers of the KEPUB are one higher; documents are matched by name."""
    book = one("<p>One. Two.</p>")
    with zipfile.ZipFile(book.kepub.path) as archive:
        spanned = archive.read("d.xhtml")
    blank = "kepubify-titlepage-dummy.xhtml"
    path = tmp_path / "blank.kepub.epub"
    path.write_bytes(epub({blank: document("<p>Intentionally left blank.</p>"), "d.xhtml": spanned}))
    kepub = OpenBook.open(path, "blank")
    place = book.place("Two")
    there = translate(place, book.epub, kepub)
    assert there.status is Status.EXACT
    pointer = exactly(kepub.encode_xpointer(known(there)))
    assert pointer == "/body/DocFragment[2]/body/div/div/p/span[2]/text().0"
    assert exactly(kepub.encode_kobo(known(there))) == KoboLocator("d.xhtml", "kobo.1.2")
    cfi = exactly(kepub.encode_cfi(known(there)))
    assert cfi == "epubcfi(/6/4!/4/2[book-columns]/2[book-inner]/2/4[kobo.1.2]/1:0)"
    assert translate(kepub.decode_xpointer(pointer), kepub, book.epub) == place
    assert translate(kepub.decode_cfi(cfi), kepub, book.epub) == place


def test_row_24_percent_encoded_names(tmp_path):
    """Our converter finds the file; kepubify leaves it without spans, and then only the document can be named."""
    opf = package(refs='<itemref idref="c"/>').replace(
        "<manifest>", '<manifest><item id="c" href="Chap%201.xhtml" media-type="application/xhtml+xml"/>'
    )
    book = Pair(tmp_path, {"Chap 1.xhtml": document("<p>One. Two.</p>")}, opf)
    book.check("Two", f"{X}/p/text().5", f"{C}/4/2/1:5)", ("kobo.1.2", 0))
    for source in ("Chap%201.xhtml", "Chap 1.xhtml"):
        assert known(book.kepub.decode_kobo(source, "kobo.1.2")).k == 4
    # The EPUB itself is what kepubify would have made of this document.
    alone = book.epub.encode_kobo(known(book.place("Two")))
    assert alone.locator == KoboLocator("Chap 1.xhtml", "")
    assert (alone.status, alone.reason) == (Status.APPROXIMATE, Reason.NO_SPANS)


@pytest.mark.parametrize(
    "locator",
    [
        "/body/DocFragment[2]",
        "/body/DocFragment[2].0",
        "/body/DocFragment[2]/body",
        "/body/DocFragment[2]/body.0",
        "/body[1]/DocFragment[2]/body[1].0",
        "epubcfi(/6/4)",
        "epubcfi(/6/4!)",
        "epubcfi(/6/4!/4)",
    ],
)
def test_row_25_only_a_document(tmp_path, locator):
    book = spine(tmp_path, '<itemref idref="a"/><itemref idref="b"/>')
    decode = book.epub.decode_cfi if locator.startswith("epubcfi") else book.epub.decode_xpointer
    place = decode(locator)
    assert (place.position, place.status) == (Position("b.xhtml", 0, 0), Status.EXACT)
    assert place == decode(locator)
    assert known(book.kepub.decode_kobo("b.xhtml", "")) == Position("b.xhtml", 0, 0)


def test_row_26_ends(tmp_path):
    """The end of a chapter is behind its last character, not the start of the next one."""
    book = spine(tmp_path, '<itemref idref="a"/><itemref idref="b"/>')
    for position in (Position("a.xhtml", 0, 4), Position("a.xhtml", 0, 4, "before")):
        assert exactly(book.epub.encode_xpointer(position)) == "/body/DocFragment[1]/body/p/text().4"
        assert exactly(book.epub.encode_cfi(position)) == "epubcfi(/6/2!/4/2/1:4)"
        assert exactly(book.kepub.encode_kobo(position)) == KoboLocator("a.xhtml", "kobo.1.1")
        assert exactly(book.kepub.encode_kobo(position, offset=True)) == KoboLocator("a.xhtml", "kobo.1.1", 4)
    assert known(book.epub.decode_xpointer("/body/DocFragment[1]/body/p/text().4")).k == 4
    # Between two blocks, the end of one and the start of the other are the same number and two names.
    two = Pair(tmp_path / "two", {"d.xhtml": document("<p>one</p><p>two</p>")})
    assert exactly(two.epub.encode_xpointer(Position("d.xhtml", 0, 3, "before"))) == f"{X}/p[1]/text().3"
    assert exactly(two.epub.encode_xpointer(Position("d.xhtml", 0, 3))) == f"{X}/p[2]/text().0"
    assert exactly(two.epub.encode_cfi(Position("d.xhtml", 0, 3, "before"))) == f"{C}/4/2/1:3)"
    assert exactly(two.epub.encode_cfi(Position("d.xhtml", 0, 3))) == f"{C}/4/4/1:0)"
    before = two.kepub.encode_kobo(Position("d.xhtml", 0, 3, "before"), offset=True)
    assert exactly(before) == KoboLocator("d.xhtml", "kobo.1.1", 3)
    assert exactly(two.kepub.encode_kobo(Position("d.xhtml", 0, 3), offset=True)) == KoboLocator(
        "d.xhtml", "kobo.2.1", 0
    )


def test_row_27_only_a_cover(one):
    """A picture, by its own name; a drawing has no span, so a Kobo gets the document and no invented `kobo.1.1`."""
    one('<div><img src="c.jpg"/></div>').check("\ufffc", f"{X}/div/img.0", f"{C}/4/2/2)", ("kobo.1.1", 0))
    book = one('<div><svg xmlns="http://www.w3.org/2000/svg"><image href="c.jpg"/></svg></div>')
    cover = book.place("\ufffc")
    assert exactly(book.epub.encode_cfi(known(cover))) == f"{C}/4/2/2)"
    assert exactly(book.epub.encode_xpointer(known(cover))) == f"{X}/div/svg.0"
    kobo = book.kepub.encode_kobo(known(translate(cover, book.epub, book.kepub)))
    assert (kobo.locator, kobo.status) == (KoboLocator("d.xhtml", ""), Status.APPROXIMATE)


def test_row_28_text_before_the_first_paragraph(one):
    book = one("<div>Before all. Still.</div><p>First.</p>")
    book.check("Before", f"{X}/div/text().0", f"{C}/4/2/1:0)", ("kobo.0.1", 0))
    book.check("Still", f"{X}/div/text().12", f"{C}/4/2/1:12)", ("kobo.0.2", 0))
    book.check("First", f"{X}/p/text().0", f"{C}/4/4/1:0)", ("kobo.1.1", 0))


def test_row_30_what_others_write_and_nobody_should(one):
    """Read as far as it makes sense, and never called exact where it does not."""
    book = one('<p>abcd<b>ef</b>gh</p><p id="q">ij</p>').epub
    offset_on_element = book.decode_cfi(f"{C}/4/2:5)")
    assert (known(offset_on_element).k, offset_on_element.status) == (5, Status.APPROXIMATE)
    empty_start = book.decode_cfi(f"{C}/4,,/4/1:1)")
    assert (known(empty_start).k, empty_start.status) == (0, Status.EXACT)
    one_comma = book.decode_cfi(f"{C}/4/2/1:2,/4/2/1:3)")
    assert (known(one_comma).k, one_comma.status) == (2, Status.APPROXIMATE)
    for k in range(11):
        for affinity in ("after", "before"):
            cfi = exactly(book.encode_cfi(Position("d.xhtml", 0, k, affinity)))
            path, _, offset = cfi.removesuffix(")").partition(":")
            assert "," not in cfi
            assert offset and int(path.rpartition("/")[2].partition("[")[0]) % 2, "an offset, and on a text"
