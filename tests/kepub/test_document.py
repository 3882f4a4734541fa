"""One document: wrappers, head, encodings, what is left alone, what cannot be read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.epub.errors import MalformedMarkup, TooLarge
from appliance.kepub.document import kepub_document
from tests.kepub.bodies import TIDY, WILD
from tests.kepub.kepubs import XHTML, body_text, document, ink, spans, tree

STYLE = b'<style type="text/css" class="kobostylehacks">'


def made(data: bytes) -> bytes:
    result = kepub_document(data)
    assert result is not None
    return result


@given(st.one_of(TIDY, WILD))
@settings(max_examples=100, deadline=None)
def test_result_is_well_formed_and_keeps_the_text(body: str) -> None:
    before = document(body)
    after = made(before)
    # A reference to a C1 control becomes what HTML means by it; XML has a kind of white space there.
    assert ink(body_text(after)).replace("…", "") == ink(body_text(before))
    identifiers = [identifier for identifier, _ in spans(after)]
    assert len(identifiers) == len(set(identifiers))


@given(st.one_of(TIDY, WILD))
@settings(max_examples=100, deadline=None)
def test_structure_is_kept(body: str) -> None:
    """Without spans and wrappers the tree is the one of the source."""

    def outline(data: bytes) -> list[str]:
        found = tree(data).find(f"{{{XHTML}}}body")
        assert found is not None
        return [
            element.tag
            for element in found.iter("{*}*")
            if element.get("class") != "koboSpan" and element.get("id") not in ("book-columns", "book-inner")
        ]

    assert outline(made(document(body))) == outline(document(body))


@given(TIDY)
@settings(deadline=None)
def test_converting_twice_changes_nothing(body: str) -> None:
    once = made(document(body))
    again = kepub_document(once)
    # A document without any text has wrappers only, and gets no second ones.
    assert again is None or again.count(b"book-columns") == 1


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes(data: bytes) -> None:
    for prefix in (b"", b"<html xmlns='http://www.w3.org/1999/xhtml'><body>", b"<!DOCTYPE html><p>"):
        try:
            result = kepub_document(prefix + data)
        except MalformedMarkup:
            continue
        if result is not None:
            tree(result)


def test_look_is_kept() -> None:
    """Doctype, namespaces, attributes and foreign elements stay byte for byte."""
    source = (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n'
        f'<html xmlns="{XHTML}" xmlns:epub="http://www.idpf.org/2007/ops" epub:prefix="z3998: x" lang="en">\n'
        '<head>\n<title>A &amp; B</title>\n<link rel="stylesheet" href="s.css"/>\n</head>\n'
        '<body class=\'x > "y"\' epub:type="bodymatter">\n<section epub:type="chapter" id="c1">'
        '<p id="p1">One<a epub:type="noteref" href="#n1">1</a>.</p>'
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><image width="1" height="1"/></svg></section></body>'
        "</html>\n"
    )
    result = made(source.encode()).decode()
    stripped = (
        result.replace('<div id="book-columns"><div id="book-inner">', "")
        .replace("</div></div></body>", "</body>")
        .replace(
            '<style type="text/css" class="kobostylehacks">div#book-inner { margin-top: 0; margin-bottom: 0;}</style>',
            "",
        )
    )
    for identifier in ("1.1", "1.2", "1.3"):
        stripped = stripped.replace(f'<span class="koboSpan" id="kobo.{identifier}">', "")
    assert stripped.replace("</span>", "") == source


def test_wrappers() -> None:
    result = made(document("a<p>b</p>c"))
    body = tree(result).find(f"{{{XHTML}}}body")
    assert body is not None and [child.get("id") for child in body] == ["book-columns"]
    assert [child.get("id") for child in body[0]] == ["book-inner"]
    assert STYLE in result


def test_wrappers_that_are_there_stay_alone() -> None:
    result = made(document('<div id="book-columns"><div id="book-inner"><p>a</p></div></div>'))
    assert result.count(b"book-columns") == 1
    assert spans(result) == [("1.1", "a")]


@pytest.mark.parametrize("wrapped", [False, True])
def test_spans_that_are_there_stay_alone(wrapped: bool) -> None:
    inside = '<p><span class="x koboSpan" id="kobo.7.7">a. b</span></p>'
    body = f'<div id="book-columns"><div id="book-inner">{inside}</div></div>' if wrapped else inside
    result = kepub_document(document(body))
    if wrapped:
        assert result is None
    else:
        assert result is not None and inside.encode() in result and b"book-columns" in result


def test_the_word_in_text_is_no_span() -> None:
    assert spans(made(document("<p>About koboSpan and book-columns.</p>"))) == [
        ("1.1", "About koboSpan and book-columns.")
    ]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("<title>t</title>", b"<title>t</title>" + STYLE),
        ('<meta charset="iso-8859-1"/>', b'<meta charset="utf-8"/>'),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"/>', b"text/html; charset=utf-8"),
        ('<meta name="Adept.expected.resource" content="urn:uuid:1"/><title>t</title>', b"<head><title>"),
    ],
)
def test_head(head: str, expected: bytes) -> None:
    assert expected in made(document("<p>x</p>", head=head))


@pytest.mark.parametrize("head", ["", "<head/>", "<head></head>"])
def test_missing_head(head: str) -> None:
    result = made(f'<html xmlns="{XHTML}">{head}<body><p>x</p></body></html>'.encode())
    assert [child.tag.rpartition("}")[2] for child in tree(result)] == ["head", "body"]
    assert result.count(STYLE) == 1


@pytest.mark.parametrize("body", ["<body/>", "<body></body>", "<body> </body>", '<body class="a"/>'])
def test_empty_body(body: str) -> None:
    result = made(f'<html xmlns="{XHTML}"><head/>{body}</html>'.encode())
    assert spans(result) == [] and b'id="book-inner"' in result


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings_become_utf8(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    source = f'<?xml version="1.0" encoding="{name}"?><html xmlns="{XHTML}"><body><p>Café. “No”</p></body></html>'
    if encoding == "iso-8859-1":
        source = source.replace("“", "«").replace("”", "»")
    result = made(source.encode(encoding))
    assert result.decode().startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert spans(result)[0] == ("1.1", "Café. ")


def test_line_ends() -> None:
    assert spans(made(document("<p>a\r\nb.\r\nc</p>"))) == [("1.1", "a\nb.\n"), ("1.2", "c")]


def test_named_entities_with_and_without_doctype() -> None:
    doctype = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'
    for known in (doctype, "<!DOCTYPE html>", ""):
        result = made(document("<p>a&nbsp;b&mdash;c &amp; d</p>", doctype=known))
        assert spans(result) == [("1.1", "a\u00a0b—c & d")]


def test_entities_that_the_document_declares() -> None:
    result = made(document("<p>&who; said. Yes</p>", doctype='<!DOCTYPE html [<!ENTITY who "<b>A &#38;amp; B</b>">]>'))
    assert spans(result) == [("1.1", "A & B"), ("1.2", " said. "), ("1.3", "Yes")]
    assert b"ENTITY" not in result


def test_external_entities_are_never_read() -> None:
    doctype = '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    assert b"root:" not in made(document("<p>&x; y</p>", doctype=doctype))


def test_tag_soup_is_made_well_formed() -> None:
    result = made(b"<html><body><p>One<br>two <b>bold <i>both</b> it</i><p>R&D <img src=x> <a name=n />end")
    assert ink(body_text(result)) == "Onetwoboldbothit" + "R&Dend"
    assert [identifier for identifier, _ in spans(result)][:2] == ["1.1", "1.2"]


def test_html_keeps_foreign_elements() -> None:
    result = made(
        b'<html><body><p>a<svg viewBox="0 0 1 1"><image xlink:href="i.png"/></svg><math><mi>x</mi></math><p>b'
    )
    root = tree(result)
    assert root.find(".//{http://www.w3.org/2000/svg}image[@{http://www.w3.org/1999/xlink}href='i.png']") is not None
    assert root.find(".//{http://www.w3.org/1998/Math/MathML}mi") is not None


def test_html_without_namespace_gets_it() -> None:
    result = made(b"<html><head><title>t</title></head><body><p>x</p></body></html>")
    assert tree(result).tag == f"{{{XHTML}}}html"
    assert spans(result) == [("1.1", "x")]


def test_other_documents_are_left_alone() -> None:
    assert kepub_document(b'<svg xmlns="http://www.w3.org/2000/svg"/>') is None


def test_no_body() -> None:
    with pytest.raises(MalformedMarkup, match="no body"):
        kepub_document(f'<html xmlns="{XHTML}"><head/></html>'.encode())


def test_too_large() -> None:
    with pytest.raises(TooLarge):
        kepub_document(b"<html>" + b" " * (17 * 1024 * 1024))


def test_deep_nesting_is_refused_or_converted() -> None:
    deep = "<div>" * 5000 + "x" + "</div>" * 5000
    try:
        assert spans(made(document(deep)))
    except (MalformedMarkup, TooLarge) as error:
        assert str(error)
