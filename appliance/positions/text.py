"""The canonical text of a document without its index: some five times as fast, for counting and hashing whole books."""

from lxml import etree

from appliance.epub.document import Document
from appliance.epub.markup import local_name
from appliance.positions.canonical import ATOM, ATOMS, OPEN_ATOMS, SILENT
from appliance.positions.ink import ink

_STRING = etree.XPath("string()", smart_strings=False)
_CLOSED_TAGS = [f"{{*}}{name}" for name in ATOMS - OPEN_ATOMS]
_OPEN_TAGS = [f"{{*}}{name}" for name in OPEN_ATOMS]
_SILENT_TAGS = [f"{{*}}{name}" for name in SILENT]


def canonical_text(document: Document) -> str:
    """The same as `DocumentIndex(document).text`. Takes the document apart: build the index first if it is needed."""
    body = document.body
    if body is None:
        return ""
    for element in list(body.iterdescendants(*_OPEN_TAGS)):
        element.text = ATOM + (element.text or "")
    own = local_name(body)  # in an SVG document the drawing is the text
    for element in list(body.iterdescendants(*_CLOSED_TAGS)):
        if local_name(element) != own:
            element.clear(keep_tail=True)
            element.text = ATOM
    for element in list(body.iterdescendants(*_SILENT_TAGS)):
        element.clear(keep_tail=True)
    return ink(str(_STRING(body)))
