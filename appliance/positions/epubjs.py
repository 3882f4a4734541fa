"""The other browser dialect: CFIs as epub.js reads and writes them (docs/reference/positions.md B.2, B.4).

epub.js counts the text nodes that there are, not the gaps between elements, so its odd steps mean something else where
elements stand side by side or a comment splits a text. And it does not show the file's tree: it parses the file as XML,
writes that out and lets the browser read it as HTML, which adds `tbody`, drops CDATA and the line feed that a `pre`
begins with. The steps of its CFIs lead through that tree.
"""

import re
from itertools import pairwise
from typing import Any, NamedTuple

from lxml import etree

from appliance.epub.document import XHTML, parse_document
from appliance.epub.errors import TooLarge
from appliance.positions.alignment import Alignment, align
from appliance.positions.canonical import Position, Reason, Status
from appliance.positions.cfi import Cfi, Step
from appliance.positions.cfi_places import Name, steps_to
from appliance.positions.document import Chunk, DocumentIndex, Element
from appliance.positions.found import Found
from appliance.positions.ink import code_points, ink_end, ink_length, ink_offset, units

_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_CDATA = re.compile(rb"(<!--.*?-->|<\?.*?\?>)|<!\[CDATA\[.*?\]\]>", re.DOTALL)

# An id with one of these is cut in pieces when epub.js reads it, or ends a string of its XPath.
_UNSAFE = re.compile(r"[\^\[\](),;=:!/']|\s")


class _Text(NamedTuple):
    """A text node: `length` code points from `start` in a chunk."""

    chunk: Chunk
    start: int
    length: int


class EpubjsView:
    """One document as epub.js shows it. `find` and `point` speak of canonical characters of the file as it is."""

    def __init__(self, data: bytes, media_type: str, text: str) -> None:
        """`text`: the canonical text of the file. Raises `BookError`."""
        hidden: list[bytes] = []

        def hide(match: re.Match[bytes]) -> bytes:
            if match.group(1) is not None:
                return match.group(1)
            hidden.append(match.group(0))
            return b"<!--CDATA %d-->" % (len(hidden) - 1)

        document = parse_document(_CDATA.sub(hide, data), media_type)
        try:
            # Written out, CDATA is still CDATA, which in HTML is a comment up to the next `>`.
            html = re.sub(rb"<!--CDATA (\d+)-->", lambda match: _shown(hidden, match), _as_html(document.root))
            document = parse_document(html, "text/html")
        except TooLarge:  # it takes too long to parse; most documents are the same in XML
            pass
        self._index = DocumentIndex(document)
        self._splits: dict[Chunk, list[int]] = {}
        if document.body is not None:
            self._note_comments(document.body)
        self._alignment: Alignment | None = None if text == self._index.text else align(self._index.text, text)

    def find(self, point: Cfi, *, end: bool = False) -> Found:
        """The canonical place of a CFI, as epub.js would resolve it. `end`: the exclusive end of a range."""
        found = self._find(point.steps or (), point.offset)
        if self._alignment is not None:
            k, equal = self._alignment.to_right(found.k, before=end)
            found = found._replace(k=k)
            if not equal and found.status is Status.EXACT:
                found = found._replace(status=Status.SNAPPED, reason=Reason.DIFFERENT_TEXT)
        return found._replace(affinity="before") if end else found

    def point(self, position: Position) -> Name:
        """What epub.js would write. Where it would write a name that it cannot resolve (an image; an id with a colon),
        the nearest one that it can."""
        before = position.affinity == "before"
        k, shift = position.k, 0
        if self._alignment is not None:
            k, _ = self._alignment.to_left(k, before=before)
            back, _ = self._alignment.to_right(k, before=before)
            shift = back - k
        name = self._point(k, before)
        return name._replace(k=name.k + shift)

    def _find(self, steps: tuple[Step, ...], offset: int | None) -> Found:
        if not steps:
            return Found(0, Status.EXACT, Reason.WHOLE_DOCUMENT)
        element = self._index.root
        for number, step in enumerate(steps):
            missing = Found(element.first, Status.APPROXIMATE, Reason.NO_PLACE)
            if step.index % 2 == 0:
                if not 0 < step.index <= 2 * len(element.children):
                    return missing
                element = element.children[step.index // 2 - 1]
                # The id must be there and the number right; with one of them wrong epub.js finds nothing.
                if step.id is not None and step.id != element.id:
                    return missing
                continue
            if number < len(steps) - 1:
                return missing
            texts = self._texts(element)
            if step.index // 2 < len(texts):
                return _in_text(texts[step.index // 2], offset or 0)
            # A place between children, which epub.js writes as if it were one in a text. It cannot read it itself.
            if step.index == 1 and not texts:
                return _between(element, offset or 0)
            return missing
        return _between(element, offset or 0)

    def _point(self, k: int, before: bool) -> Name:
        index = self._index
        k = min(max(k, 0), index.length)
        if k == index.length or (before and k > 0):
            chunk = index.chunk_at(k - 1)
            if chunk is not None:
                return self._name(chunk, ink_end(chunk.text, k - chunk.first), k, before=True)
            atom = index.atoms.get(k - 1)
            if atom is not None and atom.last == k:  # else there is text in it, which follows
                return self._behind(atom, k)
        chunk = index.chunk_at(k)
        if chunk is not None:
            return self._name(chunk, ink_offset(chunk.text, k - chunk.first), k, before=False)
        atom = index.atoms.get(k)
        return Name(_path(index.body if atom is None or (before and not k) else atom), None, k)

    def _behind(self, atom: Element, k: int) -> Name:
        """The next text or element behind an atom. At the end of the document there is none, so it is the atom's own
        name."""
        element = atom
        while element is not self._index.body and element.parent is not None:
            chunk = element.parent.chunks.get(element.step + 1)
            if chunk is not None:
                return self._name(chunk, 0, k, before=False)
            if element.step < 2 * len(element.parent.children):
                return Name(_path(element.parent.children[element.step // 2]), None, k)
            element = element.parent
        return Name(_path(atom), None, k - 1)

    def _name(self, chunk: Chunk, at: int, k: int, *, before: bool) -> Name:
        texts = self._texts(chunk.parent)
        number = next(
            number
            for number, text in enumerate(texts)
            if text.chunk is chunk and (at <= text.start + text.length if before else at < text.start + text.length)
        )
        start = texts[number].start
        offset = units(chunk.text, at) - units(chunk.text, start)
        return Name((*_path(chunk.parent), Step(2 * number + 1)), offset, k)

    def _texts(self, element: Element) -> list[_Text]:
        """The text nodes of an element, in order."""
        texts = []
        for step in sorted(element.chunks):
            chunk = element.chunks[step]
            borders = [0, *self._splits.get(chunk, ()), len(chunk.text)]
            texts += [_Text(chunk, a, b - a) for a, b in pairwise(borders) if b > a]
        return texts

    def _note_comments(self, body: Any) -> None:
        """Where comments split chunks."""
        stack = [(body, self._index.body)]
        while stack:
            source, element = stack.pop()
            children = element.children
            number = 0
            length = len(source.text or "")
            for child in source:
                if isinstance(child.tag, str):
                    if number == len(children):  # an atom, which the index does not look into
                        break
                    stack.append((child, children[number]))
                    number += 1
                    length = len(child.tail or "")
                else:
                    chunk = element.chunks.get(2 * number + 1)
                    if chunk is not None:
                        self._splits.setdefault(chunk, []).append(length)
                    length += len(child.tail or "")


def _in_text(text: _Text, offset: int) -> Found:
    chunk = text.chunk
    piece = chunk.text[text.start : text.start + text.length]
    at = code_points(piece, offset)
    if at > text.length:
        end = chunk.first + ink_length(chunk.text, 0, text.start + text.length)
        return Found(end, Status.APPROXIMATE, Reason.BEYOND_END)
    return Found(chunk.first + ink_length(chunk.text, 0, text.start + at), Status.EXACT)


def _between(element: Element, offset: int) -> Found:
    if offset == 0:
        return Found(element.first, Status.EXACT)
    child = element.children[offset] if offset < len(element.children) else None
    return Found(element.last if child is None else child.first, Status.APPROXIMATE, Reason.OTHER_DIALECT)


def _path(element: Element) -> tuple[Step, ...]:
    return tuple(
        Step(step.index) if step.id is not None and _UNSAFE.search(step.id) else step for step in steps_to(element)
    )


def _shown(hidden: list[bytes], match: re.Match[bytes]) -> bytes:
    number = int(match.group(1))
    # The file may have such a comment itself.
    return hidden[number] if number < len(hidden) else match.group(0)


def _as_html(root: Any) -> bytes:
    """A tree as a browser's XMLSerializer writes it, for a parser of HTML. Changes the tree."""
    for element in root.iter(f"{{{XHTML}}}*"):
        # `<a/>` would stay open.
        if len(element) == 0 and not element.text and etree.QName(element).localname not in _VOID:
            element.text = ""
    text: bytes = etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=False)
    return b"\xef\xbb\xbf" + text
