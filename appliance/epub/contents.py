"""The table of contents: from the navigation document (EPUB 3), else from the NCX (EPUB 2)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.document import parse_document
from appliance.epub.errors import BookError
from appliance.epub.markup import local_name, parse_xml
from appliance.epub.metadata import line
from appliance.epub.package import Item, Package, resolve

NCX_TYPE = "application/x-dtbncx+xml"
EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"

MAX_ENTRIES = 10_000
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents. `path`: archive entry, empty for a heading without a link or for a link that
    leads nowhere in the book. `fragment`: percent-decoded, without "#", empty for the start of the document."""

    title: str
    path: str
    fragment: str
    children: tuple["Entry", ...]


def read_contents(archive: Archive, package: Package) -> tuple[Entry, ...]:
    """The table of contents; empty when the book has none that can be read."""
    return next((entries for _, entries in read_tables(archive, package)), ())


def read_tables(archive: Archive, package: Package) -> Iterator[tuple[Item, tuple[Entry, ...]]]:
    """Every table of contents that can be read, with the file it stands in, the best first."""
    seen = set()
    for item, read in _sources(package):
        if item.path in seen:
            continue
        seen.add(item.path)
        try:
            entries = read(item, archive, _Budget())
        except BookError:
            continue
        if entries:
            yield item, entries


_Reader = Callable[[Item, Archive, "_Budget"], tuple[Entry, ...]]


def _sources(package: Package) -> Iterator[tuple[Item, _Reader]]:
    for item in package.items.values():
        if "nav" in item.properties and item.exists:
            yield item, _from_nav
    ncx = package.items.get(package.toc_id or "")
    for item in ([ncx] if ncx else []) + [item for item in package.items.values() if item.media_type == NCX_TYPE]:
        if item.exists:
            yield item, _from_ncx


class _Budget:
    """Bounds the number of entries of one table."""

    def __init__(self) -> None:
        self.left = MAX_ENTRIES

    def spend(self) -> bool:
        self.left -= 1
        return self.left >= 0


def _from_nav(item: Item, archive: Archive, budget: _Budget) -> tuple[Entry, ...]:
    document = parse_document(archive.read(item.path, MAX_MARKUP), item.media_type)
    navs = [element for element in document.root.iter() if local_name(element) == "nav"]
    # The HTML algorithm keeps "epub:type" as a plain name.
    types = {
        nav: (nav.get(EPUB_TYPE) or nav.get("epub:type") or nav.get("epubU0003Atype") or "").split() for nav in navs
    }
    chosen = [nav for nav in navs if "toc" in types[nav] or nav.get("role") == "doc-toc"]
    chosen = chosen or [nav for nav in navs if not types[nav]]
    for nav in chosen:
        for child in nav:
            if local_name(child) == "ol":
                return _nav_list(child, item.path, archive, budget, 1)
    return ()


def _nav_list(items: Any, base: str, archive: Archive, budget: _Budget, depth: int) -> tuple[Entry, ...]:
    entries = []
    for li in items:
        if local_name(li) != "li" or not budget.spend():
            continue
        title, href = "", ""
        children: tuple[Entry, ...] = ()
        for child in li:
            name = local_name(child)
            if name == "ol":
                if depth < MAX_DEPTH:
                    children += _nav_list(child, base, archive, budget, depth + 1)
            elif not title and name:
                link = child if name == "a" else next((e for e in child.iter() if local_name(e) == "a"), None)
                title = _label(child)
                href = link.get("href") or "" if link is not None else ""
        if title or children:
            entries.append(_entry(title, href, base, archive, children))
    return tuple(entries)


def _label(element: Any) -> str:
    """The text of a link; the `alt` of an image counts as its text."""
    pieces: list[str] = []
    for node in element.iter():
        if local_name(node) == "img":
            pieces.append(node.get("alt") or "")
        elif isinstance(node.tag, str):
            pieces.append(node.text or "")
        if node is not element:
            pieces.append(node.tail or "")
    return line("".join(pieces)) or line(element.get("title") or "")


def _from_ncx(item: Item, archive: Archive, budget: _Budget) -> tuple[Entry, ...]:
    root = parse_xml(archive.read(item.path, MAX_MARKUP), f"“{item.path}”", recover=True)
    for element in root.iter():
        if local_name(element) == "navMap":
            return _ncx_points(element, item.path, archive, budget, 1)
    return ()


def _ncx_points(parent: Any, base: str, archive: Archive, budget: _Budget, depth: int) -> tuple[Entry, ...]:
    entries = []
    for point in parent:
        if local_name(point) != "navPoint" or not budget.spend():
            continue
        title, src = "", ""
        for child in point:
            if local_name(child) == "navLabel" and not title:
                title = line("".join(child.itertext()))
            elif local_name(child) == "content" and not src:
                src = child.get("src") or ""
        children = _ncx_points(point, base, archive, budget, depth + 1) if depth < MAX_DEPTH else ()
        if title or children:
            entries.append(_entry(title, src, base, archive, children))
    return tuple(entries)


def _entry(title: str, href: str, base: str, archive: Archive, children: tuple[Entry, ...]) -> Entry:
    href = href.strip()
    if not href or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", href):
        return Entry(title, "", "", children)
    path = archive.find(resolve(base, href))
    return Entry(title, path or "", unquote(href.partition("#")[2]) if path else "", children)
