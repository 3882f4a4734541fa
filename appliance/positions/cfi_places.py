"""What a CFI means in a document, and the CFI of a place (docs/reference/positions.md B.2, B.3).

Only the document part is resolved here; the package part names a spine item, which is the book's business.
"""

from typing import NamedTuple

from appliance.positions.canonical import ATOMS, OPEN_ATOMS, SILENT, Position, Reason, Status
from appliance.positions.cfi import Cfi, Step
from appliance.positions.document import Chunk, DocumentIndex, Element
from appliance.positions.found import Found
from appliance.positions.ink import code_points, ink, ink_end, ink_length, ink_offset, units


def find(index: DocumentIndex, point: Cfi, *, end: bool = False) -> Found:
    """The canonical place that a CFI names in its document, as foliate-js would resolve it (positions.md B.3).

    `end`: the point is the exclusive end of a range, so it belongs to what comes before it.
    """
    found = _find(index, point.steps or (), point.offset, end)
    if found.status is Status.EXACT:
        if point.guessed:
            found = found._replace(status=Status.APPROXIMATE, reason=Reason.OTHER_DIALECT)
        elif not (
            index.text.endswith(ink(point.before), 0, found.k) and index.text.startswith(ink(point.after), found.k)
        ):
            found = found._replace(status=Status.APPROXIMATE, reason=Reason.DIFFERENT_TEXT)
    return found._replace(affinity="before") if end or point.side == "b" else found


def _find(index: DocumentIndex, steps: tuple[Step, ...], offset: int | None, end: bool) -> Found:
    if not steps:
        return Found(0, Status.EXACT, Reason.WHOLE_DOCUMENT)
    last = steps[-1]
    if last.id is not None and last.index % 2 == 0 and last.id in index.ids:
        # The last part's id wins wherever it is; ids of inner steps are not looked at.
        return _in_element(index.ids[last.id], offset)
    element = index.root
    for number, step in enumerate(steps):
        if element.name in _CLOSED and element is not index.root and not element.children:
            return Found(element.last if end else element.first, Status.SNAPPED, Reason.NOT_ADDRESSABLE)
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

    A place at an atom names the element, and one behind an atom what follows there.
    """
    before = position.affinity == "before"
    k = min(max(position.k, 0), index.length)
    if k == index.length or (before and k > 0):
        chunk = index.chunk_at(k - 1)
        if chunk is not None:
            return _to_chunk(chunk, ink_end(chunk.text, k - chunk.first), k)
        atom = index.atoms.get(k - 1)
        if atom is not None and atom.last == k:  # else there is text in it, which follows
            return _behind(index, atom, k)
    chunk = index.chunk_at(k)
    if chunk is not None:
        return _to_chunk(chunk, ink_offset(chunk.text, k - chunk.first), k)
    atom = index.atoms.get(k)
    if atom is None or (before and not k):
        # Nothing comes before, or the document has no text. A path must have a step, so in an SVG it is the place
        # before the first child.
        return Name(_to_element(index, index.body) or (Step(0),), None, k)
    return Name(_to_element(index, atom), None, k)


def _behind(index: DocumentIndex, atom: Element, k: int) -> Name:
    """The place behind an atom."""
    parent = atom.parent or index.root
    if parent.chunks.get(atom.step + 1):
        return Name((*steps_to(parent), Step(atom.step + 1)), 0, k)
    if atom.step == 2 * len(parent.children):  # the last child: the specification's place behind it
        return Name((*steps_to(parent), Step(atom.step + 2)), None, k)
    return Name(_to_element(index, parent.children[atom.step // 2]), None, k)


def _to_chunk(chunk: Chunk, offset: int, k: int) -> Name:
    return Name((*steps_to(chunk.parent), Step(chunk.step)), units(chunk.text, offset), k)


def _to_element(index: DocumentIndex, element: Element) -> tuple[Step, ...]:
    steps = steps_to(element)
    if element.id and index.ids.get(element.id) is not element:
        # The id of a last step wins over its number, so one that stands for an earlier element must not be written.
        return (*steps[:-1], Step(element.step))
    return steps


def steps_to(element: Element) -> tuple[Step, ...]:
    """Path from the root element, ids included as foliate-js does."""
    steps: list[Step] = []
    while element.parent is not None:
        steps.append(Step(element.step, element.id or None))
        element = element.parent
    return tuple(reversed(steps))
