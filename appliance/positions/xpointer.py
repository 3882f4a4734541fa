"""KOReader's dialect: XPointers of its engine, crengine (docs/reference/xpointer.md 1 and 8)."""

import re
from dataclasses import dataclass

from appliance.positions.canonical import Position, Reason, Status
from appliance.positions.crengine.boxes import BOXES, walk
from appliance.positions.crengine.defaults import INLINE, Dom
from appliance.positions.crengine.nodes import Node, TextNode
from appliance.positions.crengine.tree import FragmentTree
from appliance.positions.found import Found
from appliance.positions.ink import ink_end, ink_length, ink_offset

MAX_LENGTH = 4096  # characters

_STEP = r"/(?:text\(\)|[^/\[\].()\s#]+)(?:\[\d{1,7}\])?"
_POINTER = re.compile(rf"((?:{_STEP})+)(?:\.(\d{{1,9}}))?", re.ASCII)
_PARTS = re.compile(r"/(text\(\)|[^/\[\].()\s#]+)(?:\[(\d+)\])?", re.ASCII)
_ANCHOR = re.compile(r"#_doc_fragment_(\d{1,7})_? ?(\S*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pointer:
    """A parsed XPointer. `steps`: name and index (1 if none was written) below the DocFragment; `offset`: code points
    or children, `None` for the node as a whole; `anchor`: id of an element instead of a path; `dom`: the version of the
    engine that names things so."""

    fragment: int
    steps: tuple[tuple[str, int], ...]
    offset: int | None = None
    anchor: str = ""
    dom: Dom = Dom.NORMAL

    @property
    def boxed(self) -> bool:
        """Whether boxes of the layout are among the steps, as before March 2020."""
        names = [name for name, _ in self.steps]
        # An SVG document stands in such a box to this day, and only since it is a fragment at all.
        return any(name in BOXES for name in (names[3:] if names[:3] == ["body", "autoboxing", "svg"] else names))


def is_indexed(text: str) -> bool:
    """Whether a device writes `[1]` on every step (DOM version 20260812 and newer, xpointer.md 11)."""
    return text.startswith(("/body[", "body["))


def parse(text: str) -> Pointer | Reason:
    """Read any spelling; the reason if it cannot be read."""
    if len(text) > MAX_LENGTH:
        return Reason.TOO_LONG
    text = text.strip()
    if text.startswith("#"):
        match = _ANCHOR.fullmatch(text)
        return Reason.SYNTAX if match is None else Pointer(int(match.group(1)) + 1, (), None, match.group(2))
    match = _POINTER.fullmatch(text if text.startswith("/") else "/" + text)
    if match is None:
        return Reason.SYNTAX
    steps = tuple((name, int(index) if index else 1) for name, index in _PARTS.findall(match.group(1)))
    if steps == (("body", 1),):
        return Pointer(1, ())
    if len(steps) < 2 or steps[0] != ("body", 1) or steps[1][0] != "DocFragment":
        return Reason.SYNTAX
    dom = Dom.NEWEST if is_indexed(text) else Dom.NORMAL
    return Pointer(steps[1][1], steps[2:], None if match.group(2) is None else int(match.group(2)), dom=dom)


def find(tree: FragmentTree, pointer: Pointer, body: int = 0, *, end: bool = False) -> Found:
    """The canonical place in the document (positions.md C.4, rules 3 and 4). `body`: which of the bodies of the file is
    the pointer's fragment. `end`: of the exclusive end of a range."""
    found = _find(tree, pointer, body, end)
    if end:
        found = found._replace(affinity="before")
    if tree.undecided and found.status is Status.EXACT and found.reason is not Reason.WHOLE_DOCUMENT:
        found = found._replace(status=Status.SNAPPED, reason=Reason.UNDECIDED)
    if tree.alignment is None:
        return found
    k, equal = tree.alignment.to_left(found.k, before=found.affinity == "before")
    if equal or found.status is not Status.EXACT or found.reason is Reason.WHOLE_DOCUMENT:
        return found._replace(k=k)
    return found._replace(k=k, status=Status.SNAPPED, reason=Reason.DIFFERENT_TEXT)


def _find(tree: FragmentTree, pointer: Pointer, body: int, end: bool) -> Found:
    if pointer.anchor:
        target = next((element for element in tree.elements if element.id == pointer.anchor), None)
        return Found(0, Status.APPROXIMATE, Reason.NO_PLACE) if target is None else Found(target.first, Status.EXACT)
    if body >= len(tree.bodies):
        return Found(0, Status.EXACT, Reason.WHOLE_DOCUMENT)
    node: Node | TextNode = tree.bodies[body]
    if not pointer.steps:
        return Found(node.first, Status.EXACT, Reason.WHOLE_DOCUMENT)
    if pointer.steps[0] == ("stylesheet", 1) and tree.sheet is not None:
        return Found(node.first, Status.SNAPPED, Reason.NOT_ADDRESSABLE)
    if pointer.steps[0] != ("body", 1):
        return Found(node.first, Status.APPROXIMATE, Reason.NO_PLACE)
    if pointer.boxed:
        return _find_boxed(tree, pointer, body)
    closed: Node | None = None
    for name, nth in pointer.steps[1:]:
        if closed is None and isinstance(node, Node) and tree.is_closed(node):
            closed = node
        child = tree.child(node, name, nth)
        if child is None and closed is None and pointer.dom is Dom.NORMAL:
            return _find_boxed(tree, pointer, body)  # behind boxes that are no steps of it
        if child is None:
            return Found((closed or node).first, Status.APPROXIMATE, Reason.NO_PLACE)
        node = child
    found = _at(node, pointer.offset)
    if closed is not None:
        # Inside an image, a formula or a script: all that positions know is the element. A range's end is behind it.
        inside = found.status is Status.EXACT
        status, reason = (Status.SNAPPED, Reason.NOT_ADDRESSABLE) if inside else found[1:3]
        return Found(closed.last if end else closed.first, status, reason)
    if tree.notice and found.status is Status.EXACT:
        return Found(0, Status.EXACT, Reason.WHOLE_DOCUMENT)  # in a message of the engine's own
    return found


def _at(node: Node | TextNode, offset: int | None) -> Found:
    if isinstance(node, TextNode):
        if offset is not None and offset > len(node.text):
            return Found(node.last, Status.APPROXIMATE, Reason.BEYOND_END)
        return Found(node.first + ink_length(node.text, 0, offset or 0), Status.EXACT)
    if offset and node.style.before:
        offset -= 1  # the pseudo-element is a child too
    if not offset:
        return Found(node.first, Status.EXACT)
    if offset > len(node.children):
        return Found(node.last, Status.APPROXIMATE, Reason.BEYOND_END)
    # The index counts the engine's boxes too; where it makes some, children cannot be told apart by it.
    boxed = len({isinstance(child, TextNode) or child.style.display in INLINE for child in node.children}) > 1
    status, reason = (Status.SNAPPED, Reason.UNDECIDED) if boxed else (Status.EXACT, Reason.NONE)
    if offset == len(node.children):
        return Found(node.last, status, reason, "before")
    return Found(node.children[offset].first, status, reason)


def _find_boxed(tree: FragmentTree, pointer: Pointer, body: int) -> Found:
    """A pointer of before March 2020, by what is known of the numbers of that time."""
    node, complete = walk(tree.bodies[body], pointer.steps[1:])
    found = _at(node, pointer.offset)
    if complete and found.status is Status.EXACT:
        return found._replace(status=Status.SNAPPED, reason=Reason.OTHER_DIALECT)
    return Found(node.first, Status.APPROXIMATE, Reason.OTHER_DIALECT if pointer.boxed else Reason.NO_PLACE)


@dataclass(frozen=True, slots=True)
class Name:
    """A place as the engine would write it. `node`: `None` for the whole document; `k`: the canonical place that the
    name stands for, in the document."""

    node: Node | TextNode | None
    offset: int
    k: int

    def spell(self, fragment: int, fragments: int, *, indexed: bool) -> str:
        """The XPointer in the file whose first DocFragment is `fragment` of `fragments`, in the spelling of DOM version
        20240114 or, `indexed`, of 20260812 (xpointer.md 8)."""
        steps: list[str] = []
        node = self.node
        while node is not None and node.parent is not None:
            name = "text()" if isinstance(node, TextNode) else node.name
            # A body is the only one of its fragment, whatever the file holds.
            if node.parent.parent is None and isinstance(node, Node):
                fragment += node.index
            steps.append(name if node.only and not indexed else f"{name}[{node.nth}]")
            node = node.parent
        head = f"/body[1]/DocFragment[{fragment}]" if indexed else "/body/DocFragment"
        if not indexed and fragments > 1:
            head += f"[{fragment}]"
        return "/".join([head, *reversed(steps)]) + f".{self.offset}"


WHOLE = Name(None, 0, 0)
"""A document as a whole."""


def point(tree: FragmentTree, position: Position) -> Name:
    """The engine's name for a place (positions.md C.4, rules 1, 2, 5)."""
    before = position.affinity == "before"
    k = position.k
    if tree.alignment is not None:
        k, _ = tree.alignment.to_right(k, before=before)
    total = len(tree.ink)
    k = min(max(k, 0), total)
    if total == 0:
        return WHOLE
    if k == total or (before and k > 0):
        text = tree.text_at(k - 1)
        if text is not None:
            return Name(text, ink_end(text.text, k - text.first), _back(tree, k, True))
        atom = tree.atoms.get(k - 1)
        k -= 1
    else:
        text = tree.text_at(k)
        if text is not None:
            return Name(text, ink_offset(text.text, k - text.first), _back(tree, k, False))
        atom = tree.atoms.get(k)
    return Name(atom, 0, _back(tree, k, False))


def _back(tree: FragmentTree, k: int, before: bool) -> int:
    return k if tree.alignment is None else tree.alignment.to_left(k, before=before)[0]
