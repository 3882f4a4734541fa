"""Content documents as the web reader gets them: canonical, so that the browser's tree is the server's by construction,
and neutralised, so that no script of a book runs and nothing is loaded from outside the book.

Elements are renamed in place and never added or removed below the root, because every position counts them
(docs/reference/positions.md B.2). Comments and processing instructions go: no position counts those, and they split
text. The page's Content-Security-Policy is the second layer.
"""

import re
from typing import Any

from lxml import etree

from appliance.epub.document import SVG, XHTML, parse_document
from appliance.epub.markup import local_name, parse_xml
from webreader.addresses import Addresses, scheme
from webreader.style_sheets import neutral_css

WRAPPED = "data-bookwake-wrapped"
"""On the root of a page made for a document that is no XHTML page: its real root is the only element of the body."""

_HIDDEN = "display:none!important"

# What an element becomes. Those whose text readers show (positions count it) stay visible.
_INERT = {
    "applet": "span",
    "button": "span",
    "datalist": "span",
    "dialog": "div",
    "form": "div",
    "frame": "span",
    "frameset": "div",
    "isindex": "span",
    "keygen": "span",
    "noscript": "div",
    "object": "span",
    "optgroup": "span",
    "option": "span",
    "output": "span",
    "portal": "span",
    "fencedframe": "span",
    "select": "span",
    "slot": "span",
    "textarea": "span",
}
# What nobody is meant to see.
_INERT_HIDDEN = {
    "base": "span",
    "bgsound": "span",
    "command": "span",
    "embed": "span",
    "iframe": "span",
    "input": "span",
    "param": "span",
    "script": "span",
    "template": "span",
}
_INERT_SVG = {"animate", "animatecolor", "discard", "handler", "listener", "script", "set"}

_DROPPED_ATTRIBUTES = {
    *("action", "allow", "archive", "async", "attributionsrc", "autofocus", "autoplay", "background", "cite"),
    *("classid", "code", "codebase", "command", "commandfor", "contenteditable", "crossorigin", "data", "defer"),
    *("download", "dynsrc", "form", "formaction", "formmethod", "formtarget", "http-equiv", "icon", "imagesrcset"),
    *("integrity", "is", "loading", "longdesc", "lowsrc", "manifest", "method", "nonce", "ping", "popover"),
    *("popovertarget", "profile", "referrerpolicy", "sandbox", "shadowrootmode", "slot", "srcdoc", "srcset"),
    *("target", "tabindex", "accesskey", "altimg", "base", "fetchpriority"),
}
_ADDRESS_ATTRIBUTES = {"href", "src", "poster"}
_RESOURCES = {
    "img": {"src"},
    "image": {"href"},
    "feimage": {"href"},
    "audio": {"src"},
    "video": {"src", "poster"},
    "source": {"src"},
    "track": {"src"},
    "link": {"href"},
}
_LINKS = {"a", "area"}
_NAMED = {"a", "map", "meta"}  # elsewhere a name could stand for a property of the document
_SCRIPT_SCHEMES = {"javascript:", "vbscript:", "livescript:", "mocha:"}


def canonical_document(data: bytes, media_type: str, addresses: Addresses) -> bytes:
    """A content document as UTF-8 XHTML, to be served as `application/xhtml+xml` whatever it was.

    Raises `TooLarge` or `MalformedMarkup`.
    """
    document = parse_document(data, media_type)
    root = document.root
    neutralise(root, addresses)
    if root.tag != f"{{{XHTML}}}html" or document.body is None:
        root = _wrap(root)
    return etree.tostring(root, encoding="utf-8", xml_declaration=False, with_tail=False)


def neutral_image(data: bytes, addresses: Addresses) -> bytes:
    """An SVG picture without script. Raises `MalformedMarkup`."""
    root = parse_xml(data, "The picture")
    neutralise(root, addresses)
    return etree.tostring(root, encoding="utf-8", xml_declaration=False, with_tail=False)


def neutralise(root: Any, addresses: Addresses) -> None:
    """Make a tree harmless in place. The number, order and nesting of elements and the visible text stay."""
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    for element in root.iter(etree.Element):
        name = local_name(element).lower()
        _neutralise_attributes(element, name, addresses)
        _neutralise_element(element, name, addresses)
        # A lone carriage return would not survive being parsed again; white space is no ink, and the length stays.
        for part in ("text", "tail"):
            text = getattr(element, part)
            if text and "\r" in text:
                setattr(element, part, text.replace("\r", " "))


def _neutralise_element(element: Any, name: str, addresses: Addresses) -> None:
    if name == "style":
        # A style sheet in pieces could mean something that none of its pieces does.
        element.text = neutral_css(element.text or "", addresses.resource) if len(element) == 0 else None
        for child in element:
            child.tail = None
    elif name in _INERT_SVG and (name != "script" or element.tag.startswith(f"{{{SVG}}}")):
        element.tag = f"{{{SVG}}}g"
        _hide(element)
        _empty(element)
    elif name in _INERT:
        element.tag = f"{{{XHTML}}}{_INERT[name]}"
    elif name in _INERT_HIDDEN:
        element.tag = f"{{{XHTML}}}{_INERT_HIDDEN[name]}"
        _hide(element)
        if name == "script":
            _empty(element)
    elif name == "details":
        element.set("open", "")  # what is folded away has no place on a page
    elif name in ("audio", "video"):
        element.set("controls", "")
        element.set("preload", "none")


def _neutralise_attributes(element: Any, name: str, addresses: Addresses) -> None:
    is_xhtml = element.tag.startswith(f"{{{XHTML}}}")
    rel = (element.get("rel") or "").lower().split()
    if name == "meta" and element.get("http-equiv") is not None:
        element.attrib.clear()
    if name == "img" and not element.get("src") and (candidates := (element.get("srcset") or "").split()):
        element.set("src", candidates[0].rstrip(","))
    for key in list(element.attrib):
        attribute = (key.rpartition("}")[2] if isinstance(key, str) else "").lower()
        value = element.attrib[key]
        if attribute in _ADDRESS_ATTRIBUTES:
            target = _target(name, attribute, value, rel, addresses)
            _put(element, key, target)
        elif (
            attribute.startswith("on")
            or attribute in _DROPPED_ATTRIBUTES
            or (attribute == "name" and name not in _NAMED)
            or scheme(value) in _SCRIPT_SCHEMES
        ):
            del element.attrib[key]
        elif attribute == "style" or (not is_xhtml and ("url" in value.lower() or "\\" in value)):
            # In SVG many attributes are style properties.
            _put(element, key, neutral_css(value, addresses.resource))


def _target(name: str, attribute: str, value: str, rel: list[str], addresses: Addresses) -> str | None:
    """What an attribute that holds an address becomes, `None` when it goes."""
    if attribute == "href" and name in _LINKS:
        return addresses.link(value)
    if name == "link" and "stylesheet" not in rel:
        return None
    if attribute in _RESOURCES.get(name, ()):
        return addresses.resource(value)
    return value.strip() if attribute == "href" and value.strip().startswith("#") else None


def _put(element: Any, key: str, value: str | None) -> None:
    if value is None:
        del element.attrib[key]
    else:
        element.set(key, value)


def _hide(element: Any) -> None:
    identifier = element.get("id")
    element.attrib.clear()
    if identifier is not None:
        element.set("id", identifier)
    element.set("style", _HIDDEN)


def _empty(element: Any) -> None:
    """Take the text out and leave the elements."""
    element.text = None
    for child in element.iterdescendants():
        child.text = child.tail = None


def _wrap(root: Any) -> Any:
    """A page around a root that is none (an SVG, foreign XML, a page without a body)."""
    page = etree.Element(f"{{{XHTML}}}html")
    page.set(WRAPPED, "")
    head = etree.SubElement(page, f"{{{XHTML}}}head")
    if box := re.fullmatch(r"\s*\S+[\s,]+\S+[\s,]+([\d.]+)[\s,]+([\d.]+)\s*", root.get("viewBox") or ""):
        # The size of a page of a fixed layout.
        etree.SubElement(head, f"{{{XHTML}}}meta", name="viewport", content=f"width={box[1]}, height={box[2]}")
    body = etree.SubElement(page, f"{{{XHTML}}}body")
    root.tail = None
    body.append(root)
    return page
