"""One content document as the tree that every other part agrees on (docs/reference/positions.md B.1).

A browser reads `application/xhtml+xml` as strict XML, and falls back to the HTML algorithm when that fails. KEPUB
conversion, positions and the pages served to the web reader all start from the tree made here.
"""

import re
from dataclasses import dataclass, field
from html.entities import html5
from typing import Any, Literal

from lxml import etree

from appliance.epub.archive import MAX_MARKUP
from appliance.epub.errors import MalformedMarkup, TooLarge
from appliance.epub.markup import local_name, parse_xml

XHTML = "http://www.w3.org/1999/xhtml"
SVG = "http://www.w3.org/2000/svg"
MARKUP_TYPES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"})

# The HTML algorithm runs in Python, some 40 times slower than libxml2; this bounds the time of a hostile file.
MAX_HTML = 4 * 1024 * 1024  # bytes

# With these public ids browsers know the HTML entities in XML too (positions.md B.1).
_ENTITY_DOCTYPE = re.compile(
    rb"<!DOCTYPE[^>\[]*-//W3C//DTD\s+(?:XHTML\s+1\.0\s+(?:Strict|Transitional|Frameset)|XHTML\s+1\.1"
    rb"(?:\s+plus\s+MathML\s+2\.0(?:\s+plus\s+SVG\s+1\.1)?)?|XHTML\s+Basic\s+1\.0|MathML\s+2\.0)//EN"
    rb"|<!DOCTYPE[^>\[]*-//WAPFORUM//DTD\s+XHTML\s+Mobile\s+1\.0//EN",
    re.IGNORECASE,
)
_ENTITY = re.compile(rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->|&([A-Za-z][A-Za-z0-9]{1,31});", re.DOTALL)
_PREDEFINED = {b"amp", b"lt", b"gt", b"quot", b"apos"}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed content document.

    `root`: the root element (lxml). `body`: the element that holds the text: `body`, or the root of an SVG or foreign
    document; `None` when there is none. `mode`: which algorithm built the tree.
    """

    root: Any = field(repr=False)
    body: Any = field(repr=False)
    mode: Literal["xml", "html"]


def parse_document(data: bytes, media_type: str) -> Document:
    """Parse a content document as a browser would.

    Raises `TooLarge` or `MalformedMarkup` (a broken XML document that is not XHTML has no fallback).
    """
    if len(data) > MAX_MARKUP:
        raise TooLarge(f"A document of {len(data):,} bytes; {MAX_MARKUP:,} is the most.")
    if media_type != "text/html":
        try:
            root = parse_xml(with_known_entities(data), "The document")
        except MalformedMarkup:
            if media_type not in MARKUP_TYPES:
                raise
        else:
            # XHTML whose root has no namespace would show as bare XML, so readers take the HTML algorithm.
            if media_type != "application/xhtml+xml" or etree.QName(root).namespace:
                return Document(root, _body(root), "xml")
    root = _parse_html(data)
    return Document(root, _body(root), "html")


def with_known_entities(data: bytes) -> bytes:
    """Replace named HTML entities by character references where the doctype lets a browser know them."""
    if not _ENTITY_DOCTYPE.search(data[:2048]):
        return data

    def replace(match: re.Match[bytes]) -> bytes:
        name = match.group(1)
        if name is None or name in _PREDEFINED:
            return match.group(0)
        characters = html5.get(name.decode() + ";")
        return match.group(0) if characters is None else "".join(f"&#{ord(c)};" for c in characters).encode()

    return _ENTITY.sub(replace, data)


def _parse_html(data: bytes) -> Any:
    if len(data) > MAX_HTML:
        raise TooLarge(f"A document of {len(data):,} bytes that is not well-formed; {MAX_HTML:,} is the most.")
    from appliance.epub.html import parse_html  # needed for 1 in 100 real documents, and takes 10 MB

    # Unlike in XML, the declared encoding is only in the XML declaration or a meta element here.
    declared = re.match(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""", data[:256])
    return parse_html(_without_controls(data), declared=declared.group(1).decode() if declared else None)


def _without_controls(data: bytes) -> bytes:
    """Control characters, also as references, cannot be held by an XML tree; browsers show nothing for them."""
    if b"\0" in data[:4]:
        return data  # UTF-16
    data = re.sub(rb"[\x00-\x08\x0b\x0e-\x1f]", b"", data)
    return re.sub(rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]));", b"", data, flags=re.IGNORECASE)


def _body(root: Any) -> Any:
    if local_name(root) != "html":
        return root
    return next((child for child in root if local_name(child) == "body"), None)
