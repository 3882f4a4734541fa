"""A content document as KOReader's engine keeps it: which text nodes exist, and what they are called.

`build` makes the tree from the source text. Positions count canonical characters of *this* tree;
`FragmentTree` maps them to the document's.
"""

from bisect import bisect_right
from functools import cached_property

from appliance.positions.alignment import Alignment, align
from appliance.positions.crengine.build import CLOSED, Builder
from appliance.positions.crengine.defaults import Dom
from appliance.positions.crengine.fragments import is_shown
from appliance.positions.crengine.nodes import Child, Node, TextNode
from appliance.positions.crengine.scan import NO_ATTRIBUTES
from appliance.positions.crengine.styles import StyleBook
from appliance.positions.ink import ink

MANY = 32  # children of an element from which on they are looked up in a table


class FragmentTree:
    """The text nodes of one file.

    `bodies`: each is a DocFragment; a file has one, but for each of several in a row. `notice`: the engine shows a
    message of its own instead of the document; `drawing`: an SVG document. `sheet`: the text node of the styles in
    the head, where there are any. `ink`: canonical text as the engine has it; `texts`: text nodes with canonical
    characters, in order; `atoms`: element by canonical index. `varies`: another version of the engine may have other
    nodes. `undecided`: the numbers may be others on another screen, or by a style sheet that cannot be read here. (A
    reader who switched off the book's styles, or has tweaks of display or white space, may have other numbers in mixed
    content; no pointer tells.)
    """

    def __init__(self, source: str, path: str, book: StyleBook, text: str | None = None, dom: Dom = Dom.NORMAL) -> None:
        builder = Builder(path, book, dom=dom)
        if is_shown(source, path):
            builder.run(source)
        self.bodies = builder.bodies
        self.notice = False
        self.varies = builder.varies
        self.sheet = builder.sheet()
        incomplete = bool(builder.bodies) and not builder.styles.whole
        self.undecided = incomplete or (
            builder.doubtful and not _same_names(builder.bodies, self._otherwise(source, path, book, dom))
        )
        self.drawing = builder.drawing
        self.texts = builder.texts
        self.atoms = builder.atoms
        self.ink = ink("".join(builder.pieces))
        self._tables: dict[int, dict[tuple[str, int], Child]] = {}  # of elements with many children, by id
        self._firsts = [node.first for node in self.texts]
        # The engine loses some text (in tables, behind broken tags) that the document has; then the two are aligned.
        self.alignment: Alignment | None = None
        if text is not None and text != self.ink:
            self.alignment = align(text, self.ink)

    def _otherwise(self, source: str, path: str, book: StyleBook, dom: Dom) -> list[Node]:
        """The same document on a screen where every condition of its style sheets holds."""
        builder = Builder(path, book, dom=dom, with_doubtful=True)
        builder.run(source)
        return builder.bodies

    def show(self, notice: str) -> None:
        """The message that the engine shows in place of a document it cannot read."""
        self.notice = True
        html = Node("html", NO_ATTRIBUTES, None, 0)
        body = Node("body", NO_ATTRIBUTES, html, 0)
        pre = Node("pre", NO_ATTRIBUTES, body, 0)
        body.children.append(pre)
        pre.children.append(TextNode(pre, notice, 0, 0))
        self.bodies = [body]

    def is_closed(self, node: Node) -> bool:
        """Whether nothing inside a node is ink."""
        return node.name in CLOSED and not (self.drawing and node.name == "svg")

    def child(self, node: Child, name: str, nth: int) -> Child | None:
        """The child that a step of a pointer names; a number for a name counts nodes of any kind."""
        if isinstance(node, TextNode):
            return None
        if name.isascii() and name.isdecimal():
            return node.children[int(name) - 1] if 0 < int(name) <= len(node.children) else None
        if len(node.children) < MANY:
            return next((child for child in node.children if _key(child) == (name, nth)), None)
        table = self._tables.get(id(node))
        if table is None:
            table = self._tables[id(node)] = {_key(child): child for child in node.children}
        return table.get((name, nth))

    def text_at(self, k: int) -> TextNode | None:
        """The text node that holds canonical character k of this tree."""
        at = bisect_right(self._firsts, k) - 1
        return self.texts[at] if at >= 0 and k < self.texts[at].last else None

    @cached_property
    def elements(self) -> list[Node]:
        """Every element of the bodies in document order."""
        return [element for body in self.bodies for element in body.iter_subtree()]


def _key(child: Child) -> tuple[str, int]:
    return ("text()" if isinstance(child, TextNode) else child.name, child.nth)


def _same_names(some: list[Node], others: list[Node]) -> bool:
    """Whether two trees of one document give all their text nodes the same names."""
    pairs: list[tuple[Child, Child]] = [*zip(some, others, strict=True)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, TextNode) and isinstance(right, TextNode):
            if left.text != right.text:
                return False
        elif isinstance(left, Node) and isinstance(right, Node) and len(left.children) == len(right.children):
            pairs += zip(left.children, right.children, strict=True)
        else:
            return False
    return True
