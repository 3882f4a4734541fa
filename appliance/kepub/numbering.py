"""Where the spans of a well-formed document go, in one pass over its tags.

The document is never built up and written again: spans are put into its own text, so everything else keeps its bytes.
The numbers are those of kepubify, which reads XHTML with the HTML5 algorithm. For nearly every document the tree
is the same as far as numbers go; `Restructured` says that a browser's HTML parser would build another one, and then
`appliance.kepub.restructured` finds the numbers.
"""

import re
from html import escape
from html.entities import html5

from appliance.kepub.spans import PARAGRAPHS, SKIPPED, Numbering

# The tags of a document, the text between them at the even places of `split`. Attribute values may hold ">".
TAG = re.compile(
    r"""(<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<[^>"']*+(?:(?:"[^"]*"|'[^']*')[^>"']*+)*+>)""", re.DOTALL
)
NAME = re.compile(r"</?([^\s/>]+)")
_REFERENCE = re.compile(r"&(#[xX]?[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")

VOID = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
# kepubify closes these when they close themselves; HTML5 would leave them open.
CLOSES_ITSELF = frozenset({"a", "p", "div", "span", "title", "script"})
# Their content is one raw text for an HTML parser with scripting.
RAW = frozenset({"iframe", "noembed", "noframes", "noscript", "textarea", "title", "xmp"})
# Left open, these would swallow the rest of the document. kepubify lets them; here they are empty, as they were meant.
SWALLOWS = RAW | SKIPPED | {"plaintext", "listing", "select", "option", "optgroup", "button", "object", "template"}
# These stay open, but the next of their kind or the end of the list or row closes them: no number changes.
_OPEN_HARMLESSLY = frozenset({"td", "th", "li", "dd", "dt"})
# What HTML calls special: an end tag of an ordinary element outside does not close it.
_SPECIAL = frozenset(
    "address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd"
    " details dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header"
    " hgroup hr html iframe img input keygen li link listing main marquee menu meta nav noembed noframes noscript object"
    " ol p param plaintext pre script section select source style summary table tbody td template textarea tfoot th"
    " thead title tr track ul wbr xmp".split()
)
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# Elements whose staying open has more effects than that of an ordinary one.
_OPEN_WITH_EFFECTS = _FORMATTING | frozenset(
    "applet body caption col colgroup form frame frameset h1 h2 h3 h4 h5 h6 head html image isindex marquee rb rp rt"
    " rtc ruby table tbody tfoot thead tr".split()
)
# A start tag of these closes an open paragraph.
_CLOSES_P = frozenset(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre section summary table ul"
    " xmp".split()
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# HTML5 allows table parts only here (and takes missing levels as meant), and nothing else inside tables.
_TABLE_PARTS = {
    "caption": {"table"},
    "colgroup": {"table"},
    "col": {"table", "colgroup"},
    "thead": {"table"},
    "tbody": {"table"},
    "tfoot": {"table"},
    "tr": {"table", "thead", "tbody", "tfoot"},
    "td": {"table", "thead", "tbody", "tfoot", "tr"},
    "th": {"table", "thead", "tbody", "tfoot", "tr"},
}
_TABLE_FRAME = frozenset({"table", "colgroup", "thead", "tbody", "tfoot", "tr"})
_NOT_INSIDE_ITSELF = frozenset({"a", "nobr", "button", "form"})
_RUBY_PARTS = frozenset({"rb", "rp", "rt", "rtc"})
# A start tag of the first closes an open one of the second, unless one of _HOLDS_LISTS stands between.
_LIST_ITEMS = {"li": frozenset({"li"}), "dd": frozenset({"dd", "dt"}), "dt": frozenset({"dd", "dt"})}
_HOLDS_LISTS = _SPECIAL - {"address", "div", "p"}
# A start tag of these closes an open paragraph.
_CLOSES_P = frozenset(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre section summary table ul"
    " xmp".split()
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# HTML5 allows table parts only here (and takes missing levels as meant), and nothing else inside tables.
_TABLE_PARTS = {
    "caption": {"table"},
    "colgroup": {"table"},
    "col": {"table", "colgroup"},
    "thead": {"table"},
    "tbody": {"table"},
    "tfoot": {"table"},
    "tr": {"table", "thead", "tbody", "tfoot"},
    "td": {"table", "thead", "tbody", "tfoot", "tr"},
    "th": {"table", "thead", "tbody", "tfoot", "tr"},
}
_TABLE_FRAME = frozenset({"table", "colgroup", "thead", "tbody", "tfoot", "tr"})
_NOT_INSIDE_ITSELF = frozenset({"a", "nobr", "button", "form"})
_RUBY_PARTS = frozenset({"rb", "rp", "rt", "rtc"})
# A start tag of the first closes an open one of the second, unless one of _HOLDS_LISTS stands between.
_LIST_ITEMS = {"li": frozenset({"li"}), "dd": frozenset({"dd", "dt"}), "dt": frozenset({"dd", "dt"})}
_HOLDS_LISTS = frozenset(
    "article aside blockquote body center details dir dl fieldset figcaption figure footer form header main menu nav"
    " ol section summary table td th ul".split()
)
# Raw text, tags that are ignored or renamed, or content that goes elsewhere.
_UNLIKE_XML = frozenset(
    "body frame frameset head html iframe image isindex listing noembed noframes noscript optgroup option plaintext"
    " select template textarea title xmp".split()
)
# HTML tags that end an svg or math element.
_BREAKS_OUT = frozenset(
    "b big blockquote body br center code dd div dl dt em embed font h1 h2 h3 h4 h5 h6 head hr i img li listing menu"
    " meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_CLOSED_SAFELY = VOID | CLOSES_ITSELF | SWALLOWS | _OPEN_HARMLESSLY
# Names that any of the rules above says something about.
_RULED = (
    VOID | _CLOSES_P | SKIPPED | PARAGRAPHS | _UNLIKE_XML | _NOT_INSIDE_ITSELF | _RUBY_PARTS | frozenset(_TABLE_PARTS)
)


class Restructured(Exception):
    """An HTML parser would build another tree than an XML parser, in a way that may change numbers."""


def name_of(tag: str) -> str:
    """The name in a start or end tag, in lower case as HTML reads it; prefixes are part of the name."""
    match = NAME.match(tag)
    return match.group(1).lower() if match else ""


def characters(raw: str) -> str:
    """The text that a piece of source stands for, references resolved as HTML does.

    In HTML `&#128;` … `&#159;` mean the characters of Windows-1252, which is what their authors meant; XML knows
    control characters there, which show nothing.
    """
    return _REFERENCE.sub(_resolve, raw) if "&" in raw else raw


def render(raw: str, numbering: Numbering, in_paragraph: bool) -> str:
    """A text node's source with its spans."""
    if "&" not in raw:
        return wrapped(numbering.number(raw, in_paragraph), quoted=True)
    return wrapped(numbering.number(characters(raw), in_paragraph))


def wrapped(pieces: list[tuple[str | None, str]], *, quoted: bool = False) -> str:
    """Source of the numbered pieces of a text. `quoted`: the pieces are source already."""
    result = []
    for identifier, piece in pieces:
        # kepubify takes replacement characters out after numbering (kepub.md 4, step 7).
        shown = piece.replace("\ufffd", "") if "\ufffd" in piece else piece
        if not quoted:
            shown = escape(shown, quote=False)
        result.append(shown if identifier is None else span(identifier, shown))
    return "".join(result)


def span(identifier: str, content: str) -> str:
    """A koboSpan."""
    return f'<span class="koboSpan" id="{identifier}">{content}</span>'


def spans_of(parts: list[str], first: int, last: int) -> list[tuple[int, str]]:
    """New source for the parts of a body that get spans, as (index, source).

    `parts`: `TAG.split` of a well-formed document; `first`: index of the text after the `body` tag, `last`: of the
    text before its end tag. Raises `Restructured`.
    """
    numbering = Numbering()
    edits: list[tuple[int, str]] = []
    stack = ["body"]
    skipped_at = foreign_at = 0  # how many elements hold the skipped, svg or math one; 0: none is open
    paragraphs_open = 0
    parent = "body"
    for index in range(first, last + 1, 2):
        text = parts[index]
        if text:
            if text.isspace():
                # No sentence can end in it, so this is the whole of 4.1 for it.
                if parent == "p" and not skipped_at:
                    edits.append((index, span(numbering.next_text(), text)))
            else:
                if parent in _TABLE_FRAME and not foreign_at and not characters(text).isspace():
                    raise Restructured("text directly in a table")
                if parent in VOID and not foreign_at:
                    raise Restructured("text in an empty element")
                if not skipped_at:
                    edits.append((index, render(text, numbering, parent == "p")))
        if index == last:
            break
        tag = parts[index + 1]
        second = tag[1]
        if second == "/":
            name = stack.pop()
            if name == "p":
                paragraphs_open -= 1
            depth = len(stack)
            if depth <= skipped_at:
                skipped_at = 0
            if depth <= foreign_at:
                foreign_at = 0
            parent = stack[-1]
            continue
        if second == "!" or second == "?":
            continue
        name = name_of(tag)
        closed = tag[-2] == "/"
        if foreign_at:
            if name in _BREAKS_OUT:
                raise Restructured(f"{name} in svg or math")
        else:
            if name in _RULED:
                _check(name, parent, stack, paragraphs_open, closed)
                if not skipped_at:
                    if name == "img":
                        edits += image_edits(parts, index + 1, numbering.next_image())
                    elif name in PARAGRAPHS:
                        numbering.pending = True
            elif parent in _TABLE_FRAME:
                raise Restructured(f"{name} directly in a table")
            if closed:
                if name not in _CLOSED_SAFELY and _stays_open(name, stack, paragraphs_open):
                    raise Restructured(f"{name} closes itself")
            elif name in SKIPPED and not skipped_at:
                skipped_at = len(stack)
        if closed:
            continue
        if not foreign_at and (name == "svg" or name == "math"):
            foreign_at = len(stack)
        if name == "p":
            paragraphs_open += 1
        stack.append(name)
        parent = name
    return edits


def _check(name: str, parent: str, stack: list[str], paragraphs_open: int, closed: bool) -> None:
    """Raise `Restructured` when a start tag has side effects in HTML."""
    if paragraphs_open and name in _CLOSES_P:
        raise Restructured(f"{name} in p")
    if name in _TABLE_PARTS:
        if parent not in _TABLE_PARTS[name]:
            raise Restructured(f"{name} in {parent}")
    elif parent in _TABLE_FRAME and name not in ("script", "style"):
        raise Restructured(f"{name} directly in a table")
    if name in _LIST_ITEMS:
        for outer in reversed(stack):
            if outer in _LIST_ITEMS[name]:
                raise Restructured(f"{name} in {outer}")
            if outer in _HOLDS_LISTS:
                break
    if name in _HEADINGS and parent in _HEADINGS:
        raise Restructured("a heading in a heading")
    if name in _NOT_INSIDE_ITSELF and name in stack:
        raise Restructured(f"{name} in {name}")
    if name in _RUBY_PARTS and parent in ("dd", "dt", "li", "p", *_RUBY_PARTS):
        raise Restructured(f"{name} in {parent}")
    if name in _UNLIKE_XML and not closed:
        raise Restructured(name)


def _stays_open(name: str, stack: list[str], paragraphs_open: int) -> bool:
    """Whether it changes numbers that HTML leaves an element open although its tag closes itself."""
    if paragraphs_open or name in _OPEN_WITH_EFFECTS or not _FORMATTING.isdisjoint(stack):
        return True
    # The end tags of what holds a special element are ignored then, and texts around them become one.
    return name in _SPECIAL and not (_SPECIAL.issuperset(stack) and (name not in ("ol", "ul") or "li" not in stack))


def image_edits(parts: list[str], index: int, identifier: str) -> list[tuple[int, str]]:
    """The edits that wrap an image, together with the end tag that it may have."""
    tag = parts[index]
    if tag[-2] == "/":
        return [(index, span(identifier, tag))]
    if parts[index + 1] or not parts[index + 2].startswith("</"):
        raise Restructured("img with content")
    return [(index, span(identifier, tag[:-1] + "/>")), (index + 2, "")]


def _resolve(match: re.Match[str]) -> str:
    name = match.group(1)
    if name[0] == "#":
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return bytes([code]).decode("cp1252", "ignore") or chr(code) if 0x80 <= code < 0xA0 else chr(code)
    return html5.get(name + ";", match.group(0))
