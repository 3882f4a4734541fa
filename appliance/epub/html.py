"""The HTML algorithm within bounds, for markup that is not well-formed.

html5lib follows the HTML standard to the letter, but its own trees take quadratic time: for texts with many references,
and for what stands wrongly in tables. This tree is made of plain lists and becomes lxml's at the end. What the standard
itself lets grow without bound (depth, and elements that are opened again and again) is counted.
"""

import warnings
from collections.abc import Iterator
from typing import Any

from html5lib import HTMLParser
from html5lib._ihatexml import InfosetFilter
from html5lib._tokenizer import HTMLTokenizer
from html5lib.constants import _ReparseException
from html5lib.treebuilders import base
from lxml import etree

from appliance.epub.errors import MalformedMarkup, TooLarge

MAX_DEPTH = 512  # as in browsers, which flatten what is deeper
MAX_ELEMENTS = 150_000
MAX_ATTRIBUTES = 500  # of one tag; html5lib compares each with all before it

_XMLNS = "http://www.w3.org/2000/xmlns/"


def parse_html(source: str | bytes, *, declared: str | None = None, scripting: bool = False) -> Any:
    """The root element (lxml, with namespaces) that a browser would build.

    `declared`: the encoding to try first for bytes. `scripting`: the content of `noscript` is raw text. Names that XML
    cannot hold are written as html5lib does (`o:p` → `oU0003Ap`). Raises `TooLarge`, `MalformedMarkup`.
    """
    parser = _Parser(tree=_TreeBuilder, namespaceHTMLElements=True)
    encodings: dict[str, str] = {}
    if isinstance(source, bytes):
        encodings = {"likely_encoding": declared or "utf-8", "default_encoding": "utf-8"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names that XML cannot hold are renamed; that is what we want
            return parser.parse(source, scripting=scripting, **encodings)
    except (ValueError, RecursionError, LookupError) as error:
        raise MalformedMarkup(f"The document cannot be read, neither as XML nor as HTML: {error}.") from None


class _Tokenizer(HTMLTokenizer):
    def attributeNameState(self) -> Any:
        if self.currentToken is not None and len(self.currentToken["data"]) > MAX_ATTRIBUTES:
            raise TooLarge(f"A tag has more than {MAX_ATTRIBUTES} attributes.")
        return super().attributeNameState()


class _Parser(HTMLParser):
    def _parse(
        self, stream: Any, innerHTML: bool = False, container: str = "div", scripting: bool = False, **kwargs: Any
    ) -> None:
        """As in html5lib, with the tokenizer above."""
        self.innerHTMLMode = innerHTML
        self.container = container
        self.scripting = scripting
        self.tokenizer = _Tokenizer(stream, parser=self, **kwargs)
        self.reset()
        try:
            self.mainLoop()
        except _ReparseException:  # a meta element names another encoding
            self.reset()
            self.mainLoop()


class _Text:
    """A text node; its pieces are joined once."""

    __slots__ = ("parent", "pieces")

    def __init__(self, data: str) -> None:
        self.pieces = [data]
        self.parent: Any = None


class _Node(base.Node):
    """An element, the document, or a comment (`name` is `None`, `data` its text)."""

    def __init__(self, name: str | None, namespace: str | None = None) -> None:
        self.name: Any = name
        self.namespace = namespace
        self.nameTuple = (namespace, name)
        self.parent: Any = None
        self.attributes: dict[Any, str] = {}
        self.childNodes: list[Any] = []
        self.data = ""

    def appendChild(self, node: Any) -> None:
        self.childNodes.append(node)
        node.parent = self

    def insertBefore(self, node: Any, refNode: Any) -> None:
        self.childNodes.insert(self._place(refNode), node)
        node.parent = self

    def _place(self, child: Any) -> int:
        """Where a child stands. What HTML moves goes before a table that was just begun, so it is near the end."""
        for place in range(len(self.childNodes) - 1, -1, -1):
            if self.childNodes[place] is child:
                return place
        raise LookupError("not a child of this node")

    def removeChild(self, node: Any) -> None:
        self.childNodes.remove(node)
        node.parent = None

    def insertText(self, data: str, insertBefore: Any = None) -> None:
        place = len(self.childNodes) if insertBefore is None else self._place(insertBefore)
        before = self.childNodes[place - 1] if place else None
        if isinstance(before, _Text):
            before.pieces.append(data)
        else:
            self.childNodes.insert(place, _Text(data))

    def reparentChildren(self, newParent: Any) -> None:
        for child in self.childNodes:
            newParent.appendChild(child)
        self.childNodes = []

    def cloneNode(self) -> Any:
        clone = _Node(self.name, self.namespace)
        clone.attributes = dict(self.attributes)
        return clone

    def hasContent(self) -> Any:
        return bool(self.childNodes)


class _TreeBuilder(base.TreeBuilder):
    def __init__(self, namespaceHTMLElements: bool) -> None:
        self.elements = 0
        super().__init__(namespaceHTMLElements)

    def documentClass(self) -> _Node:
        return _Node(None)

    def commentClass(self, data: str) -> _Node:
        comment = _Node(None)
        comment.data = data
        return comment

    def doctypeClass(self, name: str, publicId: str, systemId: str) -> _Node:
        return self.commentClass("")

    def elementClass(self, name: str, namespace: str | None) -> _Node:
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise TooLarge(f"A document that is not well-formed, with more than {MAX_ELEMENTS:,} elements.")
        if len(self.openElements) > MAX_DEPTH:
            raise TooLarge(f"Elements are nested deeper than {MAX_DEPTH}.")
        return _Node(name, namespace)

    def getDocument(self) -> Any:
        root = next(node for node in self.document.childNodes if node.name is not None)
        return _as_lxml(root)


def _as_lxml(root: _Node) -> Any:
    names = InfosetFilter(preventDoubleDashComments=True)

    def tag(node: _Node) -> str:
        name = names.coerceElement(node.name)
        return f"{{{node.namespace}}}{name}" if node.namespace else str(name)

    def attributes(node: _Node) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in node.attributes.items():
            if not isinstance(key, tuple):
                # HTML keeps `xmlns` as a plain attribute; written out it would declare a namespace a second time.
                if key != "xmlns":
                    found[str(names.coerceAttribute(key))] = value
            elif key[2] != _XMLNS:
                found[f"{{{key[2]}}}{names.coerceAttribute(key[1])}"] = value
        return found

    made = etree.Element(tag(root), attributes(root), nsmap=_default(root.namespace))
    # Element, what is left of its children, and the child made last (asking lxml for it takes time by their number).
    open_nodes: list[tuple[Any, Iterator[Any], Any]] = [(made, iter(root.childNodes), None)]
    while open_nodes:
        parent, children, last = open_nodes.pop()
        for child in children:
            if isinstance(child, _Text):
                text = names.coerceCharacters("".join(child.pieces))
                if last is None:
                    parent.text = (parent.text or "") + text
                else:
                    last.tail = (last.tail or "") + text
            elif child.name is None:
                last = etree.Comment(names.coerceComment(child.data))
                parent.append(last)
            else:
                # Without prefixes, as in the usual XHTML.
                nsmap = _default(child.namespace) if child.namespace != parent.nsmap.get(None) else None
                last = etree.SubElement(parent, tag(child), attributes(child), nsmap=nsmap)
                open_nodes += [(parent, children, last), (last, iter(child.childNodes), None)]
                break
    return made


def _default(namespace: str | None) -> Any:
    return {None: namespace} if namespace else None
