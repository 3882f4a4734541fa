"""One content document with koboSpans (docs/reference/kepub.md 4), as bytes in UTF-8.

The document is edited as text, not built up again: doctype, namespaces, `epub:type`, SVG and MathML stay as they were
written. What is not well-formed is first made well-formed by the HTML algorithm.
"""

import re
from html.entities import html5
from typing import Any

from lxml import etree

from appliance.epub.archive import MAX_MARKUP
from appliance.epub.document import XHTML, parse_document, with_known_entities
from appliance.epub.errors import MalformedMarkup, TooLarge
from appliance.epub.markup import local_name, parse_xml
from appliance.kepub.html_rules import Restructured
from appliance.kepub.numbering import TAG, end_of, name_of, spans_of
from appliance.kepub.restructured import spans_of_restructured
from appliance.kepub.serialise import xhtml

_STYLE = '<style type="text/css" class="kobostylehacks">div#book-inner { margin-top: 0; margin-bottom: 0;}</style>'
_OUTER = '<div id="book-columns"><div id="book-inner">'
_OUTER_END = "</div></div>"

_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]*>", re.IGNORECASE)
_SUBSET = re.compile(r"<!DOCTYPE[^>\[]*\[", re.IGNORECASE)
_DECLARED_ENCODING = re.compile(r"""(<\?xml[^>]*?encoding\s*=\s*)(["'])[^"']*\2""")
_META_CHARSET = re.compile(r"""(charset\s*=\s*["']?)[A-Za-z0-9._:-]+""", re.IGNORECASE)
_DRM_META = re.compile(r"""\bname\s*=\s*["']Adept\.""", re.IGNORECASE)
_SELF_CLOSED = re.compile(rb"<(a|p|div|span|title|script)(\s[^<>]*[\s\"'])?/>", re.IGNORECASE)
_ENTITY = re.compile(rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->|&([A-Za-z][A-Za-z0-9]{1,31});", re.DOTALL)


class NoBody(MalformedMarkup):
    """The document has no `body` to put spans into."""


def kepub_document(data: bytes) -> bytes | None:
    """The document with wrappers and spans; `None` when it has both already (or is no HTML) and stays as it is.

    Raises `TooLarge` or `MalformedMarkup`.
    """
    source, root = _well_formed(data)
    if local_name(root) != "html":
        return None
    parts = TAG.split(source)
    body = _find_body(parts)
    if body is None:
        raise NoBody("The document has no body.")
    spanned = "koboSpan" in source and _has_spans(root)
    columned = "book-columns" in source and _has_wrappers(root)
    del root  # for a long novel in one document it is tens of megabytes
    first, last = body + 1, _end(parts, body)
    edits = [] if spanned else _spans(parts, first, last - 1, source)
    if columned and not edits:
        return None
    for index, text in edits:
        parts[index] = text
    if not columned:
        parts[body] += _OUTER
        parts[last] = _OUTER_END + parts[last]
    _edit_head(parts, body)
    result = "".join(parts).encode()
    # A document at the limits of depth or size may be over them now; positions could not read it.
    parse_xml(result, "The converted document")
    return result


def _spans(parts: list[str], first: int, last: int, source: str) -> list[tuple[int, str]]:
    try:
        return spans_of(parts, first, last)
    except Restructured:
        doctype = _DOCTYPE.search(source)
        try:
            return spans_of_restructured(parts, first, last, doctype.group() if doctype else "")
        except TooLarge:
            # Better other numbers than kepubify's than no spans at all.
            return spans_of(parts, first, last, strict=False)


def _well_formed(data: bytes) -> tuple[str, Any]:
    """The document's source as well-formed XML with LF line ends, and its root element."""
    if len(data) > MAX_MARKUP:
        raise TooLarge(f"A document of {len(data):,} bytes; {MAX_MARKUP:,} is the most.")
    for repair in (with_known_entities, _with_entities):
        try:
            root = parse_xml(repair(data), "The document")
            break
        except MalformedMarkup:
            continue
    else:
        # kepubify reads these as empty elements in any document (kepub.md 3.2).
        root = parse_document(_SELF_CLOSED.sub(rb"<\1\2></\1>", data), "text/html").root
        return xhtml(root), root
    encoding = root.getroottree().docinfo.encoding or "utf-8"
    source = data.decode(encoding, "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if _SUBSET.search(source[:65536]):
        # Entities that the document declares itself: libxml2 has put them in, within its limits.
        source = "<!DOCTYPE html>\n" + etree.tostring(root, encoding="unicode", with_tail=False)
    if not etree.QName(root).namespace and local_name(root) == "html":
        source = re.sub(r"<html\b", f'<html xmlns="{XHTML}"', source, count=1)
    return source, root


def _with_entities(data: bytes) -> bytes:
    """Character references for the named ones of HTML, whatever the doctype says."""

    def replace(match: re.Match[bytes]) -> bytes:
        name = match.group(1)
        known = html5.get(name.decode() + ";") if name else None
        return "".join(f"&#{ord(c)};" for c in known).encode() if known and known not in "&<>\"'" else match.group()

    return _ENTITY.sub(replace, data)


def _find_body(parts: list[str]) -> int | None:
    """Index of the body's start tag."""
    tags = range(1, len(parts), 2)
    return next((at for at in tags if parts[at].startswith("<body") and name_of(parts[at]) == "body"), None)


def _end(parts: list[str], body: int) -> int:
    """Index of the body's end tag. `<body/>` is opened first."""
    if parts[body][-2] == "/":
        parts[body] = parts[body][:-2].rstrip() + ">"
        parts[body + 1 : body + 1] = ["", "</body>"]
        return body + 2
    return end_of(parts, body)


def _edit_head(parts: list[str], body: int) -> None:
    """UTF-8 declared everywhere, Kobo's style, no DRM remnants."""
    styled = False
    for at in range(1, body, 2):
        tag = parts[at]
        styled = styled or "kobostylehacks" in tag
        if tag.startswith("<?xml "):
            parts[at] = _DECLARED_ENCODING.sub(r"\1\2utf-8\2", tag)
            continue
        if tag[1] in "!?":
            continue
        name = name_of(tag)
        if name == "meta":
            parts[at] = "" if _DRM_META.search(tag) and tag[-2] == "/" else _META_CHARSET.sub(r"\1utf-8", tag)
        elif name == "head" and tag[1] == "/" and not styled:
            parts[at], styled = _STYLE + tag, True
        elif name == "head" and tag[-2] == "/":
            parts[at], styled = f"{tag[:-2].rstrip()}>{_STYLE}</head>", True
    if not styled:
        parts[body] = f"<head>{_STYLE}</head>{parts[body]}"


def _has_spans(root: Any) -> bool:
    return any(
        "koboSpan" in (element.get("class") or "").split()
        for body in root
        if local_name(body) == "body"
        for element in body.iterdescendants(etree.Element)
    )


def _has_wrappers(root: Any) -> bool:
    return any(
        inner.get("id") == "book-inner"
        for body in root
        if local_name(body) == "body"
        for outer in body.iterchildren(etree.Element)
        if outer.get("id") == "book-columns"
        for inner in outer.iterchildren(etree.Element)
    )
