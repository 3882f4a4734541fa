"""White space that KOReader's engine removes when it lays out an element, and the numbers that remain
(docs/reference/xpointer.md 5 and 8)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from appliance.positions.crengine_defaults import INLINE, KEPT

if TYPE_CHECKING:
    from appliance.positions.crengine import Node, TextNode

    Child = Node | TextNode

_TABLES = frozenset({"table", "inline-table"})
_ROWS = frozenset({"table-row-group", "table-header-group", "table-footer-group", "table-row"})
_PARTS = frozenset(
    "table-row-group table-header-group table-footer-group table-row table-cell table-caption table-column"
    " table-column-group".split()
)


def close(node: "Node") -> None:
    """Decide, now that `node` is complete, which of its white-space texts go."""
    children = node.children
    style = node.style
    if node.hidden or not children or style.white_space in KEPT:
        return
    kinds = [_kind(child) for child in children]
    if "block" not in kinds and "float" not in kinds and "block" not in (style.before, style.after):
        if style.display not in _TABLES and style.display not in _ROWS:
            return
    if style.display == "inline" and not style.floats:
        _close_inline(node, kinds)
        return
    if style.display in _TABLES or style.display in _ROWS:
        _close_table(node)
        return
    before, after = _pseudo_kind(style.before), _pseudo_kind(style.after)
    if "block" not in kinds and before != "block" and after != "block":
        # Only inline children and floats: white space goes only if there is nothing else.
        if all(kind == "float" or kind == "hidden" or _blank(child) for child, kind in zip(children, kinds, strict=True)):
            if "float" in kinds and not before and not after:
                _remove(node, [child for child in children if _blank(child)])
        return
    _trim_runs(node, kinds, before, after)


def _kind(child: "Child") -> str:
    """How a child counts in its parent's layout."""
    style = getattr(child, "style", None)
    if style is None:
        return "inline"
    if style.display == "none":
        return "hidden"
    if style.floats:
        return "float"
    return "inline" if style.display in INLINE else "block"


def _pseudo_kind(display: str) -> str:
    return "" if not display else "inline" if display in INLINE else "block"


def _blank(child: "Child | None") -> bool:
    return bool(getattr(child, "blank", False))


def _close_inline(node: "Node", kinds: list[str]) -> None:
    """An inline element around blocks becomes a block when nothing but white space is beside them."""
    if "block" not in kinds:
        return
    children = node.children
    if all(kind in ("block", "hidden") or _blank(child) for child, kind in zip(children, kinds, strict=True)):
        node.style = node.style._replace(display="block")
        return
    gone: list[Child] = []
    for at, kind in enumerate(kinds):
        if kind == "block":
            gone += [children[near] for near in (at - 1, at + 1) if 0 <= near < len(children) and _blank(children[near])]
    _remove(node, gone)


def _close_table(node: "Node") -> None:
    """Loose runs between proper parts lose the white space at their ends; between the parts of a row it all goes."""
    children = node.children
    proper = [getattr(child, "style", None) is not None and child.style.display in _PARTS for child in children]  # type: ignore[union-attr]
    gone: list[Child] = []
    for begin, end in _runs([not is_proper for is_proper in proper]):
        run = children[begin:end]
        if all(_blank(child) for child in run):
            if node.style.display in _ROWS:
                gone += run
            continue
        gone += _ends(run)
    _remove(node, gone)


def _trim_runs(node: "Node", kinds: list[str], before: str, after: str) -> None:
    """Beside blocks: white space goes at the start and the end of each run of inline children and floats."""
    # An inline pseudo-element stands in its run like an element; `None` is never white space.
    row = [(kind, child) for kind, child in zip(kinds, node.children, strict=True)]
    entries: list[tuple[str, Child | None]] = [*row]
    if before:
        entries.insert(0, (before, None))
    if after:
        entries.append((after, None))
    gone: list[Child] = []
    for begin, end in _runs([kind in ("inline", "float") for kind, _ in entries]):
        run = entries[begin:end]
        if all(kind == "float" or _blank(child) for kind, child in run):
            gone += [child for _, child in run if child is not None and _blank(child)]
        else:
            gone += _ends([child for _, child in run])
    _remove(node, gone)


def _ends(run: "Sequence[Child | None]") -> "list[Child]":
    """All white space at the start of a run, and one white-space text at its end (v2026.07.2, xpointer.md 5)."""
    gone: list[Child] = []
    for child in run:
        if child is None or not _blank(child):
            break
        gone.append(child)
    last = run[-1]
    if len(gone) < len(run) and last is not None and _blank(last):
        gone.append(last)
    return gone


def _runs(member: list[bool]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    begin: int | None = None
    for at, is_member in enumerate([*member, False]):
        if is_member and begin is None:
            begin = at
        elif not is_member and begin is not None:
            runs.append((begin, at))
            begin = None
    return runs


def _remove(node: "Node", gone: "list[Child]") -> None:
    if gone:
        doomed = {id(child) for child in gone}
        node.children = [child for child in node.children if id(child) not in doomed]


def number(body: "Node") -> None:
    """Give every node its place among the children of the same name (xpointer.md 8)."""
    stack = [body]
    while stack:
        node = stack.pop()
        counts: dict[str, list[Child]] = {}
        for child in node.children:
            name = getattr(child, "name", "text()")
            same = counts.setdefault(name, [])
            same.append(child)
            child.nth = len(same)
            if name != "text()":
                stack.append(child)  # type: ignore[arg-type]
        for same in counts.values():
            if len(same) > 1:
                for child in same:
                    child.only = False
