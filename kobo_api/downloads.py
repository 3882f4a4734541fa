"""A book's metadata and its file (docs/reference/kobo-protocol.md 5.1, 6.1)."""

import logging
import re
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import ColumnElement, update

from appliance.epub.errors import BookError
from appliance.library.byte_range import requested
from appliance.library.kepub_rendition import prepare
from appliance.library.renditions import path_of
from appliance.models import KoboDelivery, Rendition
from kobo_api.annotations.outgoing import make_after_download
from kobo_api.call import Answer, Call, FileAnswer, answer
from kobo_api.library import book_rows
from kobo_api.library.book_rows import BookRow
from kobo_api.library.entitlements import metadata
from kobo_api.reading.reading_minutes import note_arrival
from kobo_api.wire import BookMetadata, DownloadUrl

KEPUB = ".kepub.epub"
MEDIA_TYPE = "application/epub+zip"
MAX_IDS = 100
GONE = Answer(b"{}", status=404)

logger = logging.getLogger(__name__)
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]


def planned_url(call: Call, row: BookRow, id: str) -> DownloadUrl:
    """What a book is offered as before it is converted: a KEPUB, unless that failed already. The size is that of the
    source, which devices tolerate (4.6)."""
    if row.conversion_problem:
        return _epub_url(call, row, id)
    return DownloadUrl(format="KEPUB", size=row.size or 0, url=f"{call.base}/download/{id}{KEPUB}")


def _epub_url(call: Call, row: BookRow, id: str) -> DownloadUrl:
    return DownloadUrl(format="EPUB3", size=row.size or 0, url=f"{call.base}/download/{id}.epub")


def get_metadata(call: Call, ids: str) -> Answer:
    """`GET /v1/library/{Ids}/metadata` → an array with the metadata of each book that is known.

    The device asks right before a download and uses the URL given here, so the KEPUB is made now, and a book that
    cannot be converted is announced as the plain EPUB that it will be.
    """
    found: list[BookMetadata] = []
    for id in ids.split(",")[:MAX_IDS]:
        row = book_rows.entitled(call.session, call.caller, id)
        if row is not None:
            found.append(metadata(id, row, _url(call, row, id)))
    return answer(found)


def _url(call: Call, row: BookRow, id: str) -> DownloadUrl:
    kepub = _kepub(call, row.id)
    if kepub is not None:
        return DownloadUrl(format="KEPUB", size=kepub.size, url=f"{call.base}/download/{id}{KEPUB}")
    return _epub_url(call, row, id)


def _kepub(call: Call, book_id: str) -> Rendition | None:
    try:
        return prepare(call.house, book_id)
    except BookError as error:
        logger.warning("book %s goes to a Kobo as a plain EPUB: %s", book_id, error)
        return None


def download(call: Call, name: str) -> Answer | FileAnswer:
    """`GET …/download/{id}.kepub.epub` (or `.epub`) → the file, with Range and a strong ETag: its SHA-256.

    A transfer that is taken up again continues the very file it began with; one that begins gets the newest.
    """
    id, suffix = _split(name)
    row = book_rows.entitled(call.session, call.caller, id)
    if row is None:
        return GONE
    sha256 = _begun(call, row) if "range" in call.headers else None
    sha256 = sha256 or _current(call, row, suffix)
    with call.house.database.read() as session:
        path = path_of(call.house, session, sha256) if sha256 else None
    if path is None or sha256 is None:
        logger.warning("book %s cannot be sent to a Kobo: its file is not there", row.id)
        return GONE
    return _send(call, row, path, sha256, id, suffix)


def _split(name: str) -> tuple[str, str]:
    for suffix in (KEPUB, ".epub"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], suffix
    return name, KEPUB


def _begun(call: Call, row: BookRow) -> str | None:
    """The file that the device was last sent, while it is to be had."""
    if row.sha256 is None or row.began_at is None or path_of(call.house, call.session, row.sha256) is None:
        return None
    return str(row.sha256)


def _current(call: Call, row: BookRow, suffix: str) -> str | None:
    if suffix == KEPUB:
        kepub = _kepub(call, row.id)
        # Never a plain EPUB under this name: the device would take it for a KEPUB and store no note (6.1).
        return kepub.sha256 if kepub is not None else None
    return str(row.main_sha256) if row.main_sha256 else None


def _send(call: Call, row: BookRow, path: Path, sha256: str, id: str, suffix: str) -> Answer | FileAnswer:
    size = path.stat().st_size
    etag = f'"{sha256}"'
    headers = {
        "accept-ranges": "bytes",
        "cache-control": "private",
        "content-disposition": f"attachment; filename*=UTF-8''{quote(_file_name(row.title), safe='')}{suffix}",
        "etag": etag,
    }
    span = requested(call.headers, size, etag)
    if span is None:
        return Answer(status=416, headers={**headers, "content-range": f"bytes */{size}"})
    if span.is_part:
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    if call.method != "HEAD" and span.start == 0:
        _note_begun(call, row.id, sha256)

    def on_sent() -> None:
        if span.end == size:
            _note_ended(call, row.id, sha256)
            make_after_download(call.house, call.caller.device_id, call.caller.user_id, id)

    return FileAnswer(path, span.start, span.end, 206 if span.is_part else 200, headers, MEDIA_TYPE, on_sent)


def _note_begun(call: Call, book_id: str, sha256: str) -> None:
    """From now on the device's places are in this file. What it was told of places is forgotten with the file that it
    had, so that the next sync leads it to where the reading is."""
    call.house.texts.want(sha256)
    values = {
        "sha256": sha256,
        "began_at": call.house.now(),
        "downloaded_at": None,
        "notes_refused_at": None,
        "reading_state": None,
        "given_version": None,
        "answered_version": None,
    }
    with call.house.database.write() as session:
        session.execute(update(_DELIVERY).where(*_of(call, book_id)).values(**values))


def _note_ended(call: Call, book_id: str, sha256: str) -> None:
    with call.house.database.write() as session:
        session.execute(
            update(_DELIVERY)
            .where(*_of(call, book_id), _DELIVERY.c.sha256 == sha256)
            .values(downloaded_at=call.house.now())
        )
        note_arrival(session, call.caller, book_id, call.house.now())


def _of(call: Call, book_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _DELIVERY.c.device_id == call.caller.device_id, _DELIVERY.c.book_id == book_id


def _file_name(title: str) -> str:
    """The title as part of a file name on the device's FAT file system."""
    return re.sub(r'[\s\x00-\x1f"*/:<>?\\|]+', " ", title).strip(" .")[:80] or "book"
