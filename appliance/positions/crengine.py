"""A content document as KOReader's engine keeps it: which text nodes exist, and what they are called.

Built from the source text in one pass: `crengine_scan` cuts it into tokens, `crengine_styles` decides how an element is
laid out, this file builds the tree, and `crengine_space` drops the white space the engine drops
(docs/reference/xpointer.md 2–8). Positions count canonical characters of *this* tree; `FragmentTree` maps them to the
document's.
"""

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from appliance.positions.alignment import Alignment, align
from appliance.positions.canonical import ATOM, ATOMS, OPEN_ATOMS, SILENT
from appliance.positions.crengine_defaults import KEPT, SVG_TEXT, TEXTLESS
from appliance.positions.crengine_fragments import is_shown
from appliance.positions.crengine_nodes import ROOT_STYLE, Child, Node, TextNode
from appliance.positions.crengine_scan import NO_ATTRIBUTES, Token, attributes, scan
from appliance.positions.crengine_sheets import applies
from appliance.positions.crengine_space import close, number
from appliance.positions.crengine_styles import StyleBook, Styles
from appliance.positions.crengine_text import fold, keep, pieces
from appliance.positions.ink import ink, ink_length

_SILENT = (ATOMS | SILENT) - OPEN_ATOMS


class FragmentTree:
    """One DocFragment.

    `body`: its body element, `None` when the engine shows a message instead. `ink`: canonical text as the engine has
    it; `texts`: text nodes with canonical characters, in order; `atoms`: element by canonical index.
    `undecided`: the numbers may be others on another screen.
    Of several bodies in a row, each a fragment, only the first is kept.
    """

    def __init__(self, source: str, path: str, book: StyleBook, text: str | None = None) -> None:
        builder = _Builder(path, book)
        if is_shown(source, path):
            builder.run(source)
        self.body = builder.body
        self.undecided = builder.doubtful and not _same_names(builder.body, self._otherwise(source, path, book))
        self._drawing = builder.drawing
        self.texts = builder.texts
        self.atoms = builder.atoms
        self.ink = ink("".join(builder.pieces))
        self._firsts = [node.first for node in self.texts]
        # The engine loses some text (in tables, behind broken tags) that the document has; then the two are aligned.
        self.alignment: Alignment | None = None
        if text is not None and text != self.ink:
            self.alignment = align(text, self.ink)

    def _otherwise(self, source: str, path: str, book: StyleBook) -> Node | None:
        """The same document on a screen where every condition of its style sheets holds."""
        builder = _Builder(path, book, with_doubtful=True)
        builder.run(source)
        return builder.body

    def is_closed(self, node: Node) -> bool:
        """Whether nothing inside a node is ink."""
        return node.name in _SILENT and not (self._drawing and node.name == "svg")

    def text_at(self, k: int) -> TextNode | None:
        """The text node that holds canonical character k of this tree."""
        at = bisect_right(self._firsts, k) - 1
        return self.texts[at] if at >= 0 and k < self.texts[at].last else None

    @cached_property
    def elements(self) -> list[Node]:
        """Every element of the body in document order."""
        return [] if self.body is None else list(self.body.iter_subtree())


def _same_names(one: Node | None, other: Node | None) -> bool:
    """Whether two trees of one document give all their text nodes the same names."""
    pairs: list[tuple[Child | None, Child | None]] = [(one, other)]
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


class _Builder:
    def __init__(self, path: str, book: StyleBook, *, with_doubtful: bool = False) -> None:
        self.path = path
        self.book = book
        self.body: Node | None = None
        self.texts: list[TextNode] = []
        self.atoms: dict[int, Node] = {}
        self.pieces: list[str] = []
        self.k = 0
        self.html = Node("html", NO_ATTRIBUTES, None, 0)
        self.sheets: list[tuple[str, str]] = []
        self.styles: Styles
        self.current: Node | None = None
        self.silent = 0  # elements open in which no text is ink
        self.svg = 0
        self.math = 0
        self.drawing = False  # an SVG document
        self.with_doubtful = with_doubtful
        self.doubtful = False  # some rule for an element hangs on the reader's screen

    def run(self, source: str) -> None:
        tokens = scan(source)
        if not self._head(tokens):
            return
        for kind, text, attribute_source, closed in tokens:
            if self.current is None:
                break  # another body would be another fragment
            if kind == "text":
                self._text(text, False)
            elif kind == "open":
                self._open(text, attribute_source)
                if closed:
                    self._leave()
            elif kind == "close":
                self._close(text)
            elif kind == "cdata":
                self._text(text, True)
        while self.current is not None:
            self._leave()
        if self.styles.looks_ahead:
            self._second_pass()
        if self.body is not None:
            number(self.body)

    def _head(self, tokens: Iterator[Token]) -> bool:
        """Up to the start of the body, where there is one: only style sheets are of interest."""
        style = html = False
        for kind, text, attribute_source, closed in tokens:
            if kind == "text" and style:
                self.sheets.append(("style", text))
            if kind != "open":
                style = False
                continue
            name = text.lower()
            style = False
            if name == "html":
                html = True
                self.html.attributes = attributes(attribute_source)
            elif name == "style":
                style = applies(attributes(attribute_source).get("media", ""))
            elif name == "link":
                link = attributes(attribute_source)
                if (
                    link.get("rel", "").lower() == "stylesheet"
                    and link.get("type", "text/css").lower() in ("text/css", "")
                    and link.get("href")
                    and applies(link.get("media", ""))
                ):
                    self.sheets.append(("link", link["href"]))
            elif name == "body" or (name == "svg" and not html):
                self.styles = self.book.styles(self.path, self.sheets, doubtful=self.with_doubtful)
                self.html.style = self.styles.of(self.html, ROOT_STYLE)
                if name == "svg":
                    self.drawing = True
                    self._open("body")
                    self._open("autoboxing")
                self._open(text, attribute_source)
                if closed:
                    self._leave()
                return True
        return False

    def _open(self, name: str, attribute_source: str = "") -> None:
        if not self.svg:
            name = name.lower()
        parent = self.current or self.html
        node = Node(name, attributes(attribute_source) if attribute_source else NO_ATTRIBUTES, parent, self.k)
        parent.children.append(node)
        if self.body is None:
            self.body = node
        node.style = self.styles.of(node, parent.style)
        node.hidden = parent.hidden or node.style.display == "none"
        self.doubtful |= node.style.doubtful
        self.current = node
        if name in ATOMS and not self.silent and not (self.drawing and name == "svg"):
            self.atoms[self.k] = node
            self.pieces.append(ATOM)
            self.k += 1
        self.silent += self._is_silent(node)
        self.svg += name == "svg"
        self.math += name == "math"

    def _is_silent(self, node: Node) -> bool:
        """Whether text inside is no ink (`canonical.ATOMS`); in an SVG document the drawing itself is the text."""
        return node.name in _SILENT and not (self.drawing and node.name == "svg")

    def _close(self, name: str) -> None:
        """Close up to the nearest open element of that name; nothing if there is none."""
        name = name if self.svg and name.lower() != "svg" else name.lower()
        node = self.current
        if name == "body":
            node = self.body  # the first end tag of that name ends the fragment, whatever it closes
        while node is not None and node is not self.html:
            if node.name == name:
                while self.current is not node:
                    self._leave()
                self._leave()
                return
            node = node.parent

    def _leave(self) -> None:
        node = self.current
        assert node is not None
        node.last = self.k
        self.silent -= self._is_silent(node)
        self.svg -= node.name == "svg"
        self.math -= node.name == "math"
        if node.name == "ruby":
            self._complete_ruby(node)
        close(node)
        self.current = None if node is self.body else node.parent

    def _complete_ruby(self, node: Node) -> None:
        """A ruby without base, or without annotation, gets an invented text (xpointer.md 9); it is no ink."""
        names = [getattr(child, "name", "") for child in node.children]
        bases = [name for name in names if name not in ("rt", "rp", "rtc")]
        if names and (not bases or not {"rt", "rtc"} & set(names)):
            node.children.insert(0, TextNode(node, "\u200b", node.first, node.first))

    def _text(self, source: str, literal: bool) -> None:
        node = self.current
        assert node is not None
        if self.svg:
            if node.name not in SVG_TEXT:
                return
        elif node.name in TEXTLESS:
            return
        kept = node.style.white_space in KEPT or self.svg > 0
        if literal:
            source = source.replace("&", "&amp;")
        for piece in pieces(source) if len(source) > 8192 or not source else (source,):
            text = keep(piece) if kept else fold(piece)
            if self.math:
                text = text.strip(" \n\t")
                if not text:
                    continue
            if not node.children and self._drops_first(node, kept, text):
                continue
            if not node.children and node.name in ("pre", "textarea") and not node.style.before and text[:1] == "\n":
                text = text[1:]
            first = self.k
            if not self.silent:
                self.k += ink_length(text)
            text_node = TextNode(node, text, first, self.k)
            node.children.append(text_node)
            if self.k > first:
                self.texts.append(text_node)
                self.pieces.append(text)

    def _drops_first(self, node: Node, kept: bool, text: str) -> bool:
        """White space that would be the first child of a block (xpointer.md 4.4)."""
        style = node.style
        return (
            not kept
            and not text.strip(" \t\n")
            and (style.floats or style.display not in ("inline", "none", "ruby"))
            and not style.before
            and not style.after
        )

    def _second_pass(self) -> None:
        """Selectors that look at later siblings are applied to the finished tree; what was dropped stays dropped."""
        if self.body is None:
            return
        nodes = list(self.body.iter_subtree())
        for node in nodes:
            node.style = self.styles.of(node, node.parent.style if node.parent is not None else ROOT_STYLE)
            node.hidden = node.style.display == "none" or (node.parent is not None and node.parent.hidden)
        for node in reversed(nodes):
            close(node)
