"""Fetching a book (kobo-protocol.md 5.1, 6.1)."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.simulators.kobo.connection import Connection
from tests.simulators.kobo.kepub import Kepub
from tests.simulators.kobo.shelf import Book
from tests.simulators.kobo.violation import Violation, check, check_metadata


class Downloader:
    """Asks for the metadata, then for the URL that stands there; the file goes to the device's disk."""

    def __init__(self, connection: Connection, folder: Path, say: Callable[[str], None]) -> None:
        self.connection, self.folder, self.say = connection, folder, say

    def fetch(self, book: Book, interrupt_after: int | None = None) -> None:
        """Download `book`. `interrupt_after`: bytes after which the connection is lost once."""
        listed = self.connection.call("GET", f"/v1/library/{book.id}/metadata")
        check(isinstance(listed, list) and len(listed) == 1, "the metadata must come in an array of one")
        check_metadata(listed[0])
        book.metadata = listed[0]
        url = listed[0]["DownloadUrls"][0]
        path = self.folder / f"{book.id}.kepub.epub"
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        headers: dict[str, str] = {}
        if interrupt_after is not None:
            etag = self._get(book, url["Url"], part, {}, min(interrupt_after, url["Size"] // 2))
            headers = {"Range": f"bytes={part.stat().st_size}-", "If-Range": etag}
        book.etag = self._get(book, url["Url"], part, headers, None)
        part.replace(path)
        self._examine(path, url)
        book.file, book.format = path.name, url["Format"]
        self.say(f"  downloaded “{book.title}”, {path.stat().st_size} bytes of {book.format}")

    def _get(self, book: Book, url: str, part: Path, headers: dict[str, str], stop: int | None) -> str:
        try:
            with self.connection.http.stream(
                "GET", url, headers={**self.connection.headers(url), "Accept-Encoding": "identity", **headers}
            ) as answer:
                self.say(f"  GET {self.connection.short(url)} → {answer.status_code}")
                check(
                    answer.status_code in (200, 206),
                    f"“{book.title}”: Download → Pending → Download ({answer.status_code})",
                )
                check("content-length" in answer.headers, "no Content-Length")
                resumed = answer.status_code == 206
                with part.open("ab" if resumed else "wb") as file:
                    check(not resumed or self._start(answer) == file.tell(), "the file goes on at the wrong place")
                    for data in answer.iter_bytes(1024):
                        file.write(data)
                        if stop is not None and file.tell() >= stop:
                            break
                etag: str = answer.headers.get("etag", "")
        except httpx.TransportError as error:
            raise Violation(f"“{book.title}”: Download → Pending → Downloading → Download ({error})") from error
        check(re.fullmatch(r'"[^"]+"', etag), f"{etag!r} is no strong ETag")
        return etag

    def _start(self, answer: httpx.Response) -> int:
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("content-range", ""))
        check(match, "206 without Content-Range")
        assert match is not None
        return int(match[1])

    def _examine(self, path: Path, url: dict[str, Any]) -> None:
        check(zipfile.is_zipfile(path), "the file is no EPUB")
        spans, words = 0, 0
        for document in Kepub(path).documents:
            spans, words = spans + len(document.spans), words + len(document.words)
        if url["Format"] == "KEPUB":
            check(spans or not words, "a plain EPUB was sent as KEPUB: no highlight is ever stored")
        else:
            check(not spans, f"a KEPUB was sent as {url['Format']}")
