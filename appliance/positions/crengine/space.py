"""White space that KOReader's engine removes when it lays out an element, and the numbers that remain
(docs/reference/xpointer.md 5 and 8)."""

from collections.abc import Iterable, Sequence

from appliance.positions.crengine.defaults import INLINE, KEPT, Dom
from appliance.positions.crengine.nodes import Child, Node, TextNode

_TABLES = frozenset({"table", "inline-table"})
_ROWS = frozenset({"table-row-group", "table-header-group", "table-footer-group", "table-row"})
_PARTS = _ROWS | {"table-cell", "table-caption", "table-column", "table-column-group"}


def close(node: Node, dom: Dom = Dom.NORMAL) -> None:
    """Decide, now that `node` is complete, which of its white-space texts go."""
    children = node.children
    style = node.style
    newest = dom >= Dom.NEWEST
    if node.hidden or not children or (style.white_space in KEPT and not newest):
        return
    if style.display in _TABLES or style.display in _ROWS:
        _close_table(node, newest)
        return
    if not node.mixed and not style.before and not style.after:
        return  # most elements by far
    kinds = [_kind(child) for child in children]
    if "block" not in kinds and "block" not in (_pseudo_kind(style.before), _pseudo_kind(style.after)):
        # Only inline children and floats: white space goes only if, beside floats, there is nothing else.
        if "float" in kinds and not style.before and not style.after and style.white_space not in KEPT:
            if all(kind != "inline" or _blank(child) for child, kind in zip(children, kinds, strict=True)):
                _remove(node, filter(_blank, children))
    elif style.display == "inline" and not style.floats:
        _close_inline(node, kinds)
    else:
        _trim_runs(node, kinds, newest)


def _kind(child: Child) -> str:
    """How a child counts in its parent's layout."""
    if isinstance(child, TextNode):
        return "inline"
    style = child.style
    if style.display == "none":
        return "hidden"
    if style.floats:
        return "float"
    return "inline" if style.display in INLINE else "block"


def _pseudo_kind(display: str) -> str:
    return "" if not display else "inline" if display in INLINE else "block"


def _blank(child: Child | None) -> bool:
    return isinstance(child, TextNode) and child.blank


def _close_inline(node: Node, kinds: list[str]) -> None:
    """An inline element around blocks becomes a block when nothing but white space is beside them."""
    children = node.children
    if all(kind in ("block", "hidden") or _blank(child) for child, kind in zip(children, kinds, strict=True)):
        node.style = node.style._replace(display="wrapped")  # anything but "inline"
        if node.parent is not None:
            node.parent.mixed = True
        return
    beside = (near for at, kind in enumerate(kinds) if kind == "block" for near in (at - 1, at + 1))
    _remove(node, [children[near] for near in beside if 0 <= near < len(children) and _blank(children[near])])


def _close_table(node: Node, newest: bool) -> None:
    """Loose runs between proper parts lose the white space at their ends; between the parts of a row it all goes."""
    loose = [isinstance(child, TextNode) or child.style.display not in _PARTS for child in node.children]
    gone: list[Child] = []
    for begin, end in _runs(loose):
        run = node.children[begin:end]
        if not all(map(_blank, run)):
            gone += _ends(run, newest)
        elif node.style.display in _ROWS:
            gone += run
    _remove(node, gone)


def _trim_runs(node: Node, kinds: list[str], newest: bool) -> None:
    """Beside blocks: white space goes at the start and the end of each run of inline children and floats."""
    if not any(map(_blank, node.children)):
        return
    # A pseudo-element stands in its run like an element; `None` is never white space.
    entries: list[tuple[str, Child | None]] = [*zip(kinds, node.children, strict=True)]
    if node.style.before:
        entries.insert(0, (_pseudo_kind(node.style.before), None))
    if node.style.after:
        entries.append((_pseudo_kind(node.style.after), None))
    gone: list[Child] = []
    for begin, end in _runs([kind in ("inline", "float") for kind, _ in entries]):
        run = entries[begin:end]
        if all(kind == "float" or _blank(child) for kind, child in run):
            gone += [child for _, child in run if child is not None and _blank(child)]
        elif node.style.white_space not in KEPT:
            gone += _ends([child for _, child in run], newest)
    _remove(node, gone)


def _ends(run: Sequence[Child | None], newest: bool) -> list[Child]:
    """All white space at the start of a run, and one white-space text at its end; the newest version of the engine
    drops all there too (xpointer.md 5)."""
    gone: list[Child] = []
    for child in run:
        if child is None or not _blank(child):
            break
        gone.append(child)
    for child in run[: len(gone) - 1 if gone else None : -1]:
        if child is None or not _blank(child):
            break
        gone.append(child)
        if not newest:
            break
    return gone


def _runs(member: list[bool]) -> list[tuple[int, int]]:
    """Begin and end of each longest stretch of members."""
    runs: list[tuple[int, int]] = []
    begin = -1
    for at, is_member in enumerate([*member, False]):
        if is_member and begin < 0:
            begin = at
        elif not is_member and begin >= 0:
            runs.append((begin, at))
            begin = -1
    return runs


def _remove(node: Node, gone: Iterable[Child]) -> None:
    doomed = {id(child) for child in gone}
    if doomed:
        node.children = [child for child in node.children if id(child) not in doomed]


def number(body: Node) -> None:
    """Give every node its place among the children of the same name (xpointer.md 8)."""
    stack = [body]
    while stack:
        last: dict[str, Child] = {}  # of each name
        children = stack.pop().children
        if len(children) == 1:
            child = children[0]
            if isinstance(child, Node):
                stack.append(child)
            continue
        for child in children:
            if isinstance(child, Node):
                stack.append(child)
                name = child.name
            else:
                name = "text()"
            before = last.get(name)
            if before is not None:
                child.nth = before.nth + 1
                child.only = before.only = False
            last[name] = child
