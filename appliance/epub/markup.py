"""The only place where an XML parser is made.

Measured in the dependency study: with these options entity bombs, deep nesting and huge text nodes are refused at
once, and nothing is ever fetched. `resolve_entities=False` would silently drop text, so "internal" it is.
"""

from typing import Any

from lxml import etree

from appliance.epub.errors import MalformedMarkup


def parse_xml(data: bytes, what: str, *, recover: bool = False) -> Any:
    """The root element of an XML document. `what` names it in the error. Raises `MalformedMarkup`."""
    parser = etree.XMLParser(
        resolve_entities="internal",  # type: ignore[arg-type]  # newer than the stubs
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=recover,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedMarkup(f"{what} is not well-formed XML: {error}.") from None
    if root is None:
        raise MalformedMarkup(f"{what} holds no element.")
    return root


def local_name(element: Any) -> str:
    """Tag without namespace, as written; the empty string for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
