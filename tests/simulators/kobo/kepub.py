"""The device's own view of a file that it downloaded: documents, spans as they stand in the file, pages."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

WORDS = 120  # on a page
SPAN_ID = re.compile(r"kobo\.\d+\.\d+")
EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
HIDDEN = {"script", "style", "template", "title", "head"}


@dataclass(frozen=True)
class Span:
    """A koboSpan: where it is, its text, and at which word of its document it begins."""

    source: str
    id: str
    text: str
    word: int


@dataclass
class Document:
    """One document of the spine: its words, and the spans and ids with the word at which each begins. `lines`: what the
    table of contents points at in it, "" for its beginning."""

    source: str
    words: list[str]
    spans: list[Span]
    ids: dict[str, int] = field(default_factory=dict)
    lines: set[str] = field(default_factory=set)

    @property
    def pages(self) -> int:
        return max(-(-len(self.words) // WORDS), 1)


class Kepub:
    """A file as the renderer sees it. `has_spans` is false for a plain EPUB, in which places are chapters only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.documents = [_read(archive, source) for source in _spine(archive)]
            for source, id in _lines(archive):
                if document := self.document(source):
                    document.lines.add(id)
        self.has_spans = any(document.spans for document in self.documents)

    def span(self, source: str, id: str) -> Span | None:
        """The span, `None` if the file has none of that name."""
        document = self.document(source)
        return next((span for span in document.spans if span.id == id), None) if document else None

    def document(self, source: str) -> Document | None:
        """A document by its path in the archive."""
        return next((document for document in self.documents if document.source == source), None)

    def find(self, text: str) -> Span:
        """The first span that contains `text`, white space folded. Raises `LookupError`."""
        wanted = " ".join(text.split())
        for document in self.documents:
            for span in document.spans:
                if wanted in " ".join(span.text.split()):
                    return span
        raise LookupError(f"no span of {self.path.name} contains {text!r}")

    def is_drawn(self, span: Span) -> bool:
        """Whether a highlight made there is shown. It is filed under the line of the contents that it stands below, and
        looked for under the name of the document (10.1)."""
        document = self.document(span.source)
        assert document is not None
        lines = {document.ids[id]: id for id in document.lines - {""} if id in document.ids}
        last = max((word for word in lines if word <= span.word), default=None)
        return last is None or (last == 0 and "" in document.lines)

    def percent(self, source: str, word: int) -> tuple[int, int]:
        """Share of the book and of the document before a word, as the device shows them."""
        total = sum(len(document.words) for document in self.documents) or 1
        before = 0
        for document in self.documents:
            if document.source == source:
                return (before + word) * 100 // total, word * 100 // max(len(document.words), 1)
            before += len(document.words)
        return 0, 0


def _spine(archive: zipfile.ZipFile) -> list[str]:
    container = etree.fromstring(archive.read("META-INF/container.xml"))
    opf = unquote(container.find(".//{*}rootfile").get("full-path"))
    package = etree.fromstring(archive.read(opf))
    items = {item.get("id"): item.get("href") for item in package.iterfind(".//{*}manifest/{*}item")}
    names = set(archive.namelist())
    sources = []
    for itemref in package.iterfind(".//{*}spine/{*}itemref"):
        href = items.get(itemref.get("idref"))
        source = posixpath.normpath(posixpath.join(posixpath.dirname(opf), unquote(href))) if href else ""
        if source in names and source not in sources:
            sources.append(source)
    return sources


def _lines(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Document and id of each line of the contents, of either kind."""
    for name in archive.namelist():
        data = archive.read(name) if name.endswith((".ncx", ".xhtml", ".html", ".htm")) else b""
        if b"navMap" not in data and b"<nav" not in data:
            continue
        root = etree.fromstring(data, etree.XMLParser(recover=True, resolve_entities=False, no_network=True))
        navs = [nav for nav in root.iterfind(".//{*}nav") if "toc" in (nav.get(EPUB_TYPE) or "").split()]
        links = [link.get("href") for nav in navs for link in nav.iterfind(".//{*}a")]
        links += [content.get("src") for content in root.iterfind(".//{*}navMap//{*}content")]
        for href, _, id in (link.partition("#") for link in links if link):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(href))), unquote(id)


def _read(archive: zipfile.ZipFile, source: str) -> Document:
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(archive.read(source), parser)
    document = Document(source, [], [])
    body = root.find(".//{*}body") if root is not None else None
    if body is not None:
        _walk(body, document)
    return document


def _walk(element: etree._Element, document: Document) -> None:
    """Words and spans in document order, without recursion: some books nest deeply."""
    for event, node in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        if not isinstance(node.tag, str):
            _add(document, node.tail if event in ("comment", "pi") else None)
            continue
        name = etree.QName(node).localname
        if event == "start":
            id = node.get("id") or ""
            document.ids.setdefault(id, len(document.words))
            if name == "span" and SPAN_ID.fullmatch(id):
                document.spans.append(Span(document.source, id, "".join(node.itertext()), len(document.words)))
            if not _is_hidden(node):
                _add(document, node.text)
        elif node is not element and not _is_hidden(node.getparent()):
            _add(document, node.tail)


def _is_hidden(node: etree._Element | None) -> bool:
    while node is not None:
        if isinstance(node.tag, str) and etree.QName(node).localname in HIDDEN:
            return True
        node = node.getparent()
    return False


def _add(document: Document, text: str | None) -> None:
    if text:
        document.words += text.split()
