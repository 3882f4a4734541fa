"""The numbers of a document that the HTML algorithm would rebuild: a block in `p`, text in `table`, an open `<i/>` …

kepubify's numbers come from the rebuilt tree; the book's own structure is kept all the same. The tags go through an
HTML parser with each text replaced by a label of the same kind (white space or not), and the rebuilt tree then tells
in which order and in which parents the texts are met (docs/reference/kepub.md 3.2).
"""

import re
from collections import deque
from collections.abc import Iterator
from typing import Any

from appliance.epub.document import MAX_HTML
from appliance.epub.errors import TooLarge
from appliance.epub.markup import local_name
from appliance.kepub.html_rules import CLOSES_ITSELF, RAW, SWALLOWS
from appliance.kepub.numbering import characters, end_of, image_edits, name_of, wrapped
from appliance.kepub.spans import PARAGRAPHS, SKIPPED, Numbering

_BITS = 23
_LABEL = re.compile(r"[ \t]{24}|x[ab]{23}")


def spans_of_restructured(parts: list[str], first: int, last: int, doctype: str) -> list[tuple[int, str]]:
    """As `numbering.spans_of`, for any well-formed document. `doctype` decides quirks (a table in `p` or after it).

    Raises `TooLarge` for what would take minutes.
    """
    from appliance.epub.html import parse_html  # some 40 times slower than the other way, and rarely needed

    source, raw = _labelled(parts, first, last)
    if len(source) > MAX_HTML:
        raise TooLarge(f"The tags of the document take {len(source):,} bytes; {MAX_HTML:,} is the most.")
    root = parse_html(f"{doctype}<html><head></head><body>{source}</body></html>", scripting=True)
    return _numbered(root[1], parts, raw)


def _labelled(parts: list[str], first: int, last: int) -> tuple[str, dict[int, str]]:
    """HTML with the tags of the body and a label for each text; and the raw texts by the index in their label."""
    out: list[str] = []
    raw: dict[int, str] = {}
    foreign = 0
    index = first
    while index <= last:
        if text := parts[index]:
            out.append(_label(index, blank=not characters(text).strip(" \t\n\r\f")))
        index += 1
        if index > last:
            break
        tag = parts[index]
        name = name_of(tag).replace(":", "-")  # unknown either way; a tree for XML cannot hold the colon
        if tag[1] in "!?":
            out.append("<!---->")
        elif tag[1] == "/":
            foreign -= name in ("svg", "math")
            out.append(f"</{name}>")
        elif tag[-2] == "/":
            if foreign or not (name in CLOSES_ITSELF or name in SWALLOWS):
                out.append(f"<{name}{_number(name, index)}/>")
            else:
                out.append(f"<{name}></{name}>")
        elif name in RAW and not foreign:
            end = end_of(parts, index)
            content = "".join(parts[index + 1 : end])
            out.append(f"<{name}>")
            # It is never shown, or not as text: its numbers are counted, and it stays as it is.
            if content:
                raw[index] = characters(content) if name in ("textarea", "title") else content
                out.append(_label(index, blank=content.isspace()))
            out.append(f"</{name}>")
            index = end
        else:
            foreign += name in ("svg", "math")
            out.append(f"<{name}{_number(name, index)}>")
        index += 1
    return "".join(out), raw


def _number(name: str, index: int) -> str:
    return f' data-part="{index}"' if name in ("img", "image") else ""


def _label(index: int, *, blank: bool) -> str:
    bits = f"{index:0{_BITS}b}"
    return " " + bits.replace("0", " ").replace("1", "\t") if blank else "x" + bits.replace("0", "a").replace("1", "b")


def _index(label: str) -> int:
    return int("".join("1" if letter in "b\t" else "0" for letter in label[1:]), 2)


def _numbered(body: Any, parts: list[str], raw: dict[int, str]) -> list[tuple[int, str]]:
    from lxml import etree

    numbering = Numbering()
    edits: list[tuple[int, str]] = []
    skipped: Any = None

    def text_node(text: str | None, parent: Any) -> None:
        if not text or skipped is not None:
            return
        indices = [_index(label) for label in _LABEL.findall(text)]
        texts = [raw[index] if index in raw else characters(parts[index]) for index in indices]
        pieces = numbering.number("".join(texts), local_name(parent) == "p")
        for index, own in zip(indices, _divide(pieces, [len(text) for text in texts]), strict=True):
            if index not in raw:
                edits.append((index, wrapped(own)))

    for event, element in etree.iterwalk(body, events=("start", "end", "comment", "pi")):
        if event == "start":
            name = local_name(element)
            if skipped is None and element is not body:
                if name == "img":
                    # An image that is written inside svg stands in a foreign tree, which has no spans.
                    edits += image_edits(parts, int(element.get("data-part")), numbering.next_image())
                elif name in PARAGRAPHS:
                    numbering.pending = True
                elif name in SKIPPED:
                    skipped = element
            text_node(element.text, element)
        elif element is not body:
            if element is skipped:
                skipped = None
            text_node(element.tail, element.getparent())
    return edits


def _divide(pieces: list[tuple[str | None, str]], lengths: list[int]) -> Iterator[list[tuple[str | None, str]]]:
    """The pieces of texts of these lengths, which HTML joined because it ignores the tags between them.

    Of a piece that lies in several texts one part gets the span, the first that is not blank.
    """
    waiting = deque(pieces)
    for length in lengths:
        mine: list[tuple[str | None, str]] = []
        while length:
            identifier, piece = waiting.popleft()
            if len(piece) > length:
                own, rest = piece[:length], piece[length:]
                blank = own.isspace()
                mine.append((None if blank else identifier, own))
                waiting.appendleft((identifier if blank else None, rest))
                break
            mine.append((identifier, piece))
            length -= len(piece)
        yield mine
