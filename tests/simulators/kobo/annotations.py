"""The annotation service as a Kobo uses it: at the root of the site, deltas out, whole sets in (kobo-protocol.md 7)."""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.simulators.kobo.connection import Connection, check_sync, read_json
from tests.simulators.kobo.kepub import Span
from tests.simulators.kobo.shelf import Book, Shelf
from tests.simulators.kobo.violation import check


class Annotations:
    """Notes of all books. `acknowledged`: ids that a server took; they are never sent again."""

    def __init__(self, connection: Connection, shelf: Shelf, say: Callable[[str], None]) -> None:
        self.connection, self.shelf, self.say = connection, shelf, say
        self.acknowledged: set[str] = set()

    @property
    def host(self) -> str:
        """Any path in `reading_services_host` is cut off (7.1)."""
        parts = urlsplit(str(self.shelf.resources["reading_services_host"]))
        return f"{parts.scheme}://{parts.netloc}"

    def add(self, book: Book, span: Span, note: str | None, stamp: str) -> str:
        """Mark a span; pending until the next exchange."""
        id = str(uuid.uuid4())
        path = "span#" + span.id.replace(".", "\\.")
        annotation: dict[str, Any] = {
            "attachments": {},
            "clientLastModifiedUtc": stamp,
            "highlightColor": "#F6F3B3",
            "highlightedText": span.text,
            "id": id,
            "location": {
                "span": {
                    "chapterFilename": span.source,
                    "chapterTitle": "",
                    "endChar": len(span.text.encode("utf-16-le")) // 2,
                    "endPath": path,
                    "startChar": 0,
                    "startPath": path,
                }
            },
            "type": "note" if note else "highlight",
        }
        if note:
            annotation["noteText"] = note
        book.notes[id] = annotation
        book.pending.append(annotation)
        return id

    def exchange(self, book: Book) -> None:
        """At opening and closing: pending changes, then the question whether anything changed (7.2)."""
        if book.pending:
            self.patch(book)
        self.check_for_changes([book])

    def patch(self, book: Book) -> None:
        """Upload what changed. Acknowledged changes are never sent again; after an error they stay pending (7.5)."""
        url = f"{self.host}/api/v3/content/{book.id}/annotations"
        answer = self.connection.send("PATCH", url, {"updatedAnnotations": book.pending, "deletedAnnotationIds": []})
        if answer.status_code < 300:
            self.acknowledged |= {annotation["id"] for annotation in book.pending}
            book.pending = []

    def check_for_changes(self, books: list[Book]) -> None:
        """`checkforchanges`; the set of each book that it names is fetched."""
        body = [{"ContentId": book.id, "etag": 'W/"0"'} for book in books]
        answer = self.connection.send("POST", f"{self.host}/api/v3/content/checkforchanges", body)
        check_sync(answer.status_code == 200, f"checkforchanges was answered with {answer.status_code}")
        named = read_json(answer, "checkforchanges")
        check(isinstance(named, list) and all(isinstance(id, str) for id in named), "checkforchanges must name ids")
        for id in named:
            self.get(self.shelf.books[id])

    def get(self, book: Book) -> None:
        """Fetch the whole set. It replaces that on the device: an error, a missing answer, or an empty set empties it
        (7.3)."""
        url = f"{self.host}/api/v3/content/{book.id}/annotations?limit=100"
        collected: list[dict[str, Any]] = []
        target = url
        while True:
            answer = self.connection.send("GET", target)
            if answer.status_code == 304:
                return
            if answer.status_code != 200:
                break
            page = read_json(answer, "annotations")
            check(isinstance(page.get("annotations"), list), "a set of annotations must be an array")
            collected += page["annotations"]
            if page.get("nextPageOffsetToken") is None:
                break
            target = f"{url}&pageOffsetToken={page['nextPageOffsetToken']}"
        lost = set(book.notes) - {annotation["id"] for annotation in collected}
        book.notes = {annotation["id"]: annotation for annotation in collected}
        check(not lost, f"“{book.title}” lost {len(lost)} notes to the annotation service")

    def sync_storage(self) -> None:
        """UserStorage and notebooks: an error cancels the batch (7.12)."""
        for path in ("/api/UserStorage/Metadata", "/api/internal/notebooks?limit=10"):
            answer = self.connection.send("GET", self.host + path)
            check_sync(answer.status_code == 200, f"{path} was answered with {answer.status_code}")
            check(isinstance(read_json(answer, path), dict), f"{path} is no object")
