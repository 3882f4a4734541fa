"""The nodes of a document as KOReader's engine keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Self

from appliance.positions.crengine.styles import Style

ROOT_STYLE = Style("block", False, "normal")


@lru_cache(maxsize=1024)
def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


class TextNode:
    """A text node. `first`, `last`: canonical characters before it and before its end; `nth`, `only`: its `text()[n]`,
    and whether it is the only one of its parent; `blank`: nothing but white space."""

    __slots__ = ("blank", "first", "last", "nth", "only", "parent", "text")

    def __init__(self, parent: Node, text: str, first: int, last: int) -> None:
        self.parent = parent
        self.text = text
        self.first = first
        self.last = last
        self.blank = not text.strip(" \t\n\r")
        self.nth = 1
        self.only = True


class Node:
    """An element, in the shape that cssselect2's compiled selectors look at. Made as the last child of `parent` so far,
    in whose `children` the caller puts it. `tail`: its last element child. `mixed`: a child is not laid out inline."""

    __slots__ = (
        "attributes",
        "children",
        "first",
        "hidden",
        "index",
        "last",
        "lineage",
        "mixed",
        "name",
        "nth",
        "only",
        "parent",
        "previous",
        "style",
        "tail",
    )

    in_html_document = True

    def __init__(self, name: str, attributes: Mapping[str, str], parent: Node | None, first: int) -> None:
        self.name = name
        self.attributes = attributes
        self.parent = parent
        self.children: list[Child] = []
        self.first = first
        self.last = first
        self.style = ROOT_STYLE
        self.hidden = False
        self.nth = 1
        self.only = True
        self.index = 0
        self.lineage = 0
        self.mixed = False
        self.tail: Node | None = None
        self.previous: Node | None = None
        if parent is not None:
            self.previous = parent.tail
            if self.previous is not None:
                self.index = self.previous.index + 1
            parent.tail = self

    @property
    def elements(self) -> list[Node]:
        """Element children."""
        return [child for child in self.children if isinstance(child, Node)]

    # What selectors ask for.

    @property
    def local_name(self) -> str:
        return self.name

    @property
    def tag(self) -> str:
        return self.name

    @property
    def etree_element(self) -> Self:
        return self

    @property
    def attrib(self) -> Mapping[str, str]:
        return self.attributes

    def get(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    @property
    def id(self) -> str | None:
        return self.attributes.get("id")

    @property
    def classes(self) -> tuple[str, ...]:
        return _words(self.attributes.get("class", ""))

    @property
    def lang(self) -> str:
        node: Node | None = self
        while node is not None:
            if "lang" in node.attributes:
                return node.attributes["lang"].lower()
            node = node.parent
        return ""

    @property
    def ancestors(self) -> Iterator[Node]:
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    @property
    def previous_siblings(self) -> Iterator[Node]:
        node = self.previous
        while node is not None:
            yield node
            node = node.previous

    @property
    def etree_siblings(self) -> list[Node]:
        return [self] if self.parent is None else self.parent.elements

    @property
    def etree_children(self) -> list[Node]:
        return self.elements

    @property
    def text(self) -> str:
        first = self.children[0] if self.children else None
        return first.text if isinstance(first, TextNode) else ""

    def iter_children(self) -> Iterator[Node]:
        return iter(self.elements)

    def iter_siblings(self) -> Iterator[Node]:
        return iter(self.etree_siblings)

    def iter_next_siblings(self) -> Iterator[Node]:
        return iter(self.etree_siblings[self.index + 1 :])

    def iter_subtree(self) -> Iterator[Node]:
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack += reversed(node.elements)


Child = Node | TextNode
