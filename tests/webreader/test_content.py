"""The neutraliser keeps every position and leaves nothing that runs or loads."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from appliance.epub.archive import Archive
from appliance.epub.document import SVG, XHTML, parse_document
from appliance.epub.errors import BookError
from appliance.epub.package import read_package
from tests.server import BOOKS
from tests.webreader.hostile import PAGE, PICTURE, SHEET
from webreader.addresses import Addresses
from webreader.content import WRAPPED, canonical_document, neutral_image
from webreader.style_sheets import neutral_css, neutral_style_sheet

SHA256 = "5e" * 32
HERE = Addresses(SHA256, "text/ch1.xhtml", lambda path: path if not path.startswith("missing") else None)

# Elements that run or load something, or that a form is made of. None of them is served.
ACTIVE = {
    *("script", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input", "button", "select"),
    *("textarea", "base", "template", "noscript", "portal", "set", "animate", "handler", "listener", "param"),
}
UNSEEN = {"script", "style", "template", "iframe", "input", "embed", "param", "base", "set", "animate"}


def shape(element: Any) -> list[Any]:
    """Element children all the way down, and the text between them, except in elements marked as silent."""
    texts, children = [element.text or ""], []
    for child in element:
        if isinstance(child.tag, str):
            children.append(shape(child))
            texts.append(child.tail or "")
        else:
            texts[-1] += child.tail or ""
    return [[] if "data-silent" in element.attrib else [text.replace("\r", " ") for text in texts], children]


def served(data: bytes, media_type: str = "application/xhtml+xml", addresses: Addresses = HERE) -> Any:
    """The served document, parsed again, after checking that nothing in it is active."""
    page = canonical_document(data, media_type, addresses)
    again = parse_document(page, "application/xhtml+xml")
    assert again.mode == "xml"
    refuse_active(again.root)
    return again.root


def refuse_active(root: Any) -> None:
    for element in root.iter():
        assert isinstance(element.tag, str), "a comment or processing instruction"
        name = etree.QName(element).localname.lower()
        assert name not in ACTIVE, name
        for key, value in element.attrib.items():
            attribute = etree.QName(key).localname.lower()
            assert not attribute.startswith("on"), (name, attribute)
            assert attribute not in {"srcdoc", "http-equiv", "formaction", "action", "srcset", "ping", "target"}
            plain = re.sub(r"[\x00-\x20]", "", value).lower()
            assert not plain.startswith(("javascript:", "vbscript:", "data:text")), (name, attribute, value)
            if attribute in {"href", "src", "poster", "data", "background"} and name not in {"a", "area"}:
                assert value.startswith((f"/books/{SHA256}/", "#", "data:image/")), (name, attribute, value)
            if attribute == "style" or etree.QName(element).namespace == SVG:
                refuse_remote(value)
        if name == "style":
            refuse_remote(element.text or "")


def refuse_remote(css: str) -> None:
    """Nothing that CSS could load lies outside the book."""
    without = re.sub(r"@namespace[^;]*;|/\*.*?\*/", "", css.lower(), flags=re.DOTALL)
    loaded = re.findall(r"(?:url\(|@import|image-set\(|src\()\s*[\"']?\s*([^\"')\s]*)", without)
    for address in loaded:
        assert address.startswith((f"/books/{SHA256}/", "#", "data:", "about:invalid", "url(")), css


def test_keeps_the_shape_of_every_real_document_and_leaves_nothing_active() -> None:
    assert check_books(sorted(BOOKS.glob("*.epub")) + sorted((BOOKS.parent / "broken").glob("*.epub"))) > 250


@pytest.mark.slow
def test_keeps_the_shape_of_some_of_the_corpus(shared: Path) -> None:
    assert check_books(sorted((shared / "corpus").rglob("*.epub"))[::4]) > 500


@pytest.mark.nightly
def test_keeps_the_shape_of_the_corpus(shared: Path) -> None:
    assert check_books(sorted((shared / "corpus").rglob("*.epub"))) > 6000


def check_books(paths: list[Path]) -> int:
    count = 0
    for path in paths:
        try:
            with Archive(path) as archive:
                package = read_package(archive)
                for item in {item.item.path: item.item for item in package.spine if item.item}.values():
                    try:
                        data = archive.read(item.path)
                        before = parse_document(data, item.media_type).root
                    except BookError:
                        continue
                    root = served(data, item.media_type, Addresses(SHA256, item.path, archive.find))
                    if WRAPPED in root.attrib:
                        root = root[1][0]
                    assert inked(before) == inked(root), (path.name, item.path)
                    count += 1
        except BookError:
            continue
    return count


def inked(root: Any) -> list[Any]:
    """The shape, without the text that nobody is meant to see."""
    for element in root.iter():
        if isinstance(element.tag, str) and (
            etree.QName(element).localname.lower() in UNSEEN or "display:none!important" in (element.get("style") or "")
        ):
            for inside in element.iter(etree.Element):
                inside.set("data-silent", "")
    return shape(root)


def test_a_hostile_page_keeps_its_shape_and_loses_its_teeth() -> None:
    before = parse_document(PAGE, "application/xhtml+xml").root
    root = served(PAGE)
    assert inked(before) == inked(root)
    page = etree.tostring(root).decode()
    assert "pwned" not in re.sub(r"[\w-]*pwned-text", "", page)
    assert "evil.example" not in re.sub(r'<a [^>]*href="https?://evil.example[^>]*>', "", page)
    # Nothing of the text that people read is lost.
    for word in ("before-text", "inside-form-text", "inside-object-text", "inside-noscript-text", "after-text"):
        assert word in page


def test_a_hostile_picture_and_style_sheet() -> None:
    picture = neutral_image(PICTURE, HERE)
    refuse_active(etree.fromstring(picture))
    assert b"evil.example" not in picture and b"pwned" not in picture
    sheet = neutral_style_sheet(SHEET, HERE.resource)
    refuse_remote(sheet)
    assert "evil.example" not in sheet
    assert f'url("/books/{SHA256}/1/entry/text/paper.png")' in sheet
    assert '@namespace epub "http://www.idpf.org/2007/ops"' in sheet


NAMES = st.sampled_from(
    [
        *("p", "div", "span", "b", "script", "style", "iframe", "object", "embed", "form", "input", "button", "select"),
        *(
            "option",
            "textarea",
            "noscript",
            "template",
            "base",
            "link",
            "meta",
            "img",
            "a",
            "table",
            "tr",
            "td",
            "ruby",
        ),
        *("details", "dialog", "audio", "video", "source", "frameset", "slot"),
    ]
)
TEXTS = st.text(st.sampled_from("ab “\u00a0\u00ad\r\n\t<&>]e\u0301😀 "), max_size=8)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["onclick", "onload", "href", "src", "style", "id", "class", "srcdoc", "name", "data", "ping"]),
    st.sampled_from(
        [
            *("x", "javascript:alert(1)", " java\tscript:alert(1)", "http://evil.example/x", "//evil.example/x"),
            *("../images/a.png", "#here", "color:red;background:url(http://evil.example/)", "missing.png", "\\\\evil"),
        ]
    ),
    max_size=3,
)


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> Any:
    element = etree.Element(f"{{{draw(st.sampled_from([XHTML, XHTML, XHTML, SVG]))}}}{draw(NAMES)}")
    element.text = draw(TEXTS)
    for key, value in draw(ATTRIBUTES).items():
        element.set(key, value)
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        child = draw(trees(depth=depth - 1))
        child.tail = draw(TEXTS)
        element.append(child)
        if draw(st.booleans()):
            comment = etree.Comment("note")
            comment.tail = draw(TEXTS)
            element.append(comment)
    return element


@given(trees())
def test_any_tree_keeps_its_shape(tree: Any) -> None:
    html = etree.Element(f"{{{XHTML}}}html")
    etree.SubElement(html, f"{{{XHTML}}}head")
    etree.SubElement(html, f"{{{XHTML}}}body").append(tree)
    data = etree.tostring(html)
    root = served(data)
    assert inked(parse_document(data, "application/xhtml+xml").root) == inked(root)


@given(st.text(max_size=60), st.text(st.sampled_from("url(\"')\\ @import;{}/*:htp.evil75r#")))
def test_no_style_sheet_reaches_out(text: str, tokens: str) -> None:
    for css in (text, tokens, "@import " + tokens, "a{b:" + tokens):
        result = neutral_css(css, lambda reference: None)
        # Read again by the same grammar, each address leads nowhere.
        assert set(addresses_in(result)) <= {"about:invalid"}


def addresses_in(css: str) -> list[str]:
    seen: list[str] = []

    def note(reference: str) -> None:
        seen.append(reference)

    neutral_css(css, note)
    return seen


def test_what_is_no_xhtml_page_is_shown_inside_one() -> None:
    root = served(
        b'<svg xmlns="http://www.w3.org/2000/svg"><title>A</title><script>x()</script></svg>', "image/svg+xml"
    )
    assert WRAPPED in root.attrib
    assert [etree.QName(element).localname for element in root[1][0]] == ["title", "g"]


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("ch2.xhtml#n%201", "/text/ch2.xhtml#n%201"),
        ("../a b.xhtml", "/a%20b.xhtml"),
        ("#n1", "#n1"),
        ("https://example.org/x", "https://example.org/x"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("\x01 javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,<script>", None),
        ("//example.org/x", None),
        ("\\\\example.org/x", None),
        ("blob:https://example.org/1", None),
        ("file:///etc/passwd", None),
        ("../missing.xhtml", None),
    ],
)
def test_links(href: str, expected: str | None) -> None:
    assert HERE.link(href) == expected


def test_resources_are_entries_of_the_book() -> None:
    assert HERE.resource("../images/a%20b.png?x#y") == f"/books/{SHA256}/1/entry/images/a%20b.png"
    assert HERE.resource("../../../../etc/passwd") == f"/books/{SHA256}/1/entry/etc/passwd"
    assert HERE.resource("data:image/png;base64,AAAA") == "data:image/png;base64,AAAA"
    assert HERE.resource("data:text/html,x") is None
    assert HERE.resource("http://example.org/a.png") is None
