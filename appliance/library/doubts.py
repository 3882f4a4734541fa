"""What is odd about a book that can be read all the same: sentences for the person who owns the file."""

import re
from collections.abc import Iterator

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.package import Package
from appliance.positions.summary import BookSummary

_SCRIPT_TYPES = frozenset(
    {"application/javascript", "text/javascript", "application/ecmascript", "application/x-javascript"}
)
_EXTERNAL_ENTITY = re.compile(rb"<!ENTITY\s[^>]*\s(SYSTEM|PUBLIC)\s")


def doubts_about(archive: Archive, package: Package, summary: BookSummary) -> Iterator[str]:
    """Beyond what `package.doubts` says already."""
    unreadable = [document.path for document in summary.documents if document.mode == "none" and document.path]
    if unreadable:
        yield f"{_documents(unreadable)} unreadable and missing in the text: {_some(unreadable)}."
    lenient = [document.path for document in summary.documents if document.mode == "html"]
    if lenient:
        yield f"{_documents(lenient)} not well-formed and read as browsers do, by guessing: {_some(lenient)}."
    if names := archive.unsafe_names():
        yield f"Parts with names that lead out of the book are left out: {_some(names)}."
    if _EXTERNAL_ENTITY.search(archive.read(package.path, MAX_MARKUP)):
        yield "The package document asks for a file outside the book; it is not read."
    items = package.items.values()
    if any("scripted" in item.properties or item.media_type in _SCRIPT_TYPES for item in items):
        yield "The book holds scripts; they are never run."
    if archive.names()[:1] != ["mimetype"]:
        yield "The archive does not begin with its type (mimetype), as it should."


def _documents(paths: list[str]) -> str:
    return "One document is" if len(paths) == 1 else f"{len(paths)} documents are"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
