"""A reading engine for prose, as KOReader's: names words by XPointer and finds them again.

Written from docs/reference/xpointer.md for the simulators alone. It shares no code with `appliance.positions`, so that
the two check each other; it knows no style sheets and no malformed markup, and refuses what it does not know.
"""

import re
import zipfile
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote

from lxml import etree

BLOCKS = set(
    "body html hr form pre blockquote div h1 h2 h3 h4 h5 h6 p output section ol ul dl dt dd address article aside"
    " canvas fieldset figcaption figure footer header hgroup legend main nav noscript video center dir menu li table"
    " caption thead tbody tfoot tr th td details dialog summary".split()
)
NO_TEXT = set("table colgroup col thead tbody tfoot tr img image object embed svg".split())
SPACE = " \t\r\n"


@dataclass(frozen=True)
class Word:
    """A word of the book: the XPointer of its first character, with every index, and its text."""

    xpointer: str
    text: str
    fragment: int


class Engine:
    """An EPUB laid out as a list of words. `resolve` returns an index into `words`, `None` for an unknown pointer."""

    def __init__(self, path: Path) -> None:
        self.words: list[Word] = []
        self._nodes: dict[str, tuple[int, list[int], list[int]]] = {}
        self._starts: dict[str, int] = {}
        with zipfile.ZipFile(path) as archive:
            documents = list(_spine(archive))
            for number, data in enumerate(documents, start=1):
                self._starts[f"/body[1]/DocFragment[{number}]"] = len(self.words)
                body = _body(data)
                if body is not None:
                    base = f"/body[1]/DocFragment[{number}]/body[1]"
                    self._starts[base] = len(self.words)
                    self._walk(body, base, number)

    def resolve(self, xpointer: str) -> int | None:
        """The word at or after the place, as the page that shows it would begin."""
        match = re.fullmatch(r"(/.+?)(?:\.(\d+))?", xpointer)
        if match is None:
            return None
        path = re.sub(r"(?<=[^\]/])(?=/|$)", "[1]", match.group(1))
        offset = int(match.group(2) or 0)
        if path in self._nodes:
            length, offsets, indices = self._nodes[path]
            if offset > length:
                return None
            at = bisect_right(offsets, offset) - 1
            return indices[max(at, 0)] if indices else None
        start = self._starts.get(path)
        return None if start is None else min(start, len(self.words) - 1)

    def _walk(self, element, path: str, fragment: int) -> None:
        counts: dict[str, int] = {}
        texts = 0
        for kind, item in _children(element):
            if kind == "text":
                texts += 1
                self._text(item, f"{path}/text()[{texts}]", fragment)
            else:
                child = _name(item)
                counts[child] = counts.get(child, 0) + 1
                child_path = f"{path}/{child}[{counts[child]}]"
                self._starts[child_path] = len(self.words)
                if child not in ("script", "style"):
                    self._walk(item, child_path, fragment)

    def _text(self, text: str, path: str, fragment: int) -> None:
        offsets, indices = [], []
        for match in re.finditer(r"[^ \u00a0]+", text):
            offsets.append(match.start())
            indices.append(len(self.words))
            self.words.append(Word(f"{path}.{match.start()}", match.group(), fragment))
        self._nodes[path] = (len(text), offsets, indices)

    def spelled(self, index: int) -> str:
        """The word's XPointer as DOM version 20240114 writes it: an index only where there are two or more."""
        return re.sub(r"\[(\d+)\]", lambda m: m.group() if self._has_more(m) else "", self.words[index].xpointer)

    def _has_more(self, match: re.Match[str]) -> bool:
        if match.group(1) != "1":
            return True
        path = match.string[: match.end()]
        second = path[: -len("[1]")] + "[2]"
        return second in self._starts or second in self._nodes


def _spine(archive: zipfile.ZipFile):
    container = etree.fromstring(archive.read("META-INF/container.xml"))
    opf = container.find(".//{*}rootfile").get("full-path")
    package = etree.fromstring(archive.read(opf))
    items = {item.get("id"): item for item in package.iterfind("{*}manifest/{*}item")}
    for reference in package.iterfind("{*}spine/{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None:
            yield archive.read(normpath(join(dirname(opf), unquote(item.get("href")))))


def _body(data: bytes):
    parser = etree.XMLParser(resolve_entities="internal", no_network=True)
    return etree.fromstring(data, parser).find("{*}body")


def _name(element) -> str:
    return etree.QName(element).localname.lower()


def _children(element):
    """Child elements and the text nodes that remain after folding and layout (xpointer.md 4 and 5)."""
    pieces: list[tuple[str, object]] = [("text", element.text or "")]
    for child in element:
        if isinstance(child.tag, str):
            pieces.append(("element", child))
        pieces.append(("text", child.tail or ""))
    pieces = [piece for piece in pieces if piece[0] == "element" or piece[1]]
    if _name(element) in NO_TEXT:
        return [piece for piece in pieces if piece[0] == "element"]
    block = _name(element) in BLOCKS
    has_blocks = any(kind == "element" and _name(item) in BLOCKS for kind, item in pieces)
    kept = []
    for position, (kind, item) in enumerate(pieces):
        if kind == "element":
            kept.append((kind, item))
            continue
        folded = re.sub(f"[{SPACE}]+", " ", item)
        if folded == " ":
            if block and position == 0:
                continue
            if has_blocks and _beside_block(pieces, position):
                continue
        kept.append((kind, folded))
    return kept


def _beside_block(pieces, position: int) -> bool:
    """Whether a white-space text stands at the edge of a run of inline content, where it is useless."""
    for step in (-1, 1):
        neighbour = position + step
        if not 0 <= neighbour < len(pieces):
            return True
        kind, item = pieces[neighbour]
        if kind == "element" and _name(item) in BLOCKS:
            return True
    return False
