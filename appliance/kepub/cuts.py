"""Where a content document can be divided, so that each chapter of it becomes a document of its own.

The document stays text, as in `numbering`: what stood between two cuts keeps its bytes, and only the tags around it are
closed before a cut and opened again behind it.
"""

import re
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from typing import NamedTuple

from appliance.kepub.numbering import TAG, end_of, name_of

# What may be closed and opened again without a look of its own being lost.
CONTAINERS = frozenset({"article", "aside", "blockquote", "center", "div", "footer", "main", "section"})
# A name in the middle of one of these means its line; the cut comes before it.
BLOCKS = frozenset({"dt", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "p"})
# Seen on a page without any text.
SHOWN = frozenset({"audio", "canvas", "embed", "iframe", "image", "img", "input", "math", "object", "svg", "video"})
LINE = 80  # characters without white space: who is led to what they follow still sees the place
MORE = LINE + 1  # what a picture counts for
_HIDDEN = frozenset({"script", "style", "template", "title"})

_ID = re.compile(r"""\s(?:xml:)?id\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_NAME = re.compile(r"""\sname\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class Anchor(NamedTuple):
    """Where an id came to stand. `part`: number, from 0. `leads`: at most a line is seen before it in its part."""

    part: int
    leads: bool


@dataclass(frozen=True, slots=True)
class Divided:
    """A document in parts. `parts`: the source of each, the only one where nothing is divided. `anchors`: by id."""

    parts: tuple[str, ...]
    anchors: dict[str, Anchor]


class _Start(NamedTuple):
    """Where a cut before an element comes to stand, when nothing is seen between it and the starts of its ancestors:
    number of a tag, how many elements are open there, how many characters were seen before it."""

    tag: int
    depth: int
    seen: int


@dataclass(slots=True)
class _Open:
    name: str
    tag: int
    start: _Start
    seen: int


def divide(source: str, wanted: frozenset[str]) -> Divided:
    """Divide a well-formed document before each of the ids in `wanted`, where that is possible.

    A chapter's number and its name, with a line for each, stay together. It is possible where only `CONTAINERS` would
    have to be closed; an id inside of another element is left where it is.
    """
    tags = TAG.split(source)
    body = next((at for at in range(1, len(tags), 2) if name_of(tags[at]) == "body"), None)
    if body is None or tags[body][-2] == "/":
        return Divided((source,), {})
    end = end_of(tags, body)
    cuts = _cuts(tags, body, end, wanted)
    begins = [body + 1, *(at for at, _ in cuts), end]
    reopened: list[list[int]] = [[], *(opened for _, opened in cuts), []]
    head, tail = "".join(tags[: body + 1]), "".join(tags[end:])
    parts = []
    for number, (begin, stop) in enumerate(pairwise(begins)):
        opened = "".join(_ID.sub("", tags[at]) for at in reopened[number])
        closed = "".join(f"</{_written(tags[at])}>" for at in reversed(reopened[number + 1]))
        parts.append(head + opened + "".join(tags[begin:stop]) + closed + tail)
    return Divided(tuple(parts), _anchors(tags, body, begins))


def _cuts(tags: list[str], body: int, end: int, wanted: frozenset[str]) -> list[tuple[int, list[int]]]:
    """Index of the tag before which each further part begins, and of the tags that are open there."""
    cuts: list[tuple[int, list[int]]] = []
    stack = [_Open("body", body, _Start(body, 0, 0), 0)]
    seen = seen_before_cut = 0
    for index in range(body + 2, end, 2):
        tag, text, parent = tags[index], tags[index - 1], stack[-1]
        if text and parent.name not in _HIDDEN:
            seen += _length(text)
        if tag.startswith("<![CDATA["):
            seen += _length(tag)
        if tag[1] in "!?":
            continue
        if tag[1] == "/":
            stack.pop()
            continue
        name = name_of(tag)
        is_first = len(stack) > 1 and parent.seen == seen
        start = parent.start if is_first else _Start(index, len(stack), seen)
        if not wanted.isdisjoint(_ids(tag, name)):
            block = next((one for one in stack[1 : start.depth] if one.name in BLOCKS), None)
            at = start if block is None else block.start
            opened = stack[1 : at.depth]
            if at.seen > seen_before_cut + LINE and all(one.name in CONTAINERS for one in opened):
                cuts.append((at.tag, [one.tag for one in opened]))
                seen_before_cut = at.seen
        seen += MORE if name in SHOWN else 0
        if tag[-2] != "/":
            stack.append(_Open(name, index, start, seen))
    return cuts


def _anchors(tags: list[str], body: int, begins: list[int]) -> dict[str, Anchor]:
    anchors = {id: Anchor(0, True) for at in range(1, body + 1, 2) for id in _ids(tags[at], name_of(tags[at]))}
    hidden = 0
    for part, (begin, stop) in enumerate(pairwise(begins)):
        seen = seen_before_block = blocks = 0
        for index in range(begin, stop):
            piece = tags[index]
            if not index % 2 or piece.startswith("<![CDATA["):
                seen += 0 if hidden else _length(piece)
                continue
            name = name_of(piece)
            if name in _HIDDEN and piece[-2] != "/":
                hidden += -1 if piece[1] == "/" else 1
                continue
            if piece[1] == "/":
                blocks -= name in BLOCKS
            elif piece[1] not in "!?":
                if not blocks:
                    seen_before_block = seen
                blocks += name in BLOCKS and piece[-2] != "/"
                for id in _ids(piece, name):
                    anchors.setdefault(id, Anchor(part, seen_before_block <= LINE))
                seen += MORE if name in SHOWN else 0
    return anchors


def _length(text: str) -> int:
    return len("".join(text.split()))


def _ids(tag: str, name: str) -> list[str]:
    """The names that a start tag can be linked by."""
    if "id" not in tag and "name" not in tag:
        return []
    found = [_ID.search(tag), _NAME.search(tag) if name == "a" else None]
    return [unescape(match[1] or match[2] or "") for match in found if match]


def _written(tag: str) -> str:
    match = re.match(r"<([^\s/>]+)", tag)
    return match[1] if match else ""
