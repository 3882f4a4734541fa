"""Where the spans of a well-formed document go, in one pass over its tags.

The document is never built up and written again: spans are put into its own text, so everything else keeps its bytes.
The numbers are those of kepubify, which reads XHTML with the HTML5 algorithm. For nearly every document the tree
is the same as far as numbers go; `Restructured` says that a browser's HTML parser would build another one, and then
`appliance.kepub.restructured` finds the numbers.
"""

import re
from html import escape
from html.entities import html5

from appliance.kepub.html_rules import (
    BREAKS_OUT,
    GUARDED,
    RULED,
    Restructured,
    check_start,
    check_text,
)
from appliance.kepub.spans import PARAGRAPHS, SKIPPED, Numbering

# The tags of a document, the text between them at the even places of `split`. Attribute values may hold ">".
TAG = re.compile(
    r"""(<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<[^>"']*+(?:(?:"[^"]*"|'[^']*')[^>"']*+)*+>)""", re.DOTALL
)
_NAME = re.compile(r"</?([^\s/>]+)")
_REFERENCE = re.compile(r"&(#[xX]?[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")


def name_of(tag: str) -> str:
    """The name in a start or end tag, in lower case as HTML reads it; prefixes are part of the name."""
    return _written_name(tag).lower()


def _written_name(tag: str) -> str:
    match = _NAME.match(tag)
    return match.group(1) if match else ""


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


def spans_of(parts: list[str], first: int, last: int, *, strict: bool = True) -> list[tuple[int, str]]:
    """New source for the parts of a body that get spans, as (index, source).

    `parts`: `TAG.split` of a well-formed document; `first`: index of the text after the `body` tag, `last`: of the
    text before its end tag. Raises `Restructured`, unless `strict` is false: then tags are taken as they are written.
    """
    numbering = Numbering()
    edits: list[tuple[int, str]] = []
    names: dict[str, str] = {}  # tags repeat, and this is the innermost loop
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
                if strict and parent in GUARDED and not foreign_at:
                    check_text(characters(text), parent)
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
        if tag in names:
            name = names[tag]
        else:
            name = names[tag] = name_of(tag)
        closed = tag[-2] == "/"
        if foreign_at:
            if strict and name in BREAKS_OUT:
                raise Restructured(f"{name} in svg or math")
        else:
            if strict and (closed or name in RULED or parent in GUARDED):
                check_start(name, parent, stack, paragraphs_open, closed)
            if not skipped_at:
                if name == "img":
                    edits += image_edits(parts, index + 1, numbering.next_image())
                elif name in PARAGRAPHS:
                    numbering.pending = True
                elif name in SKIPPED and not closed:
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


def image_edits(parts: list[str], index: int, identifier: str) -> list[tuple[int, str]]:
    """The edits that wrap an image; the end tag that it may have goes."""
    tag = parts[index]
    if tag[-2] == "/":
        return [(index, span(identifier, tag))]
    return [(index, span(identifier, tag[:-1] + "/>")), (end_of(parts, index), "")]


def end_of(parts: list[str], index: int) -> int:
    """Index of the end tag that closes the element whose start tag is at `index`."""
    name = _written_name(parts[index])
    alike = ("<" + name, "</" + name)
    depth = 0
    for at in range(index, len(parts), 2):
        tag = parts[at]
        if tag.startswith(alike) and tag[-2] != "/" and _written_name(tag) == name:
            depth += -1 if tag[1] == "/" else 1
            if not depth:
                return at
    raise AssertionError("the document is well-formed")


def _resolve(match: re.Match[str]) -> str:
    name = match.group(1)
    if name[0] == "#":
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return bytes([code]).decode("cp1252", "ignore") or chr(code) if 0x80 <= code < 0xA0 else chr(code)
    return html5.get(name + ";", match.group(0))
