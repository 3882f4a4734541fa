"""Edited copies of real books, with the truth about where each piece of their text went."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.document import XHTML, parse_document
from appliance.epub.errors import BookError
from appliance.epub.markup import local_name
from appliance.positions import OpenBook, Position
from appliance.positions.canonical import ATOM, ATOMS, OPEN_ATOMS, SILENT
from appliance.positions.ink import ink
from tests.kepub.kepubs import epub

Holder = tuple[Any, str]
"""An element and where its text is: "text", "tail", or "atom"."""

TextEdit = Callable[[str, int], str]
"""What becomes of the n-th piece of text."""

EVERY = 40  # pieces of text from one edited sentence to the next


@dataclass
class Piece:
    """A text between two tags, in both books. `tick`: of its first character in the original; `document`, `k`: in the
    copy."""

    before: str
    after: str
    tick: int
    document: str
    k: int


class EditedCopy:
    """`source`, the original, and `copy`, the book made of it; `pieces` in the order of the original."""

    def __init__(self, path: Path, target: Path, edit: TextEdit, arrange: Callable[[list[Any]], list[Any]]) -> None:
        self.source = OpenBook.open(path, "source")
        bodies: dict[str, Any] = {}
        found: list[tuple[Holder, str, int]] = []
        with Archive(path) as archive:
            for document in self.source.summary.documents:
                if not document.length or document.occurrence:
                    continue
                try:
                    parsed = parse_document(archive.read(document.path, MAX_MARKUP), document.media_type)
                except BookError:
                    continue
                if local_name(parsed.root) != "html":
                    continue
                bodies[document.path] = parsed.body
                at = self.source.summary.bases[document.ordinal]
                for holder in holders(parsed.body):
                    text = ink(content(holder))
                    found.append((holder, text, at))
                    at += len(text)
        kept = []  # lxml forgets an element of which nobody holds the Python object
        for number, (holder, _, _) in enumerate(found):
            kept.append(holder[0])
            if holder[1] != "atom":
                setattr(holder[0], holder[1], edit(content(holder), number))
        copies = {f"text/part{number:04}.xhtml": body for number, body in enumerate(arrange(list(bodies.values())))}
        where: dict[tuple[int, str], tuple[str, int, str]] = {}
        for name, body in copies.items():
            k = 0
            for element, kind in holders(body):
                text = ink(content((element, kind)))
                where[id(element), kind] = name, k, text
                k += len(text)
        self.pieces = [
            Piece(text, new[2], tick, new[0], new[1])
            for (element, kind), text, tick in found
            if (new := where.get((id(element), kind))) is not None and text
        ]
        target.write_bytes(epub({name: _serialised(body) for name, body in copies.items()}))
        self.copy = OpenBook.open(target, "copy")
        self._ticks = [piece.tick for piece in self.pieces]

    def piece_at(self, tick: int) -> Piece | None:
        """The piece that holds a character of the original."""
        at = bisect_right(self._ticks, tick) - 1
        piece = self.pieces[at] if at >= 0 else None
        return piece if piece is not None and tick < piece.tick + len(piece.before) else None

    def is_right(self, tick: int, position: Position) -> bool:
        """Whether a place of the copy is where the character of the original at `tick` went: exactly, or, in a text
        that was edited, in that text and before the same letter."""
        piece = self.piece_at(tick)
        if piece is None:
            return True
        if position.document != piece.document:
            return False
        offset, landed = tick - piece.tick, position.k - piece.k
        if piece.before == piece.after:
            return offset == landed
        if not 0 <= landed <= len(piece.after):
            return False
        letter = unicodedata.normalize("NFD", piece.before[offset])[0]
        there = unicodedata.normalize("NFD", piece.after[landed : landed + 1])[:1]
        return there == letter if letter.isalnum() else True


def holders(body: Any) -> Iterator[Holder]:
    """Every text of a body and every atom in it, in the order of the canonical text."""
    stack: list[tuple[Any, bool]] = [(body, False)]
    while stack:
        element, is_done = stack.pop()
        name = local_name(element) if isinstance(element.tag, str) else ""
        if is_done:
            yield element, "tail"
            continue
        if element is not body:
            stack.append((element, True))
        if name in ATOMS:
            yield element, "atom"
        if name and name not in SILENT and (name not in ATOMS or name in OPEN_ATOMS):
            yield element, "text"
            stack += [(child, False) for child in reversed(element)]


def content(holder: Holder) -> str:
    element, kind = holder
    return ATOM if kind == "atom" else getattr(element, kind) or ""


def _serialised(body: Any) -> bytes:
    root = etree.Element(f"{{{XHTML}}}html", nsmap={None: XHTML})
    etree.SubElement(etree.SubElement(root, f"{{{XHTML}}}head"), f"{{{XHTML}}}title").text = "t"
    root.append(body)
    data: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


# -- what is done to the text


def untouched(text: str, _number: int) -> str:
    return text


def other_punctuation(text: str, _number: int) -> str:
    """Smart punctuation made plain, and plain made smart."""
    if re.search("[“”‘’—…]", text):
        for smart, plain in (("“", '"'), ("”", '"'), ("‘", "'"), ("’", "'"), ("—", "--"), ("…", "...")):
            text = text.replace(smart, plain)
        return text
    text = re.sub(r'(^|\s)"', r"\1“", text).replace('"', "”").replace("'", "’")
    return text.replace("--", "—").replace("...", "…")


def decomposed(text: str, _number: int) -> str:
    """Composed characters taken apart, and the other way round."""
    apart = unicodedata.normalize("NFD", text)
    return apart if apart != text else unicodedata.normalize("NFC", text)


def sentence_deleted(text: str, number: int) -> str:
    """Here and there a text loses its first sentence."""
    return re.sub(r"^[^.!?]{10,}?[.!?]+", "", text, count=1) if number % EVERY == EVERY // 2 else text


def sentence_inserted(text: str, number: int) -> str:
    """Here and there a text gains a sentence."""
    return (
        f"And number {number} is a sentence nobody had written before. {text}"
        if number % EVERY == 0 and ink(text)
        else text
    )


# -- what is done to the documents


def renamed(bodies: list[Any]) -> list[Any]:
    """Every document gets another name; nothing else."""
    return bodies


def with_blank_page(bodies: list[Any]) -> list[Any]:
    """As Kobo's own converter and calibre's covers do."""
    return [etree.Element(f"{{{XHTML}}}body"), *bodies]


def split(bodies: list[Any]) -> list[Any]:
    """As calibre does with long documents: cut between blocks, the elements around the cut made again."""
    result: list[Any] = []
    for body in bodies:
        wrapper = body
        while len(wrapper) == 1 and not ink(wrapper.text or "") and local_name(wrapper[0]) in ("div", "section"):
            wrapper = wrapper[0]
        children = list(wrapper)
        if len(children) < 4 or ink(wrapper.text or ""):
            result.append(body)
            continue
        for at in range(0, len(children), max(len(children) // 3, 2)):
            part = etree.Element(f"{{{XHTML}}}body")
            inner = etree.SubElement(part, f"{{{XHTML}}}div")
            inner.extend(children[at : at + max(len(children) // 3, 2)])
            result.append(part)
    return result


def merged(bodies: list[Any]) -> list[Any]:
    """The whole book in one document."""
    whole = etree.Element(f"{{{XHTML}}}body")
    for body in bodies:
        body.tag = f"{{{XHTML}}}div"
        whole.append(body)
    return [whole]


def moved(bodies: list[Any]) -> list[Any]:
    """Of each document the first paragraph goes to its end."""
    for body in bodies:
        paragraphs = [p for p in body.iter(f"{{{XHTML}}}p") if len(ink("".join(p.itertext()))) > 200]
        if len(paragraphs) > 3 and not ink(paragraphs[0].tail or ""):
            body.append(paragraphs[0])
    return bodies
