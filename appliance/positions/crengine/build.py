"""Building the tree of a document as KOReader's engine does, in one pass over its tokens.

`scan` cuts the source into tokens, `styles` decides how an element is laid out, this file builds the
tree, and `space` drops the white space the engine drops (docs/reference/xpointer.md 2–8).
"""

from collections.abc import Iterator

from appliance.positions.canonical import ATOM, ATOMS, OPEN_ATOMS, SILENT
from appliance.positions.crengine.defaults import INLINE, KEPT, SVG_TEXT, TEXTLESS, Dom
from appliance.positions.crengine.math import MATH_CONTAINERS, fence, letters
from appliance.positions.crengine.nodes import ROOT_STYLE, Node, TextNode
from appliance.positions.crengine.scan import NO_ATTRIBUTES, Token, attributes, scan
from appliance.positions.crengine.sheets import applies, is_conditional
from appliance.positions.crengine.space import close, number
from appliance.positions.crengine.styles import Source, StyleBook, Styles
from appliance.positions.crengine.text import PIECE, fold, keep, pieces
from appliance.positions.ink import ink_length

CLOSED = (ATOMS | SILENT) - OPEN_ATOMS


class Builder:
    """What is known of one document while it is read, and at its end. `bodies`: each a fragment."""

    def __init__(self, path: str, book: StyleBook, *, dom: Dom = Dom.NORMAL, with_doubtful: bool = False) -> None:
        self.path = path
        self.book = book
        self.dom = dom
        self.varies = False  # the newest version of the engine may drop other white space
        self.bodies: list[Node] = []
        self.texts: list[TextNode] = []
        self.atoms: dict[int, Node] = {}
        self.pieces: list[str] = []
        self.k = 0
        self.html = Node("html", NO_ATTRIBUTES, None, 0)
        self.sheets: list[Source] = []
        self.styles: Styles
        self.current: Node | None = None
        self.silent = 0  # elements open in which no text is ink
        self.svg = 0
        self.math = 0
        self.drawing = False  # an SVG document
        self.with_doubtful = with_doubtful
        self.doubtful = False  # some rule for an element hangs on the reader's screen

    def run(self, source: str) -> None:
        """Read a whole file, line ends already made LF."""
        tokens = scan(source)
        more = self._head(tokens)
        while more:
            self._read(tokens)
            more = self._next_body(tokens)
        if self.bodies and self.styles.looks_ahead:
            self._second_pass()
        for body in self.bodies:
            number(body)

    def _read(self, tokens: Iterator[Token]) -> None:
        """One body, whose start tag was read, to its end."""
        for kind, text, attribute_source, closed in tokens if self._inside() else ():
            if kind == "text":
                self._text(text, False)
            elif kind == "open":
                self._open(text, attribute_source)
                if closed:
                    self._leave()
            elif kind == "close":
                self._close(text)
                if not self._inside():
                    return
            elif kind == "cdata":
                self._text(text, True)
        while self.current is not None:
            self._leave()

    def _inside(self) -> bool:
        return self.current is not None

    def _next_body(self, tokens: Iterator[Token]) -> bool:
        """Up to the start of another body behind the first: another fragment (xpointer.md 2.4)."""
        for kind, text, attribute_source, closed in tokens:
            if kind == "open" and text.lower() == "body":
                self._open(text, attribute_source)
                if closed:
                    self._leave()
                return True
        return False

    def _head(self, tokens: Iterator[Token]) -> bool:
        """Up to the start of the body, where there is one: only style sheets are of interest."""
        html = False
        style: str | None = None  # the media list of the style element around the text
        for kind, text, attribute_source, closed in tokens:
            if kind == "text" and style is not None and applies(style):
                self.sheets.append(Source("style", text, is_conditional(style)))
            style = None
            if kind != "open":
                continue
            name = text.lower()
            if name == "html":
                html = True
                self.html.attributes = attributes(attribute_source)
            elif name == "style":
                style = attributes(attribute_source).get("media", "")
            elif name == "link":
                link = attributes(attribute_source)
                if (
                    link.get("rel", "").lower() == "stylesheet"
                    and link.get("type", "text/css").lower() in ("text/css", "")
                    and link.get("href")
                    and applies(link.get("media", ""))
                ):
                    self.sheets.append(Source("link", link["href"], is_conditional(link.get("media", ""))))
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

    def sheet(self) -> TextNode | None:
        """The engine keeps the styles of the head, but for its first link, in an element beside the body."""
        links = [f'@import url("{source.text}");' for source in self.sheets if source.kind == "link"]
        styles = "".join(fold(source.text) for source in self.sheets if source.kind == "style")
        text = "\n".join([*links[1:], *([styles] if styles else [])])
        if not text:
            return None
        parent = Node("stylesheet", NO_ATTRIBUTES, Node("html", NO_ATTRIBUTES, None, 0), 0)
        parent.hidden = True
        return TextNode(parent, text, 0, 0)

    def _open(self, name: str, attribute_source: str = "") -> None:
        if not self.svg:
            name = name.lower()
        parent = self.current or self.html
        node = Node(name, attributes(attribute_source) if attribute_source else NO_ATTRIBUTES, parent, self.k)
        parent.children.append(node)
        if parent is self.html:
            self.bodies.append(node)
        node.style = self.styles.of(node, parent.style)
        node.hidden = _is_hidden(node, parent)
        if node.style.display != "inline" or node.style.floats:
            parent.mixed = True
        self.varies |= parent.style.white_space in KEPT and node.style.display not in INLINE
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
        return node.name in CLOSED and not (self.drawing and node.name == "svg")

    def _close(self, name: str) -> None:
        """Close up to the nearest open element of that name; nothing if there is none."""
        name = name if self.svg and name.lower() != "svg" else name.lower()
        node = self.current
        if name == "body":
            node = self.bodies[-1]  # the first end tag of that name ends the fragment, whatever it closes
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
        elif self.math and node.name == "mfenced":
            fence(node)
        close(node, self.dom)
        self.current = None if node.parent is self.html else node.parent

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
        elif node.name in (MATH_CONTAINERS if self.math else TEXTLESS):
            return
        if literal:
            source = source.replace("&", "&amp;")
        if 0 < len(source) <= PIECE:
            self._put(node, source)
        else:
            for piece in pieces(source):
                self._put(node, piece)

    def _put(self, node: Node, source: str) -> None:
        """A piece that fits into the engine's buffer."""
        kept = node.style.white_space in KEPT or self.svg > 0
        text = keep(source) if kept else fold(source)
        children = node.children
        if self.math:
            text = letters(node, text.strip(" \n\t"))
            if not text:
                return
        if children:
            self.varies |= isinstance(children[-1], TextNode)
        elif self._drops_first(node, kept, text):
            return
        elif node.name in ("pre", "textarea") and not node.style.before and text[:1] == "\n":
            text = text[1:]
        first = self.k
        if not self.silent:
            self.k += ink_length(text)
        text_node = TextNode(node, text, first, self.k)
        children.append(text_node)
        if self.k > first:
            self.texts.append(text_node)
            self.pieces.append(text)

    def _drops_first(self, node: Node, kept: bool, text: str) -> bool:
        """White space that would be the first child of a block (xpointer.md 4.4)."""
        style = node.style
        return (
            not kept
            and text.isspace()
            and not text.strip(" \t\n")
            and (style.floats or style.display not in ("inline", "none", "ruby"))
            and not style.before
            and not style.after
        )

    def _second_pass(self) -> None:
        """Selectors that look at later siblings are applied to the finished tree; what was dropped stays dropped."""
        nodes = [node for body in self.bodies for node in body.iter_subtree()]
        for node in nodes:
            node.style = self.styles.of(node, node.parent.style if node.parent is not None else ROOT_STYLE)
            node.hidden = node.parent is not None and _is_hidden(node, node.parent)
            node.mixed = True
        for node in reversed(nodes):
            close(node, self.dom)


def _is_hidden(node: Node, parent: Node) -> bool:
    return (
        parent.hidden
        or node.style.display == "none"
        or parent.name == "svg"
        or (node.name == "annotation" and parent.name == "semantics")
    )
