"""KOReader's tokeniser, oddity by oddity (docs/reference/xpointer.md 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions.crengine.scan import attributes, decode, decode_references, scan


def tokens(source: str) -> list[str]:
    """Tokens in short: text, <name>, <name/>, </name>, [cdata], |."""
    shapes = {"text": "{0}", "cdata": "[{0}]", "close": "</{0}>", "split": "|"}
    return [
        (shapes[kind] if kind != "open" else "<{0}/>" if closed else "<{0}>").format(text)
        for kind, text, _, closed in scan(source)
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a<br/>b</p>", ["<p>", "a", "<br/>", "b", "</p>"]),
        ('<epub:switch id="x"\n>a</epub:switch >', ["<switch>", "a", "</switch>"]),
        ("a<!-- c > d -->b", ["a", "|", "b"]),
        ("a<![CDATA[x <b> ]]>b", ["a", "[x <b> ]", "b"]),
        ("a<![CDATA[]]>b", ["a", "[]", "b"]),
        ("<p\tclass='x'>a</p>", ["|", "a", "</p>"]),  # a tab behind the name
        ("<p class='x'\tid='y'>a", ["<p>", "a"]),
        ('<span title="a > b">x', ["<span>", ' b">x']),  # an attribute value ends at >
        ('<p _bad="1">lost</p>\n<b>x</b>', ["<p>", "<p>", "\n", "<b>", "x", "</b>"]),
        ("<_u>x</_u>", ["|", "x", "|"]),
        ("<él>x</él>", ["|", "x", "|"]),
        ('<?target some="data"?>x', ["<?target/>", "x"]),
        ("<?page 12?>lost</b>c", ["<?page>", "<b>", "c"]),  # an end tag becomes a start tag
        ("<a href=unquoted>x", ["<a>", "x"]),
        ("<a disabled>x", ["<a>", "x"]),
        ("<a href=x/>y", ["<a/>", "y"]),
        ("<script>if (a < b) '</p>'</script>x", ["<script>", "if (a < b) '</p>'", "</script>", "x"]),
        ("<script/>x", ["<script/>", "x"]),
        ("a < b>c", ["a ", "<b>", "c"]),
    ],
)
def test_tokens(source: str, expected: list[str]) -> None:
    assert tokens(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("&amp;&lt;&eacute;&nbsp;", "&<é\u00a0"),
        ("&#233;&#xe9;&#xE9;", "ééé"),
        ("upper &#XE9; x", "upper E9; x"),
        ("&#128;&#146;", "€’"),
        ("&foo; and &bar baz;", "&foo; and &bar baz;"),
        ("a & b", "a b"),
        ("and &; and &#; end", "and  and  end"),
        ("&NotEqualTilde;", "\u2242\u0338"),
        ("nosemi &eacute end", "nosemi éend"),
        ("&#0;&#99999999;", ""),
    ],
)
def test_references(source: str, expected: str) -> None:
    assert decode_references(source) == expected


def test_attributes_lose_their_prefix_and_the_first_counts() -> None:
    read = attributes(' epub:type="pagebreak" CLASS=\'a b\' id=x hidden class="c" title="a&amp;b"')
    assert dict(read) == {"type": "pagebreak", "class": "a b", "id": "x", "hidden": "", "title": "a&b"}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("é".encode(), "é"),
        (b"\xef\xbb\xbf" + "é".encode(), "é"),
        ("\ufeffé".encode("utf-16-le"), "é"),
        ("<é".encode("utf-16-be"), "<é"),
        ("\ufeff😀".encode("utf-16-le"), "\ud83d\ude00"),  # unit by unit
        (b'<?xml version="1.0" encoding="iso-8859-1"?>\xe9', '<?xml version="1.0" encoding="iso-8859-1"?>é'),
        (b'<meta charset="windows-1252"/>\x80', '<meta charset="windows-1252"/>€'),
        (b'<?xml encoding="nonsense"?>a', '<?xml encoding="nonsense"?>a'),
        (b"a\r\nb\rc\xff", "a\nb\nc\ufffd"),
    ],
)
def test_encodings(data: bytes, text: str) -> None:
    assert decode(data) == text


@given(st.text(alphabet="<>/!?-[]CDATA&;#x \t\n\"'=ab:é_1", max_size=60))
def test_anything_is_read_to_its_end(source: str) -> None:
    assert all(isinstance(token, tuple) for token in scan(source))
