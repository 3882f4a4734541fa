"""A book in which no line of the contents leads into the middle of a document, as far as that can be had.

A Kobo files a highlight under the line of the contents that it stands below, and draws it only where that is the name
of a document, byte by byte: under `book.xhtml#chapter5` it is stored and never seen (kobo-protocol.md 10.1). So an id
that only says "the beginning" is left out, and a document that the contents divide is divided before a Kobo gets it.
"""

import os
import posixpath
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from lxml import etree

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.contents import Entry, read_tables
from appliance.epub.document import with_known_entities
from appliance.epub.errors import BookError
from appliance.epub.markup import local_name, parse_xml
from appliance.epub.package import Item, Package, read_package
from appliance.epub.writer import ArchiveWriter, copy_entry, pack
from appliance.kepub.cuts import Divided, divide
from appliance.kepub.links import Division, redirected
from appliance.kepub.numbering import TAG, end_of, name_of
from appliance.kepub.package import content_documents

MAX_PARTS = 1_000  # documents that one book may become; a Kobo is slow with more
_OWN_ENTITIES = re.compile(r"<!DOCTYPE[^>\[]*\[", re.IGNORECASE)
_ENCODING = re.compile(r"""(\A<\?xml[^>]*?encoding\s*=\s*)(["'])[^"']*\2""")
_ATTRIBUTE = r"""\s{}\s*=\s*(?:"([^"]*)"|'([^']*)')"""


@dataclass(slots=True)
class _Plan:
    """`tables`: files with a table of contents. `wanted`: the ids that they name, by document. `divisions`: by
    document. `left`: how many ids are still in the middle of a document."""

    tables: set[str] = field(default_factory=set)
    wanted: dict[str, set[str]] = field(default_factory=dict)
    divisions: dict[str, Division] = field(default_factory=dict)
    left: int = 0

    @property
    def divides(self) -> bool:
        return any(len(division.names) > 1 for division in self.divisions.values())


@contextmanager
def chapters_apart(source: Path, folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The EPUB to convert for a Kobo, and what a person should know of it: a copy in `folder`, gone afterwards, or
    `source` itself where nothing has to change. Raises `BookError`, `OSError`."""
    with Archive(source) as archive:
        package = read_package(archive)
        plan = _plan(archive, package)
        doubts: tuple[str, ...] = ()
        if plan.left:
            doubts = (
                f"{plan.left} lines of the contents lead into the middle of a document that cannot be divided there;"
                " some Kobos do not show highlights behind them.",
            )
        if not plan.divisions:
            yield source, doubts
            return
        descriptor, name = tempfile.mkstemp(prefix=".converting-", suffix=".epub", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                _write(archive, package, plan, stream)
            yield Path(name), doubts
        finally:
            Path(name).unlink(missing_ok=True)


def _plan(archive: Archive, package: Package) -> _Plan:
    """What to do; nothing for a book of pages with a fixed layout, which has no highlights."""
    plan = _Plan()
    for item, entries in read_tables(archive, package):
        plan.tables.add(item.path)
        for entry in _all(entries):
            if entry.fragment:
                plan.wanted.setdefault(entry.path, set()).add(entry.fragment)
    if not plan.wanted or _is_fixed(package) or _text(archive, package.path) is None:
        return _Plan()
    taken = {name.lower() for name in archive.names()}
    room = MAX_PARTS - len(package.spine)
    for item in _divisible(archive, package):
        if item.path not in plan.wanted or item.path in plan.tables:
            continue
        divided = _divided(archive, plan, item.path)
        if divided is None or len(divided.parts) - 1 > room or not _is_well(divided):
            continue
        room -= len(divided.parts) - 1
        further = [_free(item.path, number, taken) for number in range(2, len(divided.parts) + 1)]
        plan.divisions[item.path] = Division((item.path, *further), divided.anchors)
    for path, ids in plan.wanted.items():
        anchors = plan.divisions[path].anchors if path in plan.divisions else {}
        plan.left += sum(id not in anchors or not anchors[id].leads for id in ids)
    return plan


def _divided(archive: Archive, plan: _Plan, path: str) -> Divided | None:
    source = _text(archive, path)
    return divide(source, frozenset(plan.wanted[path])) if source is not None else None


def _all(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        yield from _all(entry.children)


def _is_fixed(package: Package) -> bool:
    layouts = (
        element
        for element in package.root.iter(etree.Element)
        if local_name(element) == "meta" and element.get("property") == "rendition:layout"
    )
    return any((element.text or "").strip() == "pre-paginated" for element in layouts)


def _divisible(archive: Archive, package: Package) -> Iterator[Item]:
    """Documents that stand in the spine once and have no spoken words, which go with a whole document."""
    documents = content_documents(archive, package)
    spine = [item.item.path for item in package.spine if item.item is not None]
    spoken = {element.get("id") for element in package.root.iter(etree.Element) if element.get("media-overlay")}
    for path in dict.fromkeys(spine):
        item = package.item_at(path)
        if item is not None and path in documents and spine.count(path) == 1 and item.id not in spoken:
            yield item


def _text(archive: Archive, name: str) -> str | None:
    """The source of a well-formed file, as UTF-8; `None` for any other, and for what runs scripts."""
    try:
        data = archive.read(name, MAX_MARKUP)
        root = parse_xml(with_known_entities(data), "The file")
        text = data.decode(root.getroottree().docinfo.encoding or "utf-8").removeprefix("\ufeff")
    except (BookError, LookupError, UnicodeError):
        return None
    if _OWN_ENTITIES.search(text[:65536]) or "<script" in text:
        return None
    return _ENCODING.sub(r"\1\2utf-8\2", text, count=1)


def _is_well(divided: Divided) -> bool:
    """Whether every part is a document."""
    try:
        for part in divided.parts if len(divided.parts) > 1 else ():
            parse_xml(with_known_entities(part.encode()), "The part")
    except BookError:
        return False
    return True


def _free(path: str, number: int, taken: set[str]) -> str:
    stem, extension = posixpath.splitext(path)
    name = f"{stem}-{number}{extension}"
    while name.lower() in taken:
        stem += "-"
        name = f"{stem}-{number}{extension}"
    taken.add(name.lower())
    return name


def _write(archive: Archive, package: Package, plan: _Plan, stream: BinaryIO) -> None:
    writer = ArchiveWriter(stream)
    linking = plan.tables | (content_documents(archive, package) if plan.divides else set())
    for name in archive.names():
        if name == "mimetype":
            continue
        division = plan.divisions.get(name)
        if division is not None and len(division.names) > 1:
            divided = _divided(archive, plan, name)
            assert divided is not None
            for number, text in enumerate(divided.parts):
                text = redirected(text, name, plan.divisions, archive.find, part=number)
                writer.add(division.names[number], pack(text.encode()))
        elif name == package.path and plan.divides:
            source = _text(archive, name)
            assert source is not None
            listed = _listed(redirected(source, name, plan.divisions, archive.find), package, plan)
            writer.add(name, pack(listed.encode()))
        elif name in linking:
            _write_linking(archive, name, plan, writer)
        else:
            copy_entry(archive, name, writer)
    writer.finish()


def _write_linking(archive: Archive, name: str, plan: _Plan, writer: ArchiveWriter) -> None:
    data = archive.read(name, MAX_MARKUP)
    declared = re.match(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""", data)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else declared[1].decode() if declared else "utf-8"
    try:
        source = data.decode(encoding)
        text = redirected(source, name, plan.divisions, archive.find, is_table=name in plan.tables)
        changed = text.encode(encoding) if text != source else None
    except (LookupError, UnicodeError):
        changed = None
    if changed is None:
        copy_entry(archive, name, writer)
    else:
        writer.add(name, pack(changed))


def _listed(source: str, package: Package, plan: _Plan) -> str:
    """The package document with the further parts behind the first one, in the manifest and in the spine."""
    new: dict[str, list[tuple[str, str]]] = {}
    ids = set(package.items)
    for path, division in plan.divisions.items():
        item = package.item_at(path)
        assert item is not None
        for number, name in enumerate(division.names[1:], start=2):
            id = f"{item.id}-{number}"
            while id in ids:
                id += "-"
            ids.add(id)
            folder = item.href[: item.href.rindex("/") + 1] if "/" in item.href else ""
            href = folder + quote(posixpath.basename(name), safe="!$&()*+,;=:@~-._")
            new.setdefault(item.id, []).append((id, href))
    tags = TAG.split(source)
    for index in range(1, len(tags), 2):
        tag = tags[index]
        name = name_of(tag).rpartition(":")[2] if tag[1] not in "!?/" else ""
        if name not in ("item", "itemref"):
            continue
        parts = new.get(_value(tag, "id" if name == "item" else "idref"), [])
        if not parts:
            continue
        alone = tag if tag[-2] == "/" else tag[:-1] + "/>"
        if name == "item":
            copies = [_with(_with(alone, "id", id), "href", href) for id, href in parts]
        else:
            copies = [_with(re.sub(_ATTRIBUTE.format("id"), "", alone), "idref", id) for id, _ in parts]
        end = index if tag[-2] == "/" else end_of(tags, index)
        tags[end] += "".join(copies)
    return "".join(tags)


def _value(tag: str, name: str) -> str:
    match = re.search(_ATTRIBUTE.format(name), tag)
    return unescape(match[1] if match[1] is not None else match[2]) if match else ""


def _with(tag: str, name: str, value: str) -> str:
    return re.sub(_ATTRIBUTE.format(name), lambda _: f' {name}="{escape(value)}"', tag, count=1)
