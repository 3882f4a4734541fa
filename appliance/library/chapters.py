"""Which chapter a document of a book belongs to, by the table of contents."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from appliance.models import Rendition
from appliance.positions import BookSummary


def chapter_names(rendition: Rendition) -> dict[str, str]:
    """Headings by the path of the document. One that is in the middle of a chapter has the heading of the document
    before it; one with several chapters has none, because it takes more than the document to tell which it is."""
    summary = BookSummary.from_json(rendition.summary) if rendition.summary else None
    if summary is None:
        return {}
    headings: dict[str, list[tuple[str, bool]]] = {}
    for path, title, is_part in _entries(rendition.contents):
        headings.setdefault(path, []).append((title, is_part))
    names: dict[str, str] = {}
    last = ""
    for document in summary.documents:
        own = headings.get(document.path, [])
        last = own[-1][0] if own else last
        # "Part one" and "Chapter 1" that both name the whole document are no two chapters in it.
        is_one = len(own) < 2 or not any(is_part for _, is_part in own)
        names.setdefault(document.path, last if is_one else "")
    return {path: name for path, name in names.items() if name}


def _entries(contents: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, bool]]:
    """Path, title and whether it leads into the document and not to its beginning, in order."""
    for entry in contents:
        if entry.get("path") and entry.get("title"):
            yield str(entry["path"]), str(entry["title"]), bool(entry.get("fragment"))
        yield from _entries(entry.get("children") or ())
