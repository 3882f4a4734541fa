"""The canonical text and the index of a document (docs/reference/positions.md C.1, C.3)."""

import re
from pathlib import Path

import pytest
from hypothesis import given

from appliance.epub.archive import Archive
from appliance.epub.document import parse_document
from appliance.epub.errors import BookError
from appliance.epub.package import read_package
from appliance.kepub.document import kepub_document
from appliance.positions.document import DocumentIndex
from appliance.positions.text import canonical_utf8
from tests.kepub.kepubs import books, document
from tests.positions.documents import BODIES, index_of


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p> a \n b\t</p>", "ab"),
        ("<p>a\u00a0b\u00adc\u2003d\u200be\u0301</p>", "a\u00a0b\u00adc\u2003d\u200be\u0301"),
        ("<p>a\ufffdb</p>", "ab"),
        ('<p>a<img alt="x"/>b</p>', "a\ufffcb"),
        ('<p>a<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>b</p>', "a\ufffcb"),
        ('<p>a<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>b</p>', "a\ufffcb"),
        ("<p>a<video>fallback</video>b</p>", "a\ufffcfallbackb"),
        ("<p>a<iframe>x</iframe>b</p>", "a\ufffcb"),
        ("<p>a<object>fallback</object>b</p>", "afallbackb"),
        ("<p>a<script>x</script><style>y</style><template><b>z</b></template>b</p>", "ab"),
        ("<p>a<!-- c -->b<?pi x?>c<![CDATA[ <d> ]]>e</p>", "abc<d>e"),
        ("<p>a<ruby>b<rt>c</rt></ruby></p>", "abc"),
        ("", ""),
    ],
)
def test_canonical_text(body: str, text: str) -> None:
    assert index_of(body).text == text
    assert canonical_utf8(parse_document(document(body), "application/xhtml+xml")).decode() == text


def test_the_drawing_of_an_svg_document_is_its_text() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><title>T</title><text>a <tspan>b</tspan></text><image/></svg>'
    assert DocumentIndex(parse_document(svg, "image/svg+xml")).text == "Tab\ufffc"
    assert canonical_utf8(parse_document(svg, "image/svg+xml")).decode() == "Tab\ufffc"


def test_a_document_without_body_is_empty() -> None:
    data = b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head></html>'
    index = DocumentIndex(parse_document(data, "application/xhtml+xml"))
    assert (index.length, index.blocks) == (0, [0])


@given(BODIES)
def test_the_index_is_consistent(body: str) -> None:
    index = index_of(body)
    assert index.body.last == index.length
    assert index.blocks == sorted(set(index.blocks))
    covered = sorted([(c.first, c.last) for c in index.chunks] + [(k, k + 1) for k in index.atoms])
    assert [first for first, _ in covered] == [0, *(last for _, last in covered[:-1])][: len(covered)]
    for k in range(index.length):
        chunk = index.chunk_at(k)
        assert (chunk is None) == (k in index.atoms)
        assert chunk is None or chunk.first <= k < chunk.last


@given(BODIES)
def test_the_text_alone_is_the_text_of_the_index(body: str) -> None:
    parsed = parse_document(document(body), "application/xhtml+xml")
    assert DocumentIndex(parsed).text == canonical_utf8(parsed).decode()


@given(BODIES)
def test_serialising_otherwise_changes_no_canonical_index(body: str) -> None:
    """Property 3 of positions.md C.11."""
    text = index_of(body).text
    assert index_of(re.sub(r"(</?(?:p|div|section|li|td)>)", r"\n  \1\n  ", body)).text == text, "indented"
    assert index_of(re.sub(r"(<\w)", r"<!-- c -->\1", body)).text == text, "with comments"
    assert index_of(body.replace("é", "&#xe9;").replace("漢", "&#28450;")).text == text, "with references"


@given(BODIES)
def test_converting_to_kepub_changes_no_canonical_index(body: str) -> None:
    """Property 4: what the converter wraps and adds is invisible to positions."""
    converted = kepub_document(document(body))
    assert converted is not None
    after = DocumentIndex(parse_document(converted, "application/xhtml+xml"))
    assert after.text == index_of(body).text


@pytest.mark.parametrize("path", books(), ids=lambda path: path.stem)
def test_every_document_of_real_books(path: Path) -> None:
    with Archive(path) as archive:
        for item in {spine.item.path: spine.item for spine in read_package(archive).spine if spine.item}.values():
            try:
                parsed = parse_document(archive.read(item.path), item.media_type)
            except BookError:
                continue
            index = DocumentIndex(parsed)
            assert index.body.last == index.length
            assert index.text == canonical_utf8(parsed).decode()
