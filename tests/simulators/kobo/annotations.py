"""The annotation service as a Kobo uses it: at the root of the site, deltas out, whole sets in (kobo-protocol.md 7).

Strict: whatever the server does that costs the device a note which nobody deleted is a `Violation`.
"""

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.simulators.kobo.connection import Connection, SyncFailed, check_sync, read_json
from tests.simulators.kobo.kepub import Kepub, Span
from tests.simulators.kobo.shelf import Book, Shelf
from tests.simulators.kobo.violation import UUID, check, check_time

PALETTE = {"yellow": "#F6F3B3", "pink": "#E8AFCF", "blue": "#B2E1E8", "green": "#C6E09E", "grey": "#A0A0A0"}
TYPES = ("highlight", "note", "dogear", "markup")
Annotation = dict[str, Any]


@dataclass(frozen=True)
class Habits:
    """In what firmware and models differ, and observers disagree (7.3, 7.5, 7.6, 7.8, 7.9). `echoes_etag`: whether the
    etag that was served comes back. `unchanged_empties`: whether a 304 after a trigger empties the set. `is_grey`: a
    model without colours. `asks_after_download`: whether it does. `file_paths`: the older spelling of paths.
    `capitals`: that of types. `one_by_one`: a PATCH for each change. `limit`: of a page."""

    echoes_etag: bool = True
    unchanged_empties: bool = False
    is_grey: bool = False
    asks_after_download: bool = True
    file_paths: bool = False
    capitals: bool = False
    one_by_one: bool = True
    limit: int = 100


class Annotations:
    """Notes of all books. `acknowledged`: ids that a server took; they are never sent again. `gone`: ids that a person
    deleted somewhere: only those may go. `before_answer`: what a test does between a PATCH and its answer, such as
    cutting the power."""

    def __init__(
        self, connection: Connection, shelf: Shelf, say: Callable[[str], None], habits: Habits | None = None
    ) -> None:
        self.connection, self.shelf, self.say = connection, shelf, say
        self.habits = habits or Habits()
        self.acknowledged: set[str] = set()
        self.gone: set[str] = set()
        self.is_offline = False

    @property
    def host(self) -> str:
        """Any path in `reading_services_host` is cut off (7.1)."""
        parts = urlsplit(str(self.shelf.resources["reading_services_host"]))
        return f"{parts.scheme}://{parts.netloc}"

    # What its owner does

    def add(self, book: Book, span: Span, note: str | None, stamp: str, **how: Any) -> str:
        """Mark a span, or a part of it: `start` and `end` (exclusive) in UTF-16 units, `last`: the span it ends in,
        `colour`. Pending until the next exchange."""
        last: Span = how.get("last", span)
        start, end = how.get("start", 0), how.get("end", units(last.text))
        text = _cut(span.text, start, end if last is span else None)
        if last is not span:
            text += how.get("between", "") + _cut(last.text, 0, end)
        annotation: Annotation = {
            "attachments": {},
            "clientLastModifiedUtc": stamp,
            "highlightColor": PALETTE["grey" if self.habits.is_grey else how.get("colour", "yellow")],
            "highlightedText": text,
            "id": str(uuid.uuid4()),
            "location": {"span": self._span(span, start, last, end)},
            "type": self._type("note" if note else "highlight"),
        }
        if note:
            annotation["noteText"] = note
        return self._put(book, annotation)

    def dogear(self, book: Book, span: Span, stamp: str) -> str:
        """Fold the corner of a page (7.10)."""
        return self._put(
            book,
            {
                "attachments": {},
                "clientLastModifiedUtc": stamp,
                "context": span.text[:30],
                "id": str(uuid.uuid4()),
                "location": {"span": self._span(span, 0, span, 0)},
                "type": self._type("dogear"),
            },
        )

    def ink(self, book: Book, span: Span, stamp: str) -> str:
        """Draw with a stylus (7.10)."""
        id = str(uuid.uuid4())
        rect = {"height": 81.5, "left": 12.0, "top": 204.25, "width": 390.0}
        return self._put(
            book,
            {
                "attachments": {"JPG": {"eTag": "0x8DC1"}, "SVG": {"eTag": "0x8DC2"}},
                "clientLastModifiedUtc": stamp,
                "darkMode": False,
                "highlightedText": "",
                "id": id,
                "location": {"span": self._span(span, 0, span, units(span.text))},
                "markupRect": rect,
                "rangeRect": rect,
                "screenDimensions": {"height": 1680, "width": 1264},
                "type": self._type("markup"),
            },
        )

    def edit(self, book: Book, id: str, stamp: str, *, note: str | None = None, colour: str | None = None) -> None:
        """Write, change or remove (`""`) the note, or choose another colour. With a note its type changes (7.5)."""
        annotation = dict(book.notes[id])
        annotation["clientLastModifiedUtc"] = stamp
        if note is not None:
            annotation.pop("noteText", None)
            annotation |= {"noteText": note} if note else {}
            annotation["type"] = self._type("note" if note else "highlight")
        if colour is not None:
            annotation["highlightColor"] = PALETTE["grey" if self.habits.is_grey else colour]
        self._put(book, annotation)

    def delete(self, book: Book, id: str) -> None:
        """Delete it; a tombstone is kept until a server has heard of it (7.5)."""
        del book.notes[id]
        book.pending = [one for one in book.pending if one["id"] != id]
        book.tombstones.append(id)
        self.gone.add(id)

    def _put(self, book: Book, annotation: Annotation) -> str:
        id = str(annotation["id"])
        book.notes[id] = annotation
        book.pending = [*(one for one in book.pending if one["id"] != id), annotation]
        return id

    def _span(self, first: Span, start: int, last: Span, end: int) -> dict[str, Any]:
        return {
            "chapterFilename": first.source,
            "chapterProgress": 0.4210526315789473,
            "chapterTitle": "",
            "endChar": end,
            "endPath": self._path(last),
            "startChar": start,
            "startPath": self._path(first),
        }

    def _path(self, span: Span) -> str:
        return f"{span.source}#{span.id}" if self.habits.file_paths else "span#" + span.id.replace(".", "\\.")

    def _type(self, name: str) -> str:
        return name.capitalize() if self.habits.capitals else name

    # What it says to the server

    def exchange(self, book: Book) -> None:
        """At opening and closing: pending changes, then the question whether anything changed (7.2)."""
        if self.is_offline:
            return
        self.patch(book)
        self.check_for_changes([book])

    def patch(self, book: Book) -> None:
        """Upload what changed. Acknowledged changes are never sent again; after an error they stay pending (7.5)."""
        changes: list[tuple[list[Annotation], list[str]]] = [([one], []) for one in book.pending]
        changes += [([], [id]) for id in book.tombstones]
        if changes and not self.habits.one_by_one:
            changes = [(list(book.pending), list(book.tombstones))]
        for updated, deleted in changes:
            url = f"{self.host}/api/v3/content/{book.id}/annotations"
            body = {"updatedAnnotations": updated, "deletedAnnotationIds": deleted}
            try:
                answer = self.connection.send("PATCH", url, body)
            except SyncFailed:
                continue
            if answer.status_code < 300:
                self.acknowledged |= {one["id"] for one in updated}
                sent = set(map(id, updated))  # what was edited meanwhile is another object
                book.pending = [one for one in book.pending if id(one) not in sent]
                book.tombstones = [id for id in book.tombstones if id not in deleted]

    def check_for_changes(self, books: list[Book]) -> None:
        """`checkforchanges`; the set of each book that it names is fetched."""
        body = [{"ContentId": book.id, "etag": book.notes_etag} for book in books]
        answer = self.connection.send("POST", f"{self.host}/api/v3/content/checkforchanges", body)
        check_sync(answer.status_code == 200, f"checkforchanges was answered with {answer.status_code}")
        named = read_json(answer, "checkforchanges")
        check(isinstance(named, list) and all(isinstance(id, str) for id in named), "checkforchanges must name ids")
        for id in named:
            check(id in self.shelf.books, "checkforchanges named a book that the device does not have")
            self.get(self.shelf.books[id], was_named=True)

    def after_download(self, book: Book) -> None:
        """The local set began anew with the file; the device asks for the notes by itself (7.3)."""
        book.notes, book.pending, book.tombstones, book.notes_etag = {}, [], [], 'W/"0"'
        if self.habits.asks_after_download:
            self.get(book)

    def get(self, book: Book, was_named: bool = False) -> None:
        """Fetch the whole set. It replaces that on the device: an error, a missing answer, or an empty set empties it
        (7.3)."""
        collected = self._collect(book, was_named)
        if collected is None:
            return
        found, etag = collected
        check(len({one["id"] for one in found}) == len(found), "one annotation came twice")
        lost = set(book.notes) - {one["id"] for one in found}
        unsent = {one["id"] for one in book.pending} & lost
        book.notes = {one["id"]: self._taken(one) for one in found}
        book.pending = [one for one in book.pending if one["id"] in book.notes]
        if self.habits.echoes_etag and etag:
            book.notes_etag = etag
        self.say(f"  “{book.title}” now has {len(found)} notes")
        check(not unsent, f"“{book.title}” lost {len(unsent)} notes that nobody else has")
        check(not lost - self.gone, f"“{book.title}” lost {len(lost - self.gone)} notes to the annotation service")

    def _collect(self, book: Book, was_named: bool) -> tuple[list[Annotation], str] | None:
        """All pages; `None` for a set that is left as it is. An error is an empty set."""
        url = f"{self.host}/api/v3/content/{book.id}/annotations?limit={self.habits.limit}"
        collected: list[Annotation] = []
        target, etag = url, ""
        while True:
            try:
                answer = self.connection.send("GET", target)
            except SyncFailed:
                return [], etag
            if answer.status_code == 304 and not collected:
                return ([], etag) if was_named and self.habits.unchanged_empties else None
            if answer.status_code != 200:
                return [], etag
            page = read_json(answer, "annotations")
            check(isinstance(page.get("annotations"), list), "a set of annotations must be an array")
            check(len(page["annotations"]) <= self.habits.limit, "a page is larger than was asked for")
            collected += page["annotations"]
            etag = answer.headers.get("etag", "")
            if page.get("nextPageOffsetToken") is None:
                return collected, etag
            check(page["annotations"], "an empty page that is not the last")
            target = f"{url}&pageOffsetToken={page['nextPageOffsetToken']}"

    def _taken(self, annotation: Annotation) -> Annotation:
        """As the device keeps it: colours that it does not have become grey (7.8)."""
        check_annotation(annotation)
        colour = annotation.get("highlightColor")
        if colour is not None and (self.habits.is_grey or colour not in PALETTE.values()):
            return {**annotation, "highlightColor": PALETTE["grey"]}
        return annotation

    def check_places(self, book: Book, file: Kepub) -> None:
        """Every annotation stands in this very file, over the words that it claims: others are never drawn (7.9)."""
        for annotation in book.notes.values():
            if annotation["type"].lower() != "markup":
                check_place(annotation, file)

    def sync_storage(self) -> None:
        """UserStorage and notebooks: an error cancels the batch (7.12)."""
        for path in ("/api/UserStorage/Metadata", "/api/internal/notebooks?limit=10"):
            answer = self.connection.send("GET", self.host + path)
            check_sync(answer.status_code == 200, f"{path} was answered with {answer.status_code}")
            check(isinstance(read_json(answer, path), dict), f"{path} is no object")


def check_annotation(annotation: Annotation) -> None:
    """7.8: every field that the device needs."""
    kind = str(annotation.get("type")).lower()
    check(kind in TYPES, f"an annotation of type {annotation.get('type')!r}")
    check(UUID.fullmatch(str(annotation.get("id"))), f"{annotation.get('id')!r} is no id of an annotation")
    check_time(annotation.get("clientLastModifiedUtc"))
    check(isinstance(annotation.get("attachments"), dict), "an annotation without attachments")
    span = annotation.get("location", {}).get("span", {})
    for name in ("chapterFilename", "startPath", "endPath"):
        check(isinstance(span.get(name), str) and span[name], f"{name} is {span.get(name)!r}")
    for name in ("startChar", "endChar"):
        check(isinstance(span.get(name), int) and span[name] >= 0, f"{name} is {span.get(name)!r}")
    if kind in ("highlight", "note"):
        check(isinstance(annotation.get("highlightedText"), str), "a highlight without text")
        check(isinstance(annotation.get("highlightColor"), str), "a highlight without colour")
        check((kind == "note") == bool(annotation.get("noteText")), "a note without words, or words without a note")
        check(annotation.get("noteText") != "", "an empty note is to be left out")


def check_place(annotation: Annotation, file: Kepub) -> None:
    """The spans exist, the offsets are within them, and the words between are those of the highlight."""
    span = annotation["location"]["span"]
    source = span["chapterFilename"].lstrip("/")
    document = file.document(source)
    check(document is not None, f"{source} is not in the file on the device: the note is invisible")
    assert document is not None
    names = [_id(span["startPath"]), _id(span["endPath"])]
    ids = [one.id for one in document.spans]
    check(set(names) <= set(ids), f"{names} of {source} are not in the file on the device: the note is invisible")
    first, last = (ids.index(name) for name in names)
    spans = document.spans[first : last + 1]
    check(file.is_drawn(document.spans[first]), f"the contents lead into {source}: the note is stored and never shown")
    check(spans and span["startChar"] <= units(spans[0].text), "a note begins behind the end of its span")
    check(span["endChar"] <= units(spans[-1].text), "a note ends behind the end of its span")
    if annotation["type"].lower() == "dogear":
        return
    texts = [one.text for one in spans]
    texts[-1] = _cut(texts[-1], 0, span["endChar"])
    texts[0] = _cut(texts[0], span["startChar"], None)
    shown, claimed = _letters("".join(texts)), _letters(annotation["highlightedText"])
    check(shown == claimed, f"the note marks {shown!r} and says {claimed!r}")


def texts(notes: Iterable[Annotation]) -> list[str]:
    """What is highlighted, in the order of the alphabet."""
    return sorted(one.get("highlightedText", "") for one in notes)


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, start: int, end: int | None) -> str:
    data = text.encode("utf-16-le")
    return data[2 * start : None if end is None else 2 * end].decode("utf-16-le", "replace")


def _id(path: str) -> str:
    return path.rpartition("#")[2].replace("\\", "")


def _letters(text: str) -> str:
    return "".join(text.split()).replace("\u00ad", "")


def dump(annotation: Annotation) -> str:
    """The text in which the device sends an annotation."""
    return json.dumps(annotation)
