"""Files of books, and the plugin itself (docs/plugin-protocol.md, Library and Update)."""

import logging

from sqlmodel import Session, select

from appliance.epub.errors import BookError
from appliance.library.byte_range import requested
from appliance.library.kepub_rendition import prepare
from appliance.library.renditions import path_of
from appliance.models import Book, Digest
from koreader_api.plugin.call import Call, FileAnswer, Refusal
from koreader_api.plugin.package import newest

GONE = "The file of this book is not there just now."

logger = logging.getLogger(__name__)


def download(call: Call) -> FileAnswer:
    """A book's file: `format` epub (by default) or kepub, which is made now if needed. With `Range` and a strong
    `ETag`; `X-Bookwake-File` is its partial MD5."""
    book_id, kind = call.parts["book"], call.query.get("format", "epub")
    if kind not in ("epub", "kepub"):
        raise Refusal(400, "not-understood", "The format is epub or kepub.")
    with call.house.database.read() as session:
        book = session.get(Book, book_id)
    if book is None or book.main_sha256 is None:
        raise Refusal(404, "no-book", "There is no such book. Look for it again.")
    sha256 = book.main_sha256 if kind == "epub" else _kepub(call, book_id)
    with call.house.database.read() as session:
        path = path_of(call.house, session, sha256)
        digest = _digest(session, sha256)
    if path is None:
        raise Refusal(404, "no-file", GONE)
    call.house.texts.want(sha256)  # the device's places will be in this file
    size, etag = path.stat().st_size, f'"{sha256}"'
    headers = {"accept-ranges": "bytes", "etag": etag, "content-type": "application/epub+zip"}
    if digest is not None:
        headers["x-bookwake-file"] = digest
    span = requested(call.headers, size, etag)
    if span is None:
        raise Refusal(416, "no-such-range", "The file is shorter than that.")
    if span.is_part:
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    return FileAnswer(path, span.start, span.end, 206 if span.is_part else 200, headers)


def update(call: Call) -> bytes:
    """The newest plugin as a zip; its manifest comes with `hello`."""
    package = newest()
    if package is None:
        raise Refusal(404, "no-plugin", "This server has no plugin to give.")
    return package.content


def _kepub(call: Call, book_id: str) -> str:
    try:
        return prepare(call.house, book_id).sha256
    except BookError as error:
        logger.warning("no KEPUB of book %s for a KOReader: %s", book_id, error)
        raise Refusal(404, "no-file", f"There is no KEPUB of this book: {error}") from None


def _digest(session: Session, sha256: str) -> str | None:
    return session.exec(select(Digest.value).where(Digest.sha256 == sha256, Digest.kind == "partial_md5")).first()
