"""What a reader selects between two locators, by walking its own document: no code of the codecs is used.

A document is laid out as one raw string; a locator is an offset into it. The text between two offsets, without what no
position counts, must be what the canonical range says.
"""

import re
from typing import Any

from appliance.epub.document import parse_document
from appliance.positions import KoboLocator
from appliance.positions.canonical import ATOM, ATOMS, OPEN_ATOMS, SILENT
from appliance.positions.crengine.nodes import Node, TextNode
from appliance.positions.crengine.tree import FragmentTree


def ink(text: str) -> str:
    """Without the characters that no position counts (positions.md C.1)."""
    return re.sub("[\t\n\f\r \ufffd]", "", text)


class Layout:
    """A document as browsers and Kobo have it.

    `raw`: all its text, U+FFFC for atoms. `chunks`: where the text of each odd step begins and ends in it. `elements`:
    where each element does. `spans`: the pieces of text in each koboSpan; `extents`: from where to where each reaches.
    """

    def __init__(self, data: bytes, media_type: str = "application/xhtml+xml") -> None:
        parsed = parse_document(data, media_type)
        self.body = parsed.body
        self._pieces: list[str] = []
        self._length = 0
        self.chunks: dict[tuple[int, ...], tuple[int, int]] = {}
        self.elements: dict[tuple[int, ...], tuple[int, int]] = {}
        self.spans: dict[str, list[tuple[int, int]]] = {}
        self.extents: dict[str, tuple[int, int]] = {}
        self._walk(parsed.root, (), [], parsed.root is parsed.body)
        self.raw = "".join(self._pieces)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _walk(self, element: Any, path: tuple[int, ...], spans: list[str], inside: bool) -> None:
        name = element.tag.rpartition("}")[2]
        begin = self._length
        if inside and name in ATOMS and element is not self.body:
            self._add(ATOM)
            inside = name in OPEN_ATOMS
        if name in SILENT:
            inside = False
        if inside and name == "span" and re.fullmatch(r"kobo\.\d+\.\d+", element.get("id") or ""):
            spans = [*spans, element.get("id")]
            self.spans.setdefault(element.get("id"), [])
        step = 1
        self._text(element.text, (*path, step), spans, inside)
        for child in element:
            if isinstance(child.tag, str):
                self._walk(child, (*path, step + 1), spans, inside or child is self.body)
                step += 2
            self._text(child.tail, (*path, step), spans, inside)
        self.elements[path] = begin, self._length
        if spans and spans[-1] == element.get("id"):
            self.extents.setdefault(spans[-1], (begin, self._length))

    def _text(self, text: str | None, path: tuple[int, ...], spans: list[str], inside: bool) -> None:
        if not inside or not text:
            return
        begin = self._length
        self._add(text)
        self.chunks[path] = self.chunks.get(path, (begin, 0))[0], self._length
        for span in spans:
            self.spans[span].append((begin, self._length))

    def of_cfi(self, text: str) -> str:
        """What a browser selects: the ink between the two ends of a range CFI in this document."""
        path = re.sub(r"\[(?:\^.|[^\]^])*\]", "", text)[len("epubcfi(") : -1].partition("!")[2]
        if "," not in path:
            return ""
        parent, start, end = path.split(",")
        return ink(self.raw[self._cfi(parent + start) : self._cfi(parent + end)])

    def _cfi(self, text: str) -> int:
        path, _, offset = text.partition(":")
        steps = tuple(int(step) for step in path.split("/")[1:])
        if steps[-1] % 2:
            first, last = self.chunks[steps]
            return first + code_points(self.raw[first:last], int(offset))
        if steps not in self.elements:
            return self.elements[steps[:-1]][1]  # the place behind the last child
        return self.elements[steps][0]

    def of_spans(self, start: KoboLocator, end: KoboLocator) -> str:
        """What a Kobo selects: the ink between two offsets into koboSpans of this document."""
        begin, stop = self._span(start, False), self._span(end, True)
        return ink(self.raw[begin : max(begin, stop)])

    def _span(self, locator: KoboLocator, end: bool) -> int:
        left = locator.offset or 0
        pieces = self.spans[locator.value]
        for number, (first, last) in enumerate(pieces):
            text = self.raw[first:last]
            length = code_points_to_units(text)
            # The end of one piece and the start of the next are the same offset.
            if left < length or (left == length and (end or number == len(pieces) - 1)):
                return first + code_points(text, left)
            left -= length
        return self.extents[locator.value][0]


def code_points(text: str, units: int) -> int:
    """Characters in the first so many UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "surrogatepass"))


def code_points_to_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Fragment:
    """A document as KOReader's engine has it: the nodes are those of `FragmentTree`, their order, names and text are
    counted here."""

    def __init__(self, tree: FragmentTree) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self.nodes: dict[str, tuple[int, int]] = {}
        self.order: list[str] = []
        self._drawing = tree.drawing
        if tree.bodies:
            self._walk(tree.bodies[0], "/body", True)
        self.raw = "".join(self._pieces)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _walk(self, node: Node | TextNode, path: str, inside: bool) -> None:
        begin = self._length
        self.order.append(path)
        if isinstance(node, TextNode):
            self._add(node.text if inside else "")
        else:
            if inside and node.name in ATOMS and not (self._drawing and node.name == "svg"):
                self._add(ATOM)
                inside = node.name in OPEN_ATOMS
            inside = inside and node.name not in SILENT
            counts: dict[str, int] = {}
            for child in node.children:
                name = "text()" if isinstance(child, TextNode) else child.name
                counts[name] = counts.get(name, 0) + 1
                self._walk(child, f"{path}/{name}[{counts[name]}]", inside)
        self.nodes[path] = begin, self._length

    def place(self, pointer: str) -> tuple[str, int]:
        """The node of a pointer, every step with its number, and the offset."""
        path, _, offset = pointer.rpartition(".")
        steps = path.split("/")[3:]
        numbered = "".join(f"/{step}" if step.endswith("]") else f"/{step}[1]" for step in steps[1:])
        return "/body" + numbered, int(offset)

    def of_pointers(self, pos0: str, pos1: str) -> str:
        """What KOReader selects, as ink."""
        (first, start), (last, end) = self.place(pos0), self.place(pos1)
        return ink(self.raw[self.nodes[first][0] + start : self.nodes[last][0] + end])

    def rank(self, pointer: str) -> tuple[int, int]:
        """A key that sorts pointers as the engine does: by node in document order, then by offset (xpointer.md 8)."""
        path, offset = self.place(pointer)
        return self.order.index(path), offset
