"""The bounded HTML algorithm against html5lib's own tree, and its bounds."""

import warnings

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from appliance.epub import html
from appliance.epub.errors import TooLarge
from appliance.epub.html import parse_html

SOUP = st.lists(
    st.sampled_from(
        "<p> </p> <div> </div> <b> </b> <i> </i> <a> </a> <table> </table> <tr> <td> </td> <caption> <li> </ul> <ul> x"
        " <br> <svg> </svg> <math> <mi> <select> <option> <h1> </h2> <o:p> &amp; &nbsp; <!--c--> <form> <ruby> <rt>"
        " <script>x</script> <title>t</title> <body> <html> <font/color=1> <image> </p> a&b < > <!doctype> \x0c".split(
            " "
        )
    ),
    max_size=30,
).map(" ".join)


def outline(root: etree._Element) -> list[object]:
    found: list[object] = []
    for node in root.iter():
        name = node.tag if isinstance(node.tag, str) else "comment"
        attributes = {key: value for key, value in node.attrib.items() if "xmlns" not in key}
        found.append((name, attributes, node.text or "", (node.tail or "") if node is not root else ""))
    return found


@given(SOUP)
@settings(max_examples=300, deadline=None)
def test_is_the_tree_of_html5lib(soup: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = html5lib.parse(soup, treebuilder="lxml").getroot()
    assert outline(parse_html(soup)) == outline(expected)


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 600,
        "".join(f"<p><font color={n}>x" for n in range(600)),
        "<a " + " ".join(f"a{n}" for n in range(600)) + ">",
    ],
)
def test_depth_and_attributes_are_bounded(source: str) -> None:
    with pytest.raises(TooLarge):
        parse_html(source)


def test_elements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MAX_ELEMENTS", 1000)
    parse_html("<br>" * 900)
    with pytest.raises(TooLarge):
        parse_html("<br>" * 1100)


def test_written_out_it_is_xhtml() -> None:
    root = parse_html('<html xmlns="x" xmlns:epub="y" lang=en><p>a<svg xmlns="z" xlink:href=q><g/></svg>')
    again = etree.fromstring(etree.tostring(root))
    assert outline(again) == outline(root)
    assert b"<html:" not in etree.tostring(root)


def test_encodings() -> None:
    assert "é" in "".join(parse_html("<p>é".encode("latin-1"), declared="iso-8859-1").itertext())
    assert "é" in "".join(parse_html("<meta charset=iso-8859-1><p>é".encode("latin-1"), declared="none").itertext())
    assert "é" in "".join(parse_html("<p>é".encode()).itertext())
