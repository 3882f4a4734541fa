"""`KoboReader.sqlite`: what a Kobo keeps of its books (docs/reference/kobo-protocol.md 10). Only ever read, and a copy.

The device writes it in WAL mode, so the newest may stand in the log beside it. Schemas differ between firmwares: a
column that is not there is empty, booleans are often the texts `true` and `false`, times come in several spellings.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from kobo_api.plugged_in.content_id import document_path, span_of
from kobo_api.plugged_in.errors import PluggedInError
from kobo_api.wire import read_time, write_time

SPARE = 64 * 1024 * 1024  # bytes that stay free where the copy is made
MAX_VOLUMES = 100_000
MAX_MARKS = 50_000  # of one book
BOOK = 6  # `content.ContentType`
STATUSES = {1: "reading", 2: "finished"}
COLOURS = ("#F6F3B3", "#E8AFCF", "#B2E1E8", "#C6E09E", "#A0A0A0")  # by `Bookmark.Color` (7.8)
EPUB = ("application/x-kobo-epub+zip", "application/epub+zip")

_VOLUME = (
    "ContentID Title Attribution MimeType ReadStatus ___PercentRead ChapterIDBookmarked CurrentChapterProgress"
    " TimeSpentReading LastTimeStartedReading LastTimeFinishedReading DateLastRead ___SyncTime"
).split()
_MARK = (
    "BookmarkID ContentID StartContainerPath EndContainerPath StartOffset EndOffset Text Annotation DateCreated"
    " DateModified ChapterProgress Hidden ContextString Type Color"
).split()


@dataclass(frozen=True, slots=True)
class Volume:
    """A book on the device. `id`: the entitlement of a synced one, else a `file://` address. `percent`: 0 to 100.
    `source`, `span`: where the device would open it, empty where it does not say. `seconds`: read in all."""

    id: str
    title: str
    author: str
    is_epub: bool
    status: str | None
    percent: float | None
    source: str
    span: str
    chapter_percent: float | None
    seconds: int
    added_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    last_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A highlight, note or page bookmark. `wire`: as the device would send it (7.8). `source`: its document.
    `is_deleted`: the device has yet to tell its server of that. `is_ink`: a drawing."""

    wire: str
    source: str
    created_at: datetime | None
    is_deleted: bool = False
    is_ink: bool = False


class DeviceDatabase:
    """The database, opened for reading. Use `open_copy`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def volumes(self) -> Iterator[Volume]:
        """The books that somebody has read or marked anything in."""
        marked = {str(row[0]) for row in self._connection.execute("SELECT DISTINCT VolumeID FROM Bookmark")}
        for row in self._rows("content", _VOLUME, f"ContentType = {BOOK}", MAX_VOLUMES, order="ContentID"):
            volume = _volume(row)
            if volume.id in marked or volume.status is not None or volume.seconds or volume.percent:
                yield volume

    def marks(self, volume_id: str) -> Iterator[Mark]:
        """What is marked in a book, oldest first."""
        for row in self._rows("Bookmark", _MARK, "VolumeID = ?", MAX_MARKS, [volume_id], "DateCreated"):
            mark = _mark(row, volume_id)
            if mark is not None:
                yield mark

    def _rows(
        self, table: str, columns: list[str], where: str, limit: int, values: Any = (), order: str = "rowid"
    ) -> Iterator[dict[str, Any]]:
        known = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
        shown = ", ".join(f'"{name}"' if name in known else f'NULL AS "{name}"' for name in columns)
        order = order if order in known else "rowid"
        query = f"SELECT {shown} FROM {table} WHERE {where} ORDER BY {order} LIMIT {limit}"
        for row in self._connection.execute(query, values):
            yield dict(zip(columns, row, strict=True))


@contextmanager
def open_copy(path: Path) -> Iterator[DeviceDatabase]:
    """The database at `path`, its log included; the device's own files are only copied. Raises `PluggedInError`, also
    while it is used."""
    if not path.is_file():
        raise PluggedInError(f"There is no {path}. The Kobo makes it when it is set up; plug it in after that.")
    with tempfile.TemporaryDirectory(prefix="bookwake-kobo-") as folder:
        copy = Path(folder) / path.name
        try:
            parts = [part for ending in ("", "-wal") if (part := Path(f"{path}{ending}")).is_file()]
            if shutil.disk_usage(folder).free < sum(part.stat().st_size for part in parts) + SPARE:
                raise PluggedInError(f"There is too little room in {folder} for a copy of the Kobo's database.")
            for part in parts:
                shutil.copyfile(part, copy.with_name(part.name))
            with closing(sqlite3.connect(copy)) as connection:
                connection.text_factory = lambda data: data.decode("utf-8", "replace").replace("\0", "\ufffd")
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("PRAGMA query_only = ON")
                for table in ("content", "Bookmark"):
                    connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()
                yield DeviceDatabase(connection)
        except sqlite3.DatabaseError as error:
            raise PluggedInError(
                f"{path} is not the database of a Kobo, or is damaged ({error}). Eject the Kobo, plug it in again and"
                " try once more."
            ) from None
        except OSError as error:
            raise PluggedInError(f"{path} cannot be read: {error.strerror}. Plug the Kobo in again.") from None


def _volume(row: dict[str, Any]) -> Volume:
    id = _text(row["ContentID"])
    at = _text(row["ChapterIDBookmarked"])
    return Volume(
        id=id,
        title=_text(row["Title"]),
        author=_text(row["Attribution"]),
        is_epub=_text(row["MimeType"]).lower() in EPUB,
        status=STATUSES.get(_number(row["ReadStatus"])),
        percent=_share(row["___PercentRead"], 100),
        source=document_path(at, id),
        span=span_of(at),
        chapter_percent=_percent(_share(row["CurrentChapterProgress"], 1)),
        seconds=max(_number(row["TimeSpentReading"]), 0),
        added_at=_time(row["___SyncTime"]),
        started_at=_time(row["LastTimeStartedReading"]),
        finished_at=_time(row["LastTimeFinishedReading"]),
        last_read_at=_time(row["DateLastRead"]),
    )


def _mark(row: dict[str, Any], volume_id: str) -> Mark | None:
    id, kind = _text(row["BookmarkID"]), _text(row["Type"]).lower()
    text, note = _text(row["Text"]), _text(row["Annotation"])
    if not id:
        return None
    kind = kind or ("note" if note else "highlight" if text else "dogear")
    source = document_path(_text(row["ContentID"]), volume_id)
    changed_at = _time(row["DateModified"]) or _time(row["DateCreated"])
    span: dict[str, Any] = {
        "chapterFilename": source,
        "chapterTitle": "",
        "endChar": max(_number(row["EndOffset"]), 0),
        "endPath": _text(row["EndContainerPath"]),
        "startChar": max(_number(row["StartOffset"]), 0),
        "startPath": _text(row["StartContainerPath"]),
    }
    progress = _share(row["ChapterProgress"], 1)
    if progress is not None:
        span["chapterProgress"] = progress
    wire: dict[str, Any] = {"attachments": {}, "id": id, "location": {"span": span}, "type": kind}
    if changed_at is not None:
        wire["clientLastModifiedUtc"] = write_time(changed_at)
    if kind == "dogear":
        wire["context"] = _text(row["ContextString"]) or text or None
    else:
        colour = _number(row["Color"])
        wire |= {"highlightColor": COLOURS[colour if 0 <= colour < len(COLOURS) else 0], "highlightedText": text}
    if note:
        wire["noteText"] = note
    created_at = _time(row["DateCreated"]) or changed_at
    is_deleted = _text(row["Hidden"]).lower() in ("true", "1")
    return Mark(msgspec.json.encode(wire, order="sorted").decode(), source, created_at, is_deleted, kind == "markup")


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: object) -> int:
    try:
        return int(float(value)) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0


def _share(value: object, most: int) -> float | None:
    try:
        share = float(value) if isinstance(value, int | float | str) else -1.0
    except ValueError:
        return None
    return share if 0 <= share <= most else None


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def _time(value: object) -> datetime | None:
    time = read_time(value)
    return time if time is not None and time.year >= 2000 else None
