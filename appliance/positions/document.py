"""The index of one content document: elements, text chunks and koboSpans, each with its canonical characters.

Built in one pass over the DOM of docs/reference/positions.md B.1 (`appliance.epub.document`). It serves the CFI and
Kobo dialects; KOReader sees another tree (`crengine`).
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from typing import Any

from appliance.epub.document import Document
from appliance.epub.markup import local_name
from appliance.positions.canonical import ATOM, ATOMS, OPEN_ATOMS, SILENT
from appliance.positions.ink import ink, ink_length

KOBO_SPAN = re.compile(r"kobo\.\d+\.\d+")

# Where a paragraph starts, for places that are only roughly known. Not a rendering model.
_BLOCKS = frozenset(
    "address article aside blockquote caption dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4"
    " h5 h6 header hgroup hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)


class Element:
    """An element of the document.

    `first`, `last`: canonical characters before it and before its end. `children`: element children; the k-th has CFI
    step 2k. `chunks`: character data by odd CFI step, only where there is any.
    """

    __slots__ = ("children", "chunks", "first", "id", "last", "name", "parent", "step")

    def __init__(self, name: str, identifier: str | None, parent: "Element | None", step: int, first: int) -> None:
        self.name = name
        self.id = identifier
        self.parent = parent
        self.step = step
        self.first = first
        self.last = first
        self.children: list[Element] = []
        self.chunks: dict[int, Chunk] = {}

    def texts(self) -> Iterator["Chunk"]:
        """All chunks below this element, in document order."""
        stack: list[Iterator[Element | Chunk]] = [self._parts()]
        while stack:
            for part in stack[-1]:
                if isinstance(part, Chunk):
                    yield part
                else:
                    stack.append(part._parts())
                    break
            else:
                stack.pop()

    def _parts(self) -> "Iterator[Element | Chunk]":
        for number, child in enumerate(self.children):
            chunk = self.chunks.get(2 * number + 1)
            if chunk is not None:
                yield chunk
            yield child
        chunk = self.chunks.get(2 * len(self.children) + 1)
        if chunk is not None:
            yield chunk


class Chunk:
    """The character data between two element tags (one odd step of a CFI), as written, comments left out."""

    __slots__ = ("first", "last", "parent", "step", "text")

    def __init__(self, parent: Element, step: int, text: str, first: int, last: int) -> None:
        self.parent = parent
        self.step = step
        self.text = text
        self.first = first
        self.last = last


class DocumentIndex:
    """Everything CFI and Kobo positions need to know of one document.

    `root`: the root element; `body`: the element that holds the text. `text`: the canonical text. `chunks`: those that
    have canonical characters, in order. `atoms`: element by canonical index. `spans`: koboSpans in document order.
    `blocks`: canonical index of each place where a block begins or ends, increasing, starting with 0.
    """

    __slots__ = (
        "_firsts",
        "_span_firsts",
        "atoms",
        "blocks",
        "body",
        "chunks",
        "ids",
        "mode",
        "root",
        "span_by_id",
        "spans",
        "text",
    )

    def __init__(self, document: Document) -> None:
        self.mode = document.mode
        self.ids: dict[str, Element] = {}
        self.chunks: list[Chunk] = []
        self.atoms: dict[int, Element] = {}
        self.spans: list[Element] = []
        self.blocks: list[int] = [0]
        self.root, self.body = self._frame(document)
        self.text = ""
        if document.body is not None:
            self._read(document.body)
        if self.root is not self.body:
            for sibling in self.root.children[self.root.children.index(self.body) + 1 :]:
                sibling.first = sibling.last = len(self.text)
            self.root.last = len(self.text)
        self._firsts = [chunk.first for chunk in self.chunks]
        # Some converters give an id twice; only the first span of an id can be named.
        self.span_by_id: dict[str, Element] = {}
        for span in self.spans:
            self.span_by_id.setdefault(span.id or "", span)
        self.spans = list(self.span_by_id.values())
        self._span_firsts = [span.first for span in self.spans]

    @property
    def length(self) -> int:
        """Canonical characters of the document."""
        return len(self.text)

    @property
    def digest(self) -> str:
        """128-bit hash of the canonical text, hex."""
        return digest(self.text)

    def chunk_at(self, k: int) -> Chunk | None:
        """The chunk that holds canonical character k; `None` if that is an atom or beyond the end."""
        at = bisect_right(self._firsts, k) - 1
        return self.chunks[at] if at >= 0 and k < self.chunks[at].last else None

    def chunks_from(self, k: int) -> Iterator[Chunk]:
        """The chunks with ink that end behind canonical character k, in order."""
        at = max(bisect_right(self._firsts, k) - 1, 0)
        return (chunk for chunk in islice(self.chunks, at, None) if chunk.last > k)

    def block_start(self, k: int) -> int:
        """The last block border at or before k."""
        return self.blocks[bisect_right(self.blocks, k) - 1]

    def block_end(self, k: int) -> int:
        """The first block border at or after k; the end of the document if there is none."""
        at = bisect_left(self.blocks, k)
        return self.blocks[at] if at < len(self.blocks) else self.length

    def span_at(self, k: int) -> Element | None:
        """The koboSpan that holds canonical character k (the innermost)."""
        at = bisect_right(self._span_firsts, k) - 1
        if at < 0:
            return None
        span: Element | None = self.spans[at]
        while span is not None and not (span.first <= k < span.last and self.span_by_id.get(span.id or "") is span):
            span = span.parent
        return span

    def span_after(self, k: int) -> Element | None:
        """The first koboSpan with ink that starts at or after k."""
        for span in self.spans[bisect_right(self._span_firsts, k - 1) :]:
            if span.last > span.first:
                return span
        return None

    def span_before(self, k: int) -> Element | None:
        """The last koboSpan with ink that ends at or before k."""
        for span in reversed(self.spans[: bisect_right(self._span_firsts, k)]):
            if span.first < span.last <= k:
                return span
        return None

    def _frame(self, document: Document) -> tuple[Element, Element]:
        """Root and body; the root's other children are kept closed, so that steps into `head` still resolve."""
        root = Element(local_name(document.root), document.root.get("id"), None, 0, 0)
        if document.body is document.root:
            return root, root
        body = None
        for source in document.root:
            if isinstance(source.tag, str):
                child = Element(local_name(source), source.get("id"), root, 2 * len(root.children) + 2, 0)
                root.children.append(child)
                if source is document.body:
                    body = child
        if body is None:
            body = Element("body", None, root, 2 * len(root.children) + 2, 0)
            root.children.append(body)
        return root, body

    def _read(self, source: Any) -> None:
        pieces: list[str] = []
        names: dict[str, str] = {}
        k = 0
        blocks = self.blocks
        current = self.body
        if current.id:
            self.ids.setdefault(current.id, current)
        # In an SVG document the drawing is the text, not an atom in one.
        closed = ATOMS - OPEN_ATOMS - {current.name}
        children = iter(source)
        pending = source.text or ""
        stack: list[tuple[Element, Any, str]] = []
        while True:
            for child in children:
                tag = child.tag
                if not isinstance(tag, str):  # a comment or processing instruction splits nothing here
                    pending += child.tail or ""
                    continue
                if pending:
                    k = self._add(current, pending, k, pieces)
                name = names.get(tag)
                if name is None:
                    name = names[tag] = tag.rpartition("}")[2]
                identifier = child.get("id")
                element = Element(name, identifier, current, 2 * len(current.children) + 2, k)
                current.children.append(element)
                if identifier is not None:
                    self.ids.setdefault(identifier, element)
                    if name == "span" and KOBO_SPAN.fullmatch(identifier):
                        self.spans.append(element)
                if name in OPEN_ATOMS or name in closed:
                    self.atoms[k] = element
                    pieces.append(ATOM)
                    k += 1
                    element.last = k
                if name not in closed and name not in SILENT:
                    if name in _BLOCKS and blocks[-1] != k:
                        blocks.append(k)
                    if len(child):
                        stack.append((current, children, child.tail or ""))
                        current, children, pending = element, iter(child), child.text or ""
                        break
                    if child.text:
                        k = self._add(element, child.text, k, pieces)
                        element.last = k
                        if name in _BLOCKS and blocks[-1] != k:
                            blocks.append(k)
                pending = child.tail or ""
            else:
                if pending:
                    k = self._add(current, pending, k, pieces)
                current.last = k
                if not stack:
                    break
                if current.name in _BLOCKS and blocks[-1] != k:
                    blocks.append(k)
                current, children, pending = stack.pop()
        self.text = ink("".join(pieces))

    def _add(self, parent: Element, text: str, k: int, pieces: list[str]) -> int:
        last = k + ink_length(text)
        step = 2 * len(parent.children) + 1
        chunk = Chunk(parent, step, text, k, last)
        parent.chunks[step] = chunk
        if last > k:
            self.chunks.append(chunk)
            pieces.append(text)
        return last


def digest(text: str) -> str:
    """128-bit hash of canonical text, hex."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
