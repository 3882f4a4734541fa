"""What KOReader's engine makes of MathML (docs/reference/xpointer.md 9).

A formula is one atom to a position. Its inside is modelled so that a pointer into it can be told from one that names
nothing.
"""

from unicodedata import lookup, name

from appliance.positions.crengine.nodes import Child, Node, TextNode
from appliance.positions.crengine.scan import NO_ATTRIBUTES

# Elements whose own text does not exist.
MATH_CONTAINERS = frozenset(
    "math mrow mfrac msqrt mroot mstyle merror mpadded mphantom mfenced menclose msub msup msubsup munder mover"
    " munderover mmultiscripts mprescripts none mtable mtr mlabeledtr mtd maction semantics mspace maligngroup"
    " malignmark".split()
)

# Unicode's words for a `mathvariant`; behind the last come the letters that were in Unicode before it.
_VARIANTS = {
    "bold": ("MATHEMATICAL BOLD",),
    "italic": ("MATHEMATICAL ITALIC",),
    "bold-italic": ("MATHEMATICAL BOLD ITALIC",),
    "double-struck": ("MATHEMATICAL DOUBLE-STRUCK", "DOUBLE-STRUCK"),
    "script": ("MATHEMATICAL SCRIPT", "SCRIPT"),
    "bold-script": ("MATHEMATICAL BOLD SCRIPT",),
    "fraktur": ("MATHEMATICAL FRAKTUR", "BLACK-LETTER"),
    "bold-fraktur": ("MATHEMATICAL BOLD FRAKTUR",),
    "sans-serif": ("MATHEMATICAL SANS-SERIF",),
    "bold-sans-serif": ("MATHEMATICAL SANS-SERIF BOLD",),
    "sans-serif-italic": ("MATHEMATICAL SANS-SERIF ITALIC",),
    "sans-serif-bold-italic": ("MATHEMATICAL SANS-SERIF BOLD ITALIC",),
    "monospace": ("MATHEMATICAL MONOSPACE",),
}


def letters(token: Node, text: str) -> str:
    """The text of a token element in the letters of its `mathvariant`; a single one in `mi` is italic without."""
    variant = token.get("mathvariant") or ("italic" if token.name == "mi" and len(text) == 1 else "")
    prefixes = _VARIANTS.get(variant.lower())
    return text if prefixes is None else "".join(_letter(character, prefixes) for character in text)


def _letter(character: str, prefixes: tuple[str, ...]) -> str:
    if character == "h" and prefixes == _VARIANTS["italic"]:
        return "\u210e"  # Planck's constant, which has no other name
    plain = name(character, "").replace(" LETTER ", " ").removeprefix("LATIN ").removeprefix("GREEK ")
    for prefix in prefixes:
        try:
            return lookup(f"{prefix} {plain}")
        except KeyError:
            pass
    return character


def fence(node: Node) -> None:
    """`mfenced` becomes a row between two operators, with one more between every two of its children."""
    inner = node.elements
    separators = [mark for mark in node.get("separators", ",") if not mark.isspace()]
    node.children = []
    node.tail = None
    _operator(node, node.get("open", "("))
    row = Node("mrow", NO_ATTRIBUTES, node, node.first)
    node.children.append(row)
    for at, child in enumerate(inner):
        if at and separators:
            _operator(row, separators[min(at, len(separators)) - 1])
        _adopt(row, child)
    _operator(node, node.get("close", ")"))


def _operator(parent: Node, mark: str) -> None:
    operator = Node("mo", NO_ATTRIBUTES, parent, parent.first)
    if mark.strip():
        operator.children.append(TextNode(operator, mark.strip(), parent.first, parent.first))
    parent.children.append(operator)


def _adopt(parent: Node, child: Child) -> None:
    child.parent = parent
    parent.children.append(child)
