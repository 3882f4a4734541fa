"""A tree of the HTML parser, written as XHTML with the usual prefixes (none for HTML, SVG and MathML)."""

from html import escape
from typing import Any

from lxml import etree

from appliance.epub.document import XHTML

_XLINK = "http://www.w3.org/1999/xlink"
_XML = "http://www.w3.org/XML/1998/namespace"
_EMPTY = frozenset("area base br col embed hr img input link meta param source track wbr".split())


def xhtml(root: Any) -> str:
    """The document as text, with the HTML doctype."""
    out = ["<!DOCTYPE html>\n"]
    namespace = ""
    namespaces = []
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            name = etree.QName(node)
            own = name.namespace or XHTML
            declaration = "" if own == namespace else f' xmlns="{own}"'
            namespaces.append(namespace)
            namespace = own
            attributes = "".join(_attribute(key, value) for key, value in node.attrib.items())
            if own == XHTML and name.localname in _EMPTY:
                out.append(f"<{name.localname}{declaration}{attributes}/>")
            else:
                out.append(f"<{name.localname}{declaration}{attributes}>{escape(node.text or '', quote=False)}")
            continue
        if event == "end":
            name = etree.QName(node)
            if namespace != XHTML or name.localname not in _EMPTY:
                out.append(f"</{name.localname}>")
            namespace = namespaces.pop()
        elif event == "comment":
            # "--" may not stand in an XML comment.
            out.append(f"<!--{(node.text or '').replace('--', '- -').rstrip('-')}-->")
        if node is not root and node.tail:
            out.append(escape(node.tail, quote=False))
    return "".join(out)


def _attribute(key: str, value: str) -> str:
    name = etree.QName(key)
    quoted = escape(value, quote=True)
    if name.namespace == _XLINK:
        return f' xmlns:xlink="{_XLINK}" xlink:{name.localname}="{quoted}"'
    if name.namespace == _XML:
        return f' xml:{name.localname}="{quoted}"'
    # HTML keeps namespace declarations as plain attributes; the ones that count are written anew.
    return "" if name.localname.startswith("xmlns") else f' {name.localname}="{quoted}"'
