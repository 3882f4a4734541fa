"""What the stand-in of KOReader knows of a book: its text nodes by XPointer, beside the file as `<file>.json`.

Made from a real EPUB by `appliance.positions`, whose names of places are proven against the engine's elsewhere
(tests/positions), so that the same file can be on the server and in the reader.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance.epub.archive import Archive
from appliance.epub.contents import Entry, read_contents
from appliance.epub.metadata import Metadata, read_metadata
from appliance.epub.package import read_package
from appliance.positions.book import OpenBook
from appliance.positions.crengine.defaults import INLINE, Dom
from appliance.positions.crengine.nodes import Node, TextNode
from tests.simulators.kosync import partial_md5

NOT_SHOWN = {"head", "script", "style", "stylesheet"}


def write_model(book: Path, *, indexed: bool = False) -> Path:
    """Write the model of an EPUB beside it. `indexed`: in the spelling of DOM version 20260812."""
    target = book.with_name(book.name + ".json")
    target.write_text(json.dumps(model(book, indexed=indexed), ensure_ascii=False), encoding="utf-8")
    return target


def model(path: Path, *, indexed: bool = False) -> dict[str, object]:
    """The text nodes (`path`, `text`, `block`: it begins a paragraph), elements, contents and metadata of an EPUB."""
    book = OpenBook.open(path, partial_md5(path))
    lines = _Lines(indexed)
    starts: dict[str, str] = {}
    for document in book.summary.documents:
        if document.fragment is None:
            continue
        tree = book._tree(document, Dom.NEWEST if indexed else Dom.NORMAL)
        for number, body in enumerate(tree.bodies):
            root = "/body[1]/DocFragment" if indexed else "/body/DocFragment"
            if indexed or book.summary.fragments > 1:
                root += f"[{document.fragment + number}]"
            lines.start(root)
            starts.setdefault(document.path, root)
            lines.read(body, root + ("/body[1]" if indexed else "/body"))
    book.close()
    with Archive(path) as archive:
        package = read_package(archive)
        contents = list(_entries(read_contents(archive, package), starts, 1))
        props = _props(read_metadata(package))
    version = 20260812 if indexed else 20240114
    return {"dom_version": version, "nodes": lines.nodes, "elements": lines.elements, "toc": contents, "props": props}


class _Lines:
    """Text nodes in order. `elements`: the number (from 1) of the first text node at or after each element."""

    def __init__(self, indexed: bool) -> None:
        self.indexed = indexed
        self.nodes: list[dict[str, object]] = []
        self.elements: dict[str, int] = {}
        self._begins = True

    def start(self, path: str) -> None:
        self.elements[path] = len(self.nodes) + 1
        self._begins = True

    def read(self, node: Node, path: str) -> None:
        self.elements[path] = len(self.nodes) + 1
        block = node.style.display not in INLINE
        self._begins = self._begins or block
        for child in node.children:
            name = "text()" if isinstance(child, TextNode) else child.name
            step = f"{path}/{name}" if child.only and not self.indexed else f"{path}/{name}[{child.nth}]"
            if isinstance(child, TextNode):
                self.nodes.append({"path": step, "text": child.text, "block": self._begins})
                self._begins = False
            elif child.name not in NOT_SHOWN:
                self.read(child, step)
        self._begins = self._begins or block


def _entries(entries: Iterable[Entry], starts: dict[str, str], depth: int) -> Iterator[dict[str, object]]:
    for entry in entries:
        if entry.path in starts:
            yield {"title": entry.title, "path": starts[entry.path] + ".0", "depth": depth}
        yield from _entries(entry.children, starts, depth + 1)


def _props(metadata: Metadata) -> dict[str, object]:
    """As KOReader keeps them: several authors, and several identifiers, in lines."""
    props: dict[str, object] = {
        "title": metadata.title,
        "authors": "\n".join(author.name for author in metadata.authors),
        "language": metadata.language,
        "identifiers": "\n".join(metadata.identifiers),
    }
    if metadata.series is not None:
        props |= {"series": metadata.series, "series_index": metadata.series_index}
    return props
