"""The drive of a Kobo as a computer sees it, made from the facts of kobo-protocol.md 2.1 and 10."""

import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulators.kobo import Kepub, Span

KEPUB = "application/x-kobo-epub+zip"

CONTENT = {
    "ContentID": "TEXT NOT NULL PRIMARY KEY",
    "ContentType": "TEXT NOT NULL",
    "MimeType": "TEXT NOT NULL",
    "BookID": "TEXT",
    "BookTitle": "TEXT",
    "ImageId": "TEXT",
    "Title": "TEXT",
    "Attribution": "TEXT",
    "VolumeIndex": "INTEGER",
    "DateLastRead": "TEXT",
    "ChapterIDBookmarked": "TEXT",
    "ReadStatus": "INTEGER",
    "___SyncTime": "TEXT",
    "___PercentRead": "INTEGER",
    "___FileSize": "INTEGER",
    "IsDownloaded": "BIT",
    "EntitlementId": "TEXT",
    "CurrentChapterProgress": "REAL",
    "RestOfBookEstimate": "INTEGER",
    "TimeSpentReading": "INTEGER",
    "TimesStartedReading": "INTEGER",
    "LastTimeStartedReading": "TEXT",
    "LastTimeFinishedReading": "TEXT",
    "AnnotationsSyncToken": "TEXT",
}
BOOKMARK = {
    "BookmarkID": "TEXT NOT NULL PRIMARY KEY",
    "VolumeID": "TEXT NOT NULL",
    "ContentID": "TEXT NOT NULL",
    "StartContainerPath": "TEXT NOT NULL",
    "StartContainerChildIndex": "INTEGER NOT NULL",
    "StartOffset": "INTEGER NOT NULL",
    "EndContainerPath": "TEXT NOT NULL",
    "EndContainerChildIndex": "INTEGER NOT NULL",
    "EndOffset": "INTEGER NOT NULL",
    "Text": "TEXT",
    "Annotation": "TEXT",
    "ExtraAnnotationData": "BLOB",
    "DateCreated": "TEXT",
    "ChapterProgress": "REAL NOT NULL DEFAULT 0",
    "Hidden": "BOOL NOT NULL DEFAULT 0",
    "Version": "TEXT",
    "DateModified": "TEXT",
    "Creator": "TEXT",
    "UUID": "TEXT",
    "UserID": "TEXT",
    "SyncTime": "TEXT",
    "Published": "BIT DEFAULT FALSE",
    "ContextString": "TEXT",
    "Type": "TEXT",
    "Color": "INTEGER",
}


@dataclass
class Drive:
    """A mounted Kobo. `left_out`: columns that this firmware's database does not have."""

    folder: Path
    left_out: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        (self.folder / ".kobo" / "Kobo").mkdir(parents=True)
        (self.folder / ".kobo" / "kepub").mkdir()
        self.configure("https://storeapi.kobo.com")
        with closing(self._open()) as database:
            for table, columns in (("content", CONTENT), ("Bookmark", BOOKMARK)):
                listed = ", ".join(f"{name} {kind}" for name, kind in columns.items() if name not in self.left_out)
                database.execute(f"CREATE TABLE {table} ({listed})")
            database.execute("CREATE TABLE user (UserID TEXT PRIMARY KEY, UserKey TEXT)")
            database.commit()

    @property
    def database(self) -> Path:
        return self.folder / ".kobo" / "KoboReader.sqlite"

    def configure(self, endpoint: str) -> None:
        file = self.folder / ".kobo" / "Kobo" / "Kobo eReader.conf"
        file.write_text(f"[OneStoreServices]\napi_endpoint={endpoint}\n")

    def add_book(self, id: str, title: str, author: str = "", **values: Any) -> None:
        row = {
            "ContentID": id,
            "ContentType": "6",
            "MimeType": KEPUB,
            "Title": title,
            "Attribution": author,
            "VolumeIndex": -1,
            "IsDownloaded": "true",
            "ReadStatus": 0,
            "___SyncTime": "2025-11-01T08:00:00Z",
        }
        self._insert("content", row | values)

    def read(self, id: str, span: Span, percent: int, *, status: int = 1, **values: Any) -> None:
        """What a book's row says when it has been read up to a span."""
        place = {
            "ChapterIDBookmarked": f"{self.content_id(id, span.source)}#{span.id}",
            "___PercentRead": percent,
            "ReadStatus": status,
            "DateLastRead": "2026-02-20T21:10:05Z",
        }
        with closing(self._open()) as database:
            for name, value in (place | values).items():
                database.execute(f"UPDATE content SET {name} = ? WHERE ContentID = ?", (value, id))
            database.commit()

    def mark(self, id: str, span: Span, note: str | None = None, *, kind: str = "", **values: Any) -> str:
        """A highlight of a whole span, a note on it, or with `kind` dogear a page bookmark; returns its id."""
        name = str(uuid.uuid4())
        path = "span#" + span.id.replace(".", "\\.")
        kind = kind or ("note" if note else "highlight")
        row = {
            "BookmarkID": name,
            "VolumeID": id,
            "ContentID": self.content_id(id, span.source),
            "StartContainerPath": path,
            "StartContainerChildIndex": -99,
            "StartOffset": 0,
            "EndContainerPath": path,
            "EndContainerChildIndex": -99,
            "EndOffset": 0 if kind == "dogear" else len(span.text.encode("utf-16-le")) // 2,
            "Text": None if kind == "dogear" else span.text,
            "Annotation": note,
            "DateCreated": "2026-02-03T19:00:00.000",
            "DateModified": "2026-02-04T19:00:00Z",
            "Hidden": "false",
            "ContextString": span.text[:30] if kind == "dogear" else None,
            "Type": kind,
            "Color": 2,
        }
        self._insert("Bookmark", row | values)
        return name

    @staticmethod
    def content_id(volume: str, source: str) -> str:
        folder, _, href = source.partition("/")
        return f"{volume}!{folder}!{href}" if href else f"{volume}!!{source}"

    def bytes_of_all(self) -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in sorted(self.folder.rglob("*")) if file.is_file()}

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        row = {name: value for name, value in row.items() if name not in self.left_out}
        places = ", ".join("?" * len(row))
        with closing(self._open()) as database:
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))
            database.commit()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.database)


def long_spans(kepub: Kepub) -> list[Span]:
    """Spans of some words, from the middle of the book on."""
    spans = [span for document in kepub.documents for span in document.spans if len(span.text.split()) > 6]
    return spans[len(spans) // 2 :]
