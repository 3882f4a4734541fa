"""XPointers as KOReader reads and writes them (docs/reference/xpointer.md 1, 8)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import OpenBook, is_indexed, xpointer
from appliance.positions.canonical import Position, Reason, Status
from appliance.positions.crengine.defaults import Dom
from appliance.positions.xpointer import Pointer
from tests.kepub.kepubs import document, epub
from tests.positions.documents import BODIES, both_of, index_of, tree_of


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        (
            "/body/DocFragment[5]/body/div/p[3]/text()[2].17",
            Pointer(5, (("body", 1), ("div", 1), ("p", 3), ("text()", 2)), 17),
        ),
        (
            "/body[1]/DocFragment[5]/body[1]/p[3]/text()[1].7",
            Pointer(5, (("body", 1), ("p", 3), ("text()", 1)), 7, dom=Dom.NEWEST),
        ),
        ("/body/DocFragment/body/p/img.0", Pointer(1, (("body", 1), ("p", 1), ("img", 1)), 0)),
        ("body/DocFragment[2]/body/p", Pointer(2, (("body", 1), ("p", 1)))),
        ("/body/DocFragment[2]", Pointer(2, ())),
        ("/body/DocFragment[2].0", Pointer(2, (), 0)),
        ("/body/DocFragment[2]/body.0", Pointer(2, (("body", 1),), 0)),
        ("/body", Pointer(1, ())),
        ("/body/DocFragment[2]/body/?page/p.0", Pointer(2, (("body", 1), ("?page", 1), ("p", 1)), 0)),
        ("#_doc_fragment_4_ note 1", Reason.SYNTAX),
        ("#_doc_fragment_4_ note1", Pointer(5, (), None, "note1")),
        ("#_doc_fragment_4", Pointer(5, ())),
    ],
)
def test_reading(text: str, pointer: Pointer | Reason) -> None:
    assert xpointer.parse(text) == pointer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "epubcfi(/6/4!/4)",
        "/BODY/DocFragment[1]/BODY",
        "/body/docfragment[1]/body",
        "/body/DocFragment[1]/body/p/text().x",
        "/body/DocFragment[1]/body/p/text().-1",
        "/body/DocFragment[1]/body/p//text().1",
        "/body/DocFragment[1]/body/a.b/text().1",  # a name with a dot cannot be read back
        "/body/DocFragment[1]/body/p[99999999999]/text().1",
        "/body/DocFragment[1]/body/p[\u0663]/text().1",  # a digit of another script
        "/body/DocFragment[1]/body/p/text().\u00b2",
        "/body/DocFragment[1]/body" + "/div" * 2000,
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    assert isinstance(xpointer.parse(text), Reason)


def test_the_spelling_of_a_device() -> None:
    assert is_indexed("/body[1]/DocFragment[5]/body[1]/p[3]/text()[1].7")
    assert not is_indexed("/body/DocFragment[5]/body/p[3]/text().7")


# Body, canonical index, affinity, pointer in a book of one document, and in the newer spelling.
WORKED = [
    ("<p> a  b </p>", 1, "after", "/p/text().3", "/p[1]/text()[1].3"),
    ("<p> a  b </p>", 0, "after", "/p/text().1", "/p[1]/text()[1].1"),
    ("<p>a</p> <p>b</p>", 1, "after", "/p[2]/text().0", "/p[2]/text()[1].0"),
    ("<p>a</p> <p>b</p>", 1, "before", "/p[1]/text().1", "/p[1]/text()[1].1"),
    ("<p><i>a</i> <b>b</b> c</p>", 2, "after", "/p/text()[2].1", "/p[1]/text()[2].1"),
    ("<div>x <p>y</p> z</div>", 2, "after", "/div/text()[2].1", "/div[1]/text()[2].1"),
    ("<p>x<!-- c -->y</p>", 1, "after", "/p/text()[2].0", "/p[1]/text()[2].0"),
    ("<p>a😀b</p>", 2, "after", "/p/text().2", "/p[1]/text()[1].2"),
    ('<p>a<img src="i"/></p>', 1, "after", "/p/img.0", "/p[1]/img[1].0"),
    ('<p><img src="i"/><img src="i"/></p>', 1, "after", "/p/img[2].0", "/p[1]/img[2].0"),
    ("<table>\n<tr><td>a</td></tr></table>", 0, "after", "/table/tr/td/text().0", "/table[1]/tr[1]/td[1]/text()[1].0"),
    ("<p>end</p>", 3, "after", "/p/text().3", "/p[1]/text()[1].3"),
    ("<pre>\n a\n  b</pre>", 1, "after", "/pre/text().5", "/pre[1]/text()[1].5"),
]


@pytest.mark.parametrize(("body", "k", "affinity", "path", "indexed"), WORKED)
def test_worked_cases(body: str, k: int, affinity: str, path: str, indexed: str) -> None:
    _, tree = both_of(body)
    name = xpointer.point(tree, Position("d", 0, k, affinity))  # type: ignore[arg-type]
    assert name.spell(1, 1, indexed=False) == "/body/DocFragment/body" + path
    assert name.spell(3, 9, indexed=False) == "/body/DocFragment[3]/body" + path
    assert name.spell(3, 9, indexed=True) == "/body[1]/DocFragment[3]/body[1]" + indexed
    for text in ("/body/DocFragment/body" + path, "/body[1]/DocFragment[1]/body[1]" + indexed):
        pointer = xpointer.parse(text)
        assert isinstance(pointer, Pointer)
        assert xpointer.find(tree, pointer)[:2] == (k, Status.EXACT)


@pytest.mark.parametrize(
    ("path", "k", "status", "reason"),
    [
        ("", 0, Status.EXACT, Reason.WHOLE_DOCUMENT),
        (".0", 0, Status.EXACT, Reason.WHOLE_DOCUMENT),
        ("/body", 0, Status.EXACT, Reason.NONE),
        ("/body/p[2]", 4, Status.EXACT, Reason.NONE),
        ("/body/p[2]/text().0", 4, Status.EXACT, Reason.NONE),
        ("/body/p[2]/text().2", 6, Status.EXACT, Reason.NONE),
        ("/body/p[2]/text().5", 9, Status.EXACT, Reason.NONE),
        ("/body/p[2]/text().6", 9, Status.APPROXIMATE, Reason.BEYOND_END),
        ("/body/p[2]/br.0", 9, Status.EXACT, Reason.NONE),
        ("/body/p[2].1", 9, Status.EXACT, Reason.NONE),  # the second child
        ("/body/p[2].2", 9, Status.EXACT, Reason.NONE),  # behind the last
        ("/body/p[2].3", 9, Status.APPROXIMATE, Reason.BEYOND_END),
        ("/body/p[0]/text().0", 0, Status.APPROXIMATE, Reason.NO_PLACE),
        ("/body/\u00b2", 0, Status.APPROXIMATE, Reason.NO_PLACE),
        ("/body/p[3]/text().0", 0, Status.APPROXIMATE, Reason.NO_PLACE),
        ("/body/p[2]/b/text().0", 4, Status.APPROXIMATE, Reason.NO_PLACE),
        ("/body/2", 4, Status.EXACT, Reason.NONE),  # the second node, whatever it is
        ("/body/autoBoxing[2]/text()[1].0", 0, Status.APPROXIMATE, Reason.OTHER_DIALECT),
        ("/div/p", 0, Status.APPROXIMATE, Reason.NO_PLACE),
    ],
)
def test_resolving(path: str, k: int, status: Status, reason: Reason) -> None:
    _, tree = both_of('<p>abcd</p><p id="p">efghi<br/></p>')
    pointer = xpointer.parse(f"/body/DocFragment{path}")
    assert isinstance(pointer, Pointer)
    assert xpointer.find(tree, pointer)[:3] == (k, status, reason)


def test_a_link_target_is_found_by_its_id() -> None:
    _, tree = both_of('<p>abcd</p><p id="p">efghi</p>')
    assert xpointer.find(tree, Pointer(1, (), None, "p"))[:2] == (4, Status.EXACT)
    assert xpointer.find(tree, Pointer(1, (), None, "q")).status is Status.APPROXIMATE


def test_text_the_engine_loses_is_not_addressable() -> None:
    body = "<p>before</p><table>loose text<tr><td>cell</td></tr></table><p>after</p>"
    index, tree = both_of(body)
    assert tree.ink == "beforecellafter"
    name = xpointer.point(tree, Position("d", 0, index.text.index("text")))
    assert name.k != index.text.index("text"), "the codec knows that this is not the place"
    for word in ("before", "cell", "after"):
        k = index.text.index(word)
        assert xpointer.point(tree, Position("d", 0, k)).k == k


def test_numbers_that_hang_on_the_screen_are_never_exact(tmp_path: Path) -> None:
    head = "<style>@media (min-width: 40em) { b { display: block } }</style>"
    data = document("<p>one <i>two</i> <b>three</b> four</p><p>five six</p>", head=head)
    path = tmp_path / "b.epub"
    path.write_bytes(epub({"a.xhtml": data, "b.xhtml": document("<p>one</p>")}))
    book = OpenBook.open(path, "b")
    place = book.decode_xpointer("/body/DocFragment[1]/body/p[1]/text()[3].2")
    assert (place.status, place.reason) == (Status.SNAPPED, Reason.UNDECIDED)
    pointer = book.encode_xpointer(Position("a.xhtml", 0, 17))
    assert (pointer.locator, pointer.status) == ("/body/DocFragment[1]/body/p[2]/text().0", Status.SNAPPED)
    assert (pointer.reason, pointer.distance) == (Reason.UNDECIDED, 2)
    assert book.encode_xpointer(Position("b.xhtml", 0, 2)).status is Status.EXACT
    assert book.encode_cfi(Position("a.xhtml", 0, 17)).status is Status.EXACT


def undecided_by(tmp_path: Path, css: dict[str, bytes], link: str = 'href="a.css"') -> bool:
    """Whether a document with mixed content and this style sheet is undecided, and then never exact."""
    head = f'<link rel="stylesheet" {link}/>'
    data = document("<p>one <i>two</i> <b>three</b> four</p><p>five six</p>", head=head)
    path = tmp_path / "b.epub"
    path.write_bytes(epub({"a.xhtml": data}, extra=css))
    book = OpenBook.open(path, "b")
    place = book.decode_xpointer("/body/DocFragment[1]/body/p[1]/text()[1].2")
    written = book.encode_xpointer(Position("a.xhtml", 0, 17))
    assert (place.reason is Reason.UNDECIDED) == (written.reason is Reason.UNDECIDED)
    assert place.status is (Status.SNAPPED if place.reason is Reason.UNDECIDED else Status.EXACT)
    return place.reason is Reason.UNDECIDED


@pytest.mark.parametrize(
    ("css", "undecided"),
    [
        (b"b { display: block }", False),
        (b"@media (min-width: 9em) { b { display: block } }", True),
        (b"@media (min-width: 9em) { b { color: red } }", False),
        (b"@media (min-width: 9em) { u { display: block } }", False),
        (b"@import 'missing.css';", False),  # the engine does not have it either
        (b"@import 'b.css';", False),
        (b"@import 'b.css' screen and (min-width: 9em);", True),
        (b"\xff\xfe\0 }}}{{{ not css @@@", False),
        (b"/*" + b"x" * 2**21 + b"*/ b { display: block }", True),  # more than is read here
    ],
)
def test_documents_whose_numbers_cannot_be_decided(tmp_path: Path, css: bytes, undecided: bool) -> None:
    assert undecided_by(tmp_path, {"a.css": css, "b.css": b"b { display: block }"}) is undecided


def test_a_missing_style_sheet_is_missing_for_the_engine_too(tmp_path: Path) -> None:
    assert not undecided_by(tmp_path, {}, 'href="nowhere.css"')


@pytest.mark.parametrize(("media", "undecided"), [("screen", False), ("(min-width: 9em)", True), ("print", False)])
def test_the_media_of_a_link(tmp_path: Path, media: str, undecided: bool) -> None:
    css = {"a.css": b"b { display: block }"}
    assert undecided_by(tmp_path, css, f'href="a.css" media="{media}"') is undecided


def test_conditions_that_change_no_number_leave_them_exact() -> None:
    head = "<style>@media (max-width: 40em) { b { display: block } td { display: block } }</style>"
    tree = tree_of("<p>one <b>two</b> three</p><table><tr><td>a</td><td>b</td></tr></table>", head=head)
    assert not tree.undecided
    assert tree_of("<p>one <i>x</i> <b>two</b></p>", head=head).undecided


def test_a_document_without_body_has_only_itself() -> None:
    tree = tree_of("x" * 10)
    tree.bodies, tree.ink = [], ""
    name = xpointer.point(tree, Position("d", 0, 5))
    assert (name.spell(4, 9, indexed=False), name.k) == ("/body/DocFragment[4].0", 0)


@given(BODIES, st.data())
def test_every_place_is_found_again(body: str, data: st.DataObject) -> None:
    """Properties 1 and 10 of positions.md C.11."""
    index, tree = both_of(body)
    k = data.draw(st.integers(0, index.length))
    for affinity in ("after", "before"):
        name = xpointer.point(tree, Position("d", 0, k, affinity))  # type: ignore[arg-type]
        lost = tree.alignment is not None
        assert lost or name.k == k or (name.k == k - 1 and k - 1 in index.atoms)
        for indexed in (False, True):
            text = name.spell(2, 3, indexed=indexed)
            pointer = xpointer.parse(text)
            assert isinstance(pointer, Pointer)
            assert pointer.fragment == 2
            found = xpointer.find(tree, pointer)
            assert found.k == name.k or lost
            if not hasattr(name.node, "children") and name.node is not None:
                assert name.offset <= len(name.node.text)


@given(BODIES)
def test_names_rise_with_places(body: str) -> None:
    """Property 2: the engine orders the names as the places are ordered."""
    index, tree = both_of(body)
    if tree.alignment is not None:
        return
    order = {id(node): number for number, node in enumerate(_in_order(tree.bodies[0]))}
    keys = []
    for k in range(index.length):
        name = xpointer.point(tree, Position("d", 0, k))
        keys.append((order[id(name.node)], name.offset))
    assert keys == sorted(keys)


def _in_order(node: object) -> list[object]:
    found = [node]
    for child in getattr(node, "children", ()):
        found += _in_order(child)
    return found


@given(BODIES)
def test_the_engine_reads_the_same_text(body: str) -> None:
    """On well-formed documents the two readings differ only where the engine loses text (tables, objects)."""
    index, tree = both_of(body)
    if "<table" not in body and "<object" not in body:
        assert tree.ink == index_of(body).text == index.text
