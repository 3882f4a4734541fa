"""What a conversion needs from the package document, and what it changes there (docs/reference/kepub.md 2, 5)."""

import posixpath
import re

from lxml import etree

from appliance.epub.archive import Archive
from appliance.epub.errors import MalformedMarkup
from appliance.epub.markup import local_name, parse_xml
from appliance.epub.package import Package

_HTML_TYPES = ("application/xhtml+xml", "text/html")
_HTML_NAMES = (".htm", ".html", ".xhtml")
_JUNK = frozenset({"calibre_bookmarks.txt", "itunesmetadata.plist", "itunesartwork.plist", ".ds_store", "thumbs.db"})


def content_documents(archive: Archive, package: Package) -> set[str]:
    """Entry names of the documents that get spans: every (X)HTML item of the manifest, by type or by name, in the spine
    or not."""
    documents: set[str] = set()
    for element in package.root.iter(etree.Element):
        if local_name(element) != "item" or local_name(element.getparent()) != "manifest":
            continue
        href = element.get("href") or ""
        media_type = (element.get("media-type") or "").strip().lower()
        if not href or re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE):
            continue
        path = archive.find(package.resolve(href))
        if path is not None and (media_type in _HTML_TYPES or path.lower().endswith(_HTML_NAMES)):
            documents.add(path)
    return documents


def is_junk(name: str) -> bool:
    """Whether an entry is something that programs left behind in the archive."""
    return posixpath.basename(name).lower() in _JUNK or name.startswith("__MACOSX/")


def with_cover_property(data: bytes, package: Package) -> bytes:
    """The package document in which the cover image of an EPUB 2 is marked as EPUB 3 does, so that a Kobo finds it.
    Nothing else changes; unchanged bytes when there is nothing to do."""
    if any("cover-image" in item.properties for item in package.items.values()):
        return data
    covers = [
        element.get("content")
        for element in package.root.iter(etree.Element)
        if local_name(element) == "meta" and element.get("name") == "cover"
    ]
    item = package.items.get(covers[0] if covers and covers[0] else "cover")
    if item is None or not item.media_type.startswith("image/"):
        return data
    try:
        root = parse_xml(data, "The package document")
    except MalformedMarkup:
        return data
    encoding = root.getroottree().docinfo.encoding or "utf-8"
    source = data.decode(encoding, "replace")
    tag = re.search(
        rf"""<(?:[\w.-]+:)?item\b(?=[^<>]*\sid\s*=\s*["']{re.escape(item.id)}["'])[^<>]*>""", source, re.DOTALL
    )
    if tag is None:
        return data
    old = tag.group()
    properties = re.search(r"""\bproperties\s*=\s*(["'])""", old)
    if properties:
        new = f"{old[: properties.end()]}cover-image {old[properties.end() :]}"
    else:
        end = len(old) - (2 if old.endswith("/>") else 1)
        new = f'{old[:end].rstrip()} properties="cover-image"{old[end:]}'
    return (source[: tag.start()] + new + source[tag.end() :]).encode(encoding)
