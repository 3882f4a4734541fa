"""Everything that is learned from the inside of one book file. No database and no clock: safe to run in a worker."""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.contents import Entry, read_contents
from appliance.epub.cover import Cover, find_cover, read_cover
from appliance.epub.errors import BookError
from appliance.epub.metadata import Metadata, line, read_metadata
from appliance.epub.package import read_package
from appliance.library.doubts import doubts_about
from appliance.positions.summary import INDEX_VERSION, BookSummary, summarise

# Rises when a file would now be understood otherwise; the next scan then examines every file again.
EXAMINATION_VERSION = 1000 * INDEX_VERSION + 1

MAX_DOUBTS = 20
_KOBO_SPAN = re.compile(rb"""class\s*=\s*["'][^"']{0,200}?\bkoboSpan\b""")


@dataclass(frozen=True, slots=True)
class Examined:
    """A book that can be read. `summary`: `BookSummary` as JSON. `cover_sha256`: of the picture's bytes. `doubts`:
    sentences about what is odd in the file."""

    kind: Literal["epub", "kepub"]
    metadata: Metadata
    contents: tuple[Entry, ...]
    cover: Cover | None
    cover_sha256: str | None
    summary: str
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that cannot be used: why, and what to do."""

    problem: str
    remedy: str


def examine(path: Path) -> Examined:
    """Read one book file. Raises `BookError`; `OSError` when the file itself cannot be read."""
    with Archive(path) as archive:
        package = read_package(archive)
        summary = summarise(archive, package)
        if not any(document.mode != "none" for document in summary.documents):
            raise BookError("None of the documents of the book can be read.")
        doubts = [*package.doubts, *doubts_about(archive, package, summary)]
        cover = find_cover(archive, package)
        cover_sha256 = None
        if cover is not None:
            try:
                cover_sha256 = hashlib.sha256(read_cover(archive, cover)).hexdigest()
            except BookError as error:
                doubts.append(f"The cover cannot be read: {error}")
                cover = None
        kind: Literal["epub", "kepub"] = "kepub" if _has_kobo_spans(archive, summary) else "epub"
        if kind == "epub" and path.name.lower().endswith((".kepub.epub", ".kepub")):
            doubts.append("The name says KEPUB, but the text holds no Kobo spans; it is treated as a plain EPUB.")
        metadata = read_metadata(package)
        if not metadata.title:
            metadata = replace(metadata, title=_title_from_name(path.name))
            doubts.append("The book names no title; the name of the file stands in for it.")
        return Examined(
            kind,
            metadata,
            read_contents(archive, package),
            cover,
            cover_sha256,
            summary.to_json(),
            tuple(doubts[:MAX_DOUBTS]),
        )


def _title_from_name(name: str) -> str:
    stem = re.sub(r"(\.kepub)?\.(k?epub)$", "", name, flags=re.IGNORECASE)
    return line(stem.replace("_", " ")) or "?"


def _has_kobo_spans(archive: Archive, summary: BookSummary) -> bool:
    """Whether the longest document has koboSpans. The bytes decide and not the name: a Kobo stores no highlights for
    an EPUB that is called KEPUB (kobo-protocol.md 6.1), and a KEPUB must not be converted again."""
    longest = max(summary.documents, key=lambda document: document.length, default=None)
    if longest is None or not longest.length:
        return False
    return _KOBO_SPAN.search(archive.read(longest.path, MAX_MARKUP)) is not None
