"""The package document: which files a book has, in which order.

Both numberings of the spine are kept, because the dialects disagree (docs/reference/positions.md C.4 rule 9):
a CFI counts every element of the spine, KOReader only the `itemref`s that name a manifest item.
"""

import posixpath
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.errors import MissingEntry, NotAnEpub, Protected
from appliance.epub.markup import local_name, parse_xml

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
PACKAGE_TYPE = "application/oebps-package+xml"
FONT_OBFUSCATION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


@dataclass(frozen=True, slots=True)
class Item:
    """A manifest item. `path` is the name of the archive entry it means, resolved and percent-decoded."""

    id: str
    href: str
    path: str
    media_type: str
    properties: frozenset[str]
    exists: bool


@dataclass(frozen=True, slots=True)
class SpineItem:
    """An `itemref`.

    `ordinal`: 0-based among all `itemref`s. `cfi_step`: even step inside the spine element. `fragment`: KOReader's
    1-based DocFragment number, `None` for an `itemref` that names no manifest item (docs/reference/xpointer.md 2).
    """

    ordinal: int
    idref: str
    item: Item | None
    linear: bool
    cfi_step: int
    cfi_id: str | None
    fragment: int | None


@dataclass(frozen=True, slots=True)
class Package:
    """What the package document says. `path`: its entry name; `root`: the parsed element (metadata is read from it)."""

    path: str
    root: Any = field(repr=False)
    items: dict[str, Item] = field(repr=False)
    spine: tuple[SpineItem, ...] = field(repr=False)
    spine_cfi_step: int
    spine_cfi_id: str | None
    toc_id: str | None
    doubts: tuple[str, ...]

    def resolve(self, href: str) -> str:
        """Entry name for a reference in the package document."""
        return resolve(self.path, href)

    def item_at(self, path: str) -> Item | None:
        """The manifest item whose entry is `path`."""
        return next((item for item in self.items.values() if item.path == path), None)


def resolve(base: str, href: str) -> str:
    """Entry name that `href` (percent-encoded, maybe with a fragment) means in the document `base`.

    A reference that climbs above the root of the book stops at the root, as browsers do.
    """
    path = unquote(href.split("#", 1)[0].split("?", 1)[0])
    if not path:
        return base
    joined = path.lstrip("/") if path.startswith("/") else posixpath.join(posixpath.dirname(base), path)
    parts: list[str] = []
    for part in joined.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def read_package(archive: Archive) -> Package:
    """Read container and package document. Raises a `BookError` when the book cannot be used at all."""
    doubts: list[str] = []
    path = _package_path(archive, doubts)
    root = parse_xml(archive.read(path, MAX_MARKUP), f"The package document “{path}”", recover=True)
    items = _manifest(root, path, archive, doubts)
    _refuse_protected(archive, items)
    spine, step, cfi_id, toc_id = _spine(root, items, doubts)
    if not any(item.item is not None and item.item.exists for item in spine):
        raise NotAnEpub("The book lists no text: none of the documents in its spine is in the file.")
    return Package(path, root, items, tuple(spine), step, cfi_id, toc_id, tuple(doubts))


def _package_path(archive: Archive, doubts: list[str]) -> str:
    if CONTAINER not in archive:
        packages = [name for name in archive.names() if name.lower().endswith(".opf")]
        if len(packages) != 1:
            raise NotAnEpub(f"This is not an EPUB: it has no {CONTAINER}.")
        doubts.append(f"{CONTAINER} is missing; “{packages[0]}” is the only package document.")
        return packages[0]
    container = parse_xml(archive.read(CONTAINER, MAX_MARKUP), f"“{CONTAINER}”", recover=True)
    for element in container.iter():
        # KOReader and kepubify use the first rendition only (xpointer.md 2.1, kepub.md 2); so do we.
        if local_name(element) == "rootfile" and element.get("media-type", PACKAGE_TYPE) == PACKAGE_TYPE:
            path = archive.find(resolve("", element.get("full-path") or ""))
            if path is None:
                wanted = element.get("full-path")
                raise MissingEntry(
                    f"“{CONTAINER}” points to the package document “{wanted}”, which is not in the file."
                )
            return path
    raise NotAnEpub(f"This is not an EPUB: “{CONTAINER}” names no package document.")


def _manifest(root: Any, package_path: str, archive: Archive, doubts: list[str]) -> dict[str, Item]:
    items: dict[str, Item] = {}
    missing = 0
    for element in root.iter():
        if local_name(element) != "item" or local_name(element.getparent()) != "manifest":
            continue
        identifier, href = element.get("id"), element.get("href")
        if not identifier or not href:
            doubts.append("A manifest item without id or href was left out.")
            continue
        if identifier in items:
            doubts.append(f"The id “{identifier}” stands twice in the manifest; the first one counts.")
            continue
        remote = re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE) is not None
        path = href if remote else resolve(package_path, href)
        entry = None if remote else archive.find(path)
        missing += entry is None and not remote
        items[identifier] = Item(
            identifier,
            href,
            entry or path,
            (element.get("media-type") or "").strip().lower(),
            frozenset((element.get("properties") or "").split()),
            entry is not None,
        )
    if missing:
        doubts.append(f"{missing} files of the manifest are missing from the archive.")
    return items


def _spine(root: Any, items: dict[str, Item], doubts: list[str]) -> tuple[list[SpineItem], int, str | None, str | None]:
    children = [child for child in root if isinstance(child.tag, str)]
    position = next((place for place, child in enumerate(children) if local_name(child) == "spine"), None)
    if position is None:
        raise NotAnEpub("The package document has no spine, so the order of the text is unknown.")
    spine = children[position]
    result: list[SpineItem] = []
    fragment = 0
    for step, element in enumerate((child for child in spine if isinstance(child.tag, str)), start=1):
        if local_name(element) != "itemref":
            continue
        idref = element.get("idref") or ""
        item = items.get(idref)
        if item is None:
            doubts.append(f"The spine names “{idref}”, which is not in the manifest.")
        else:
            fragment += 1
        result.append(
            SpineItem(
                len(result),
                idref,
                item,
                (element.get("linear") or "yes").strip().lower() != "no",
                step * 2,
                element.get("id"),
                fragment if item is not None else None,
            )
        )
    return result, (position + 1) * 2, spine.get("id"), spine.get("toc")


def _refuse_protected(archive: Archive, items: dict[str, Item]) -> None:
    """Font obfuscation is harmless; an encrypted content document means DRM."""
    if "META-INF/rights.xml" not in archive and ENCRYPTION not in archive:
        return
    if ENCRYPTION not in archive:
        return
    root = parse_xml(archive.read(ENCRYPTION, MAX_MARKUP), f"“{ENCRYPTION}”", recover=True)
    markup = {item.path for item in items.values() if item.media_type in ("application/xhtml+xml", "text/html")}
    for data in (element for element in root.iter() if local_name(element) == "EncryptedData"):
        algorithm = next((e.get("Algorithm") for e in data.iter() if local_name(e) == "EncryptionMethod"), None)
        if algorithm in FONT_OBFUSCATION:
            continue
        for reference in (e for e in data.iter() if local_name(e) == "CipherReference"):
            if resolve("", reference.get("URI") or "") in markup:
                raise Protected("The text of this book is encrypted (DRM).")
