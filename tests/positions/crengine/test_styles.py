"""Which style an element gets, as far as numbers depend on it (docs/reference/xpointer.md 6)."""

import pytest

from appliance.positions.crengine.nodes import Node, TextNode
from appliance.positions.crengine.sheets import applies
from appliance.positions.crengine.styles import Style, StyleBook
from appliance.positions.crengine.tree import FragmentTree
from tests.kepub.kepubs import document


def style_of(css: str, body: str, which: str = "x", files: dict[str, str] | None = None) -> Style:
    """Style of the element with that id."""
    sheets = {"s.css": css, **(files or {})}
    source = document(body, head='<link rel="stylesheet" href="s.css"/>').decode()
    tree = FragmentTree(source, "a.xhtml", StyleBook(lambda path: sheets[path].encode()))
    return next(node.style for node in tree.elements if node.get("id") == which)


@pytest.mark.parametrize(
    ("css", "body", "display"),
    [
        ("", '<p id="x"/>', "block"),
        ("", '<custom id="x"/>', "inline"),
        ("", '<td id="x"/>', "table-cell"),
        ("", '<p id="x" hidden=""/>', "none"),
        ("", '<span id="x" epub:type="pagebreak"/>', "none"),
        ("", '<span id="x" epub:type="pagebreak noteref"/>', "inline"),
        ("", '<input id="x" type="hidden"/>', "none"),
        ("span { display: block }", '<span id="x"/>', "block"),
        (".a { display: block }", '<span id="x" class="b a"/>', "block"),
        ("#x { display: block }", '<span id="x"/>', "block"),
        ("#x { display: block } span { display: none }", '<span id="x"/>', "block"),  # specificity
        (".a { display: none } .b { display: block }", '<i id="x" class="b a"/>', "block"),  # order
        (".a { display: none !important } .b { display: block }", '<i id="x" class="b a"/>', "none"),
        (".a { display: block }", '<i id="x" class="a" style="display: none"/>', "none"),
        (".a { display: block !important }", '<i id="x" class="a" style="display: none"/>', "block"),
        ("div > span { display: block }", '<div><span id="x"/></div>', "block"),
        ("div > span { display: block }", '<div><b><span id="x"/></b></div>', "inline"),
        ("b + span { display: block }", '<b/><span id="x"/>', "block"),
        ("b + span { display: block }", '<b/><i/><span id="x"/>', "inline"),
        ("span:first-child { display: block }", '<div> <span id="x"/></div>', "block"),
        ("span:first-child { display: block }", '<div><b/><span id="x"/></div>', "inline"),
        ("span:nth-child(2) { display: block }", '<div><b/><span id="x"/></div>', "block"),
        ('[epub|type~="z"] { display: block }', '<i id="x" epub:type="y z"/>', "block"),
        ("[type] { display: block }", '<i id="x" epub:type="y z"/>', "block"),
        ("html { white-space: pre } i { display: inherit }", '<p><i id="x"/></p>', "block"),
        ("i { display: flex }", '<i id="x"/>', "inline"),
        ("i { display: nonsense }", '<i id="x"/>', "inline"),
        ("i { display: flex; display: block }", '<i id="x"/>', "block"),
        ("@media screen { i { display: block } }", '<i id="x"/>', "block"),
        ("@media print { i { display: block } }", '<i id="x"/>', "inline"),
        ("@media amzn-kf8 { i { display: block } }", '<i id="x"/>', "inline"),
        ("i { color: red } /* i { display: none } */ i { display: block }", '<i id="x"/>', "block"),
        ("a { content: '}' } i { display: block }", '<i id="x"/>', "block"),
        ("i { display: block", '<i id="x"/>', "block"),  # cut off
        ("@import 'other.css'; b { display: none }", '<i id="x"/>', "list-item"),
        ("@import url(other.css) print;", '<i id="x"/>', "inline"),
        ("i !!! { display: none } i { display: block }", '<i id="x"/>', "block"),
        (":::: , i { display: block }", '<i id="x"/>', "block"),
    ],
)
def test_display(css: str, body: str, display: str) -> None:
    assert style_of(css, body, files={"other.css": "i { display: list-item }"}).display == display


def test_floats_white_space_and_pseudo_elements() -> None:
    assert style_of(".a { float: left }", '<i id="x" class="a"/>').floats
    assert style_of("", '<img id="x" align="right"/>').floats
    assert style_of("div { white-space: pre-wrap }", '<div><i id="x"/></div>').white_space == "pre-wrap"
    assert style_of("", '<pre><i id="x"/></pre>').white_space == "pre"
    assert style_of('p::before { content: "" }', '<p id="x"/>').before == "inline"
    assert style_of("p:before { content: 'a'; display: block }", '<p id="x"/>').before == "block"
    assert style_of("p::before { content: none }", '<p id="x"/>').before == ""
    assert style_of("p::before { color: red }", '<p id="x"/>').before == ""
    assert style_of("", '<q id="x"/>').after == "inline"
    assert style_of("q::after { content: none }", '<q id="x"/>').after == ""


def test_a_sheet_that_imports_itself_ends() -> None:
    assert style_of('@import "s.css"; i { display: block }', '<i id="x"/>').display == "block"


def test_a_missing_sheet_is_no_sheet() -> None:
    source = document("<p>a</p>", head='<link rel="stylesheet" href="gone.css"/>').decode()
    tree = FragmentTree(source, "a.xhtml", StyleBook(lambda path: {}[path]))
    assert tree.ink == "a"


@pytest.mark.parametrize(
    ("media", "holds"),
    [
        ("", True),
        ("all", True),
        ("screen", True),
        ("print", False),
        ("print, screen", True),
        ("not print", True),
        ("only screen and (min-width: 10em)", True),
        ("(orientation: portrait)", True),
        ("amzn-mobi", False),
    ],
)
def test_media(media: str, holds: bool) -> None:
    assert applies(media) is holds


def test_every_sheet_is_read_once() -> None:
    reads: list[str] = []

    def read(path: str) -> bytes:
        reads.append(path)
        return b"i { display: block }"

    book = StyleBook(read)
    source = document("<p><i>a</i></p>", head='<link rel="stylesheet" href="s.css"/>').decode()
    for name in ("a.xhtml", "b.xhtml"):
        FragmentTree(source, name, book)
    assert reads == ["s.css"]


def test_selectors_that_look_at_later_siblings_are_applied_in_a_second_pass() -> None:
    source = document(
        "<div> <span>a</span> <span> last </span></div>",
        head="<style>span:last-child { display: block }</style>",
    ).decode()
    body = FragmentTree(source, "a.xhtml", StyleBook(lambda path: b"")).bodies[0]
    assert isinstance(body, Node)
    (div,) = body.elements
    assert [isinstance(child, TextNode) for child in div.children] == [False, False], "the space before a block goes"
