"""Pointers of before March 2020, in which the boxes of the engine's layout are steps (docs/reference/xpointer.md 11).

Among its real children an element then had a box around each run of inline content beside blocks; numbers behind a box
counted boxes and what is in none, numbers inside counted within the box. The oldest layout is known in outline only,
so a place found in this way is never exact.
"""

from collections.abc import Sequence
from itertools import groupby

from appliance.positions.crengine.defaults import KEPT
from appliance.positions.crengine.nodes import Child, Node, TextNode

# Elements the engine inserts. (The `autoboxing` around an SVG document is a real one.)
BOXES = frozenset({"autoBoxing", "floatBox", "inlineBox", "rubyBox", "tabularBox", "mathBox", "pseudoElem"})

# As children of a block in the oldest layout. A float was laid out as if it did not float.
_INLINE = frozenset({"inline", "ruby", "run-in", "wrapped"})
_BOXED = frozenset({"block", "table-cell", "table-caption"})

Container = Node | tuple[Child, ...]  # an element, or a box with what is in it


def walk(body: Node, steps: Sequence[tuple[str, int]]) -> tuple[Child, bool]:
    """The node that the steps below the body lead to, and whether all of them were found; else where they got lost."""
    here: Container = body
    last: Child = body
    for name, nth in steps:
        found = _step(here, name, nth)
        if found is None:
            return last, False
        here = found if isinstance(found, tuple) else found if isinstance(found, Node) else (found,)
        last = found[0] if isinstance(found, tuple) else found
    return last, True


def _step(here: Container, name: str, nth: int) -> Container | TextNode | None:
    entries = list(here) if isinstance(here, tuple) else _entries(here)
    matching: list[Container | TextNode] = []
    for entry in entries:
        if _is_called(entry, name):
            matching.append((entry,) if isinstance(entry, Node) and name in BOXES else entry)
    return matching[nth - 1] if 0 < nth <= len(matching) else None


def _is_called(entry: Container | TextNode, name: str) -> bool:
    if isinstance(entry, tuple):
        return name == "autoBoxing"
    if isinstance(entry, TextNode):
        return name == "text()"
    if name == "floatBox":
        return entry.style.floats
    if name == "inlineBox":
        return entry.style.display in ("inline-block", "inline-table")
    return entry.name == name


def _entries(node: Node) -> list[Container | TextNode]:
    """The children of an element with each run of inline ones in a box, where it has blocks too."""
    children = node.children
    kinds = [_kind(child) for child in children]
    blocks = any(kind == "block" for kind in kinds)
    if not blocks or node.hidden or node.style.display not in _BOXED or node.style.white_space in KEPT:
        return list(children)
    entries: list[Container | TextNode] = []
    for inline, run in groupby(zip(children, kinds, strict=True), key=lambda pair: pair[1] == "inline"):
        members = tuple(child for child, _ in run)
        if not inline:
            entries += members
        elif not all(isinstance(child, TextNode) and child.blank for child in members):
            entries.append(members)
    return entries


def _kind(child: Child) -> str:
    """An inline block is no reason for boxes, but stands in none."""
    if isinstance(child, TextNode) or child.style.display in _INLINE:
        return "inline"
    return child.style.display if child.style.display in ("inline-block", "none") else "block"
