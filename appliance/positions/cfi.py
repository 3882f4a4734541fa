"""The browser's dialect: EPUB CFIs as foliate-js reads and writes them (docs/reference/positions.md part B).

`parse` → `Cfi` values → `find` in a document index; `point` → `str`. Only the document part is resolved here; the
package part names a spine item, which is the book's business.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from appliance.positions.canonical import ATOMS, OPEN_ATOMS, SILENT, Position, Reason, Status
from appliance.positions.document import Chunk, DocumentIndex, Element
from appliance.positions.found import Found
from appliance.positions.ink import code_points, ink_end, ink_length, ink_offset, units

MAX_LENGTH = 4096  # characters; the deepest real CFI has a few hundred
MAX_STEP = 10_000_000


class CfiSyntaxError(ValueError):
    """The text is not a CFI."""


@dataclass(frozen=True, slots=True)
class Step:
    """`/index[id]`: even indices are elements, odd ones the text between them."""

    index: int
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Cfi:
    """A point. `package`: steps in the package document; `steps`: in the content document, `None` without a `!`;
    `offset`: UTF-16 units into the last step's text."""

    package: tuple[Step, ...]
    steps: tuple[Step, ...] | None
    offset: int | None = None

    def __str__(self) -> str:
        path = _path(self.package) + ("" if self.steps is None else "!" + _path(self.steps))
        return f"epubcfi({path}{'' if self.offset is None else f':{self.offset}'})"


def is_cfi(text: str) -> bool:
    """Whether a text claims to be a CFI."""
    return text.strip().startswith("epubcfi(")


def parse(text: str) -> tuple[Cfi, Cfi | None]:
    """A point, or the start and end of a range. Raises `CfiSyntaxError`.

    Text assertions, side bias, temporal and spatial offsets are read and ignored, as foliate-js does.
    """
    if len(text) > MAX_LENGTH:
        raise CfiSyntaxError("too long")
    match = re.fullmatch(r"\s*epubcfi\((.*)\)\s*", text, re.DOTALL)
    if match is None:
        raise CfiSyntaxError("no epubcfi( … )")
    # A range has parent, start and end; with one comma it is not a CFI (positions.md A.2, row 30).
    paths = _split(match.group(1))
    if len(paths) == 1:
        return _point(paths[0]), None
    if len(paths) != 3:
        raise CfiSyntaxError("one comma")
    return _point(paths[0] + paths[1]), _point(paths[0] + paths[2])


_Token = tuple[str, str]  # kind: one of / : [ ! , ~ @ and its text
_TOKEN = re.compile(r"/(\d+)|:(\d+)|\[((?:\^.|[^\]^])*)\]|(!)|(,)|[~@][\d.:]+")


def _split(body: str) -> list[list[_Token]]:
    paths: list[list[_Token]] = [[]]
    at = 0
    while at < len(body):
        match = _TOKEN.match(body, at)
        if match is None:
            raise CfiSyntaxError(f"cannot read {body[at : at + 8]!r}")
        at = match.end()
        step, offset, assertion, bang, comma = match.groups()
        if comma:
            paths.append([])
        elif step is not None:
            paths[-1].append(("/", step))
        elif offset is not None:
            paths[-1].append((":", offset))
        elif assertion is not None:
            paths[-1].append(("[", assertion))
        elif bang:
            paths[-1].append(("!", ""))
    return paths


def _point(tokens: list[_Token]) -> Cfi:
    parts: list[list[Step]] = [[]]
    offset: int | None = None
    for kind, text in tokens:
        if kind in "/:" and len(text) > len(str(MAX_STEP)):
            raise CfiSyntaxError("number too large")
        if kind == "!":
            parts.append([])
            offset = None
        elif kind == "/":
            # A range's parent may carry an offset only by mistake: no step follows an offset.
            if offset is not None:
                raise CfiSyntaxError("a step after an offset")
            parts[-1].append(Step(int(text)))
        elif kind == ":":
            offset = int(text)
        elif parts[-1] and offset is None:
            identifier = re.split(r"(?<!\^)[;,]", text)[0]
            parts[-1][-1] = Step(parts[-1][-1].index, re.sub(r"\^(.)", r"\1", identifier) or None)
    if not parts[0]:
        raise CfiSyntaxError("no step")
    # A second `!` leads into a document inside an atom (an iframe); the atom is as far as positions go.
    return Cfi(tuple(parts[0]), tuple(parts[1]) if len(parts) > 1 else None, offset if len(parts) < 3 else None)


def _path(steps: tuple[Step, ...]) -> str:
    return "".join(f"/{step.index}" + ("" if step.id is None else f"[{_escape(step.id)}]") for step in steps)


def _escape(identifier: str) -> str:
    return re.sub(r"([\^\[\](),;=])", r"^\1", identifier)


def find(index: DocumentIndex, steps: tuple[Step, ...], offset: int | None) -> Found:
    """The canonical place of a document path, as foliate-js would resolve it (positions.md B.3)."""
    if not steps:
        return Found(0, Status.EXACT, Reason.WHOLE_DOCUMENT)
    last = steps[-1]
    if last.id is not None and last.index % 2 == 0 and last.id in index.ids:
        # The last part's id wins wherever it is; ids of inner steps are not looked at.
        return _in_element(index.ids[last.id], offset)
    element = index.root
    for number, step in enumerate(steps):
        if element.name in _CLOSED and element is not index.root and not element.children:
            return Found(element.first, Status.SNAPPED, Reason.NOT_ADDRESSABLE)
        if step.index % 2 == 0:
            if 0 < step.index <= 2 * len(element.children):
                element = element.children[step.index // 2 - 1]
                continue
            if step.index == 0 and number == len(steps) - 1:
                return Found(element.first, Status.EXACT)
            if step.index == 2 * len(element.children) + 2 and number == len(steps) - 1:
                return Found(element.last, Status.EXACT)
            return Found(element.first, Status.APPROXIMATE, Reason.NO_PLACE)
        if number < len(steps) - 1 or step.index > 2 * len(element.children) + 1:
            return Found(element.first, Status.APPROXIMATE, Reason.NO_PLACE)
        return _in_chunk(element, step.index, offset)
    return _in_element(element, offset)


_CLOSED = (ATOMS | SILENT | {"head"}) - OPEN_ATOMS


def _in_chunk(element: Element, step: int, offset: int | None) -> Found:
    chunk = element.chunks.get(step)
    if chunk is None:  # an odd step without text is a place between two elements
        k = element.children[step // 2 - 1].last if step > 1 else element.first
        return Found(k, Status.APPROXIMATE, Reason.BEYOND_END) if offset else Found(k, Status.EXACT)
    at = code_points(chunk.text, offset or 0)
    if at > len(chunk.text):
        return Found(chunk.last, Status.APPROXIMATE, Reason.BEYOND_END)
    return Found(chunk.first + ink_length(chunk.text, 0, at), Status.EXACT)


def _in_element(element: Element, offset: int | None) -> Found:
    if not offset:
        return Found(element.first, Status.EXACT)
    # Not a CFI of the standard, but written by some servers: characters into the element (positions.md A.2, row 30).
    for chunk in element.texts():
        if offset <= len(chunk.text):
            return Found(chunk.first + ink_length(chunk.text, 0, offset), Status.APPROXIMATE, Reason.OTHER_DIALECT)
        offset -= len(chunk.text)
    return Found(element.last, Status.APPROXIMATE, Reason.BEYOND_END)


class Name(NamedTuple):
    """Document path and offset, and the canonical place they stand for."""

    steps: tuple[Step, ...]
    offset: int | None
    k: int


def point(index: DocumentIndex, position: Position) -> Name:
    """What foliate-js would write (positions.md C.4, rules 1, 2, 5).

    A place at an atom names the element; behind the last atom there is no name, and the atom's own is given.
    """
    before = position.affinity == "before"
    k = min(max(position.k, 0), index.length)
    if k == index.length or (before and k > 0):
        chunk = index.chunk_at(k - 1)
        if chunk is not None:
            return _to_chunk(chunk, ink_end(chunk.text, k - chunk.first), k)
        k = max(k - 1, 0)
        atom = index.atoms.get(k)
    else:
        chunk = index.chunk_at(k)
        if chunk is not None:
            return _to_chunk(chunk, ink_offset(chunk.text, k - chunk.first), k)
        atom = index.atoms.get(k)
    if atom is None:
        # In a document without text; a path must have a step, so in an SVG it is the place before the first child.
        return Name(steps_to(index.body) or (Step(0),), None, 0)
    return Name(steps_to(atom), None, k)


def _to_chunk(chunk: Chunk, offset: int, k: int) -> Name:
    return Name((*steps_to(chunk.parent), Step(chunk.step)), units(chunk.text, offset), k)


def steps_to(element: Element) -> tuple[Step, ...]:
    """Path from the root element, ids included as foliate-js does."""
    steps: list[Step] = []
    while element.parent is not None:
        steps.append(Step(element.step, element.id or None))
        element = element.parent
    return tuple(reversed(steps))
