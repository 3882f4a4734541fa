"""Which picture of the book is its cover. Makers say it in five ways; the most explicit one counts."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.document import parse_document
from appliance.epub.errors import BookError
from appliance.epub.markup import local_name
from appliance.epub.package import Item, Package, resolve

RASTER = frozenset({"image/jpeg", "image/jpg", "image/png", "image/gif", "image/webp"})
SVG_TYPE = "image/svg+xml"
_BY_SUFFIX = {"jpg", "jpeg", "png", "gif", "webp"}
HREF = ("href", "{http://www.w3.org/1999/xlink}href", "src", "xlink:href")

MAX_COVER = 24 * 1024 * 1024  # bytes
MAX_PAGE = 256 * 1024  # bytes of a page that may show the cover
MAX_PAGE_TEXT = 400  # characters: a long text that begins with an ornament is not a cover page


@dataclass(frozen=True, slots=True)
class Cover:
    """Where the picture is: the archive entry `path`, or inside that entry when it is an SVG with the picture as a
    data URL (`embedded`)."""

    path: str
    embedded: bool = False


def find_cover(archive: Archive, package: Package) -> Cover | None:
    """The cover as a picture that can be scaled (JPEG, PNG, GIF, WebP); `None` when there is none."""
    for path in _candidates(archive, package):
        try:
            cover = _raster(archive, package, path)
        except BookError:
            continue
        if cover is not None:
            return cover
    return None


def read_cover(archive: Archive, cover: Cover) -> bytes:
    """The bytes of the picture. Raises `BookError`."""
    if not cover.embedded:
        return archive.read(cover.path, MAX_COVER)
    root = parse_document(archive.read(cover.path, MAX_MARKUP), SVG_TYPE).root
    return next(_embedded_pictures(root), b"")


def _candidates(archive: Archive, package: Package) -> Iterator[str]:
    """Archive entries that may be the cover or show it, the most explicit first."""
    items = [item for item in package.items.values() if item.exists]
    yield from (item.path for item in items if "cover-image" in item.properties)
    for meta in package.root.iter():
        if local_name(meta) == "meta" and (meta.get("name") or "").strip().lower() == "cover":
            content = (meta.get("content") or "").strip()
            named = package.items.get(content)  # by id as it should be, or by href as some makers do
            path = named.path if named is not None and named.exists else archive.find(package.resolve(content))
            if content and path:
                yield path
    for reference in package.root.iter():
        if local_name(reference) == "reference" and "cover" in (reference.get("type") or "").lower():
            path = archive.find(package.resolve(reference.get("href") or ""))
            if path:
                yield path
    pictures = [item for item in items if _is_picture(item)]
    yield from (item.path for item in pictures if re.search("cover", item.id, re.IGNORECASE))
    yield from (item.path for item in pictures if re.search("cover", item.path.rpartition("/")[2], re.IGNORECASE))
    first = next((item.item for item in package.spine if item.item is not None and item.item.exists), None)
    if first is not None:
        yield first.path


def _is_picture(item: Item) -> bool:
    return item.media_type in RASTER or item.media_type == SVG_TYPE


def _raster(archive: Archive, package: Package, path: str) -> Cover | None:
    """The picture at `path`, or the one that the page or SVG drawing at `path` shows."""
    if _is_raster(package, path):
        return Cover(path) if archive.size(path) else None
    item = package.item_at(path)
    media_type = item.media_type if item is not None else ""
    is_svg = media_type == SVG_TYPE or path.lower().endswith(".svg")
    if archive.size(path) > (MAX_MARKUP if is_svg else MAX_PAGE):
        return None
    document = parse_document(archive.read(path, MAX_MARKUP), SVG_TYPE if is_svg else media_type or "text/html")
    if not is_svg and len("".join(document.body.itertext()) if document.body is not None else "") > MAX_PAGE_TEXT:
        return None
    for element in document.root.iter():
        if local_name(element) in ("img", "image"):
            href = next((value for name in HREF if (value := element.get(name))), "")
            target = archive.find(resolve(path, href)) if not href.startswith("data:") else None
            if target is not None and _is_raster(package, target) and archive.size(target):
                return Cover(target)
    if is_svg and next(_embedded_pictures(document.root), b""):
        return Cover(path, embedded=True)
    return None


def _is_raster(package: Package, path: str) -> bool:
    item = package.item_at(path)
    return (item is not None and item.media_type in RASTER) or path.rpartition(".")[2].lower() in _BY_SUFFIX


def _embedded_pictures(root: Any) -> Iterator[bytes]:
    for element in root.iter():
        if local_name(element) not in ("img", "image"):
            continue
        for href in (value for name in HREF if (value := element.get(name))):
            header, comma, data = href.partition(",")
            if not comma or not re.match(r"data:image/(jpeg|jpg|png|gif|webp)\b", header, re.IGNORECASE):
                continue
            try:
                yield base64.b64decode(unquote_to_bytes(data)) if ";base64" in header else unquote_to_bytes(data)
            except (binascii.Error, ValueError):
                continue
