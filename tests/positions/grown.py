"""Generated documents as trees, so that one tree can be written in several ways and its text be known without parsing.

The trees are such that an XML and an HTML parser read them alike (kepub.md 3.2).
"""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from hypothesis import strategies as st

from appliance.positions.canonical import ATOM, NO_INK

ALPHABET = "ab.!?\"'’” \n\t\u00a0\u2003\u3000\u00ad\u200b\u0301漢😀é\ufffd&<"
SVG = "http://www.w3.org/2000/svg"
REFERENCES = {"é": "&#xe9;", "漢": "&#28450;", "😀": "&#x1F600;", "\u00a0": "&#160;"}


@dataclass(frozen=True)
class Leaf:
    """Characters, or what separates them."""

    kind: Literal["text", "cdata", "comment", "instruction"]
    text: str = ""


@dataclass(frozen=True)
class Branch:
    """An element."""

    name: str
    children: "tuple[Node, ...]" = ()
    attributes: dict[str, str] = field(default_factory=dict)


Node = Leaf | Branch

_TEXT = st.text(ALPHABET, max_size=14).map(lambda text: Leaf("text", text))
_BITS = st.one_of(
    _TEXT,
    _TEXT,
    _TEXT,
    st.sampled_from([Leaf("comment"), Leaf("instruction"), Branch("br"), Branch("img", (), {"alt": "", "src": "a"})]),
    st.text(ALPHABET, max_size=6).map(lambda text: Leaf("cdata", text)),
    st.just(Branch("svg", (Branch("title", (Leaf("text", "T. U"),)),), {"xmlns": SVG})),
)


def _children(inner: st.SearchStrategy[Node], most: int = 4) -> st.SearchStrategy[tuple[Node, ...]]:
    return st.lists(inner, max_size=most).map(tuple)


def _branch(names: list[str], inner: st.SearchStrategy[Node], most: int = 4) -> st.SearchStrategy[Branch]:
    return st.builds(Branch, st.sampled_from(names), _children(inner, most))


_INLINE: st.SearchStrategy[Node] = st.recursive(
    _BITS, lambda inner: st.one_of(_BITS, _branch(["b", "i", "em", "span", "code", "q"], inner)), max_leaves=8
)
_RUBY = st.tuples(_TEXT, _TEXT).map(lambda pair: Branch("ruby", (pair[0], Branch("rt", (pair[1],)))))
_PARAGRAPH = _branch(["p", "p", "h2"], st.one_of(_INLINE, _RUBY), 6)


def _blocks(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    items = _branch(["li"], inner).map(lambda item: Branch("ul", (item,)))
    cells = _branch(["td"], inner).map(lambda cell: Branch("table", (Branch("tr", (cell, Branch("td"))),)))
    return st.one_of(_branch(["div", "section", "blockquote"], inner), _PARAGRAPH, _INLINE, items, cells)


BODIES = st.lists(st.recursive(st.one_of(_PARAGRAPH, _INLINE), _blocks, max_leaves=6), max_size=5).map(
    lambda nodes: merged(tuple(nodes))
)


def merged(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Neighbouring texts as the one text that they are when read."""
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Branch):
            node = replace(node, children=merged(node.children))
        elif node.kind in ("text", "cdata") and not node.text:
            continue
        last = result[-1] if result else None
        if isinstance(node, Leaf) and isinstance(last, Leaf) and node.kind == last.kind == "text":
            result[-1] = Leaf("text", last.text + node.text)
        else:
            result.append(node)
    return tuple(result)


def canonical(nodes: tuple[Node, ...]) -> str:
    """The canonical text, told from the tree (positions.md C.1)."""
    found = ""
    for node in nodes:
        if isinstance(node, Branch):
            found += ATOM if node.name in ("img", "svg") else canonical(node.children)
        elif node.kind in ("text", "cdata"):
            found += "".join(character for character in node.text if character not in NO_INK)
    return found


def written(nodes: tuple[Node, ...], chance: Random | None = None) -> str:
    """The tree as XHTML: plainly, or in one of the many other ways that mean the same ink."""
    return "".join(_written(node, chance) for node in nodes)


def _written(node: Node, chance: Random | None) -> str:
    def now(share: float = 0.3) -> bool:
        return chance is not None and chance.random() < share

    noise = ("<!-- c -->" if now(0.1) else "") + ("\n  " if now(0.1) else "")
    if isinstance(node, Leaf):
        if node.kind == "comment":
            return "<!-- no. text -->"
        if node.kind == "instruction":
            return '<?page n="1"?>'
        if node.kind == "cdata" and not now():
            return f"{noise}<![CDATA[{node.text}]]>"
        if node.kind == "text" and now(0.1):
            return f"{noise}<![CDATA[{node.text}]]>"
        return noise + "".join(_character(character, chance) for character in node.text)
    attributes = [f'{name}="{value}"' for name, value in node.attributes.items()]
    if now():
        attributes.append('data-x="&lt;b&gt;"')
        attributes.reverse()
    start = " ".join([node.name, *attributes])
    if node.name in ("br", "img"):
        return f"{noise}<{start}/>"
    space = "\n\t" if now() else ""
    return f"{noise}<{start}>{space}{written(node.children, chance)}{space}</{node.name}>{space}"


def _character(character: str, chance: Random | None) -> str:
    if character in "&<":
        return {"&": "&amp;", "<": "&lt;"}[character]
    if chance is not None and chance.random() < 0.3:
        return REFERENCES.get(character, character)
    return character


def wrapped(nodes: tuple[Node, ...], chance: Random) -> tuple[Node, ...]:
    """The same text with stretches of it in spans, row groups put in, and all in two divisions."""
    return (Branch("div", (Branch("div", _wrapped(nodes, chance), {"id": "book-inner"}),), {"id": "book-columns"}),)


def _wrapped(nodes: tuple[Node, ...], chance: Random) -> tuple[Node, ...]:
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Leaf):
            if node.kind != "text" or chance.random() < 0.3:
                result.append(node)
                continue
            cut = chance.randrange(len(node.text) + 1)
            for piece in (node.text[:cut], node.text[cut:]):
                inner = Branch("span", (Leaf("text", piece),))
                result.append(Branch("span", (inner,)) if chance.random() < 0.2 else inner)
        elif node.name == "svg":
            result.append(node)
        elif node.name == "table":
            result.append(replace(node, children=(Branch("tbody", _wrapped(node.children, chance)),)))
        else:
            result.append(replace(node, children=_wrapped(node.children, chance)))
    return tuple(result)
