"""The text of files that devices refer to, kept for the day their bytes are gone.

A program that edits a book writes the new file over the old one. Devices go on holding the old one, and the journal is
in its coordinates. So of every file that a device spoke of or was sent, a copy without its pictures and fonts is kept:
`OpenBook` reads it like the file itself.
"""

import os
import re
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.package import CONTAINER, read_package
from appliance.epub.writer import ArchiveWriter, copy_entry

SPARE = 256 * 1024 * 1024  # bytes that stay free on the disk
LARGEST = 64 * 1024 * 1024  # bytes of one copy
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIX = ".epub"
_WRITING = ".writing-"


class KeptTexts:
    """A folder of such copies, named by the SHA-256 of the file each was made of. Safe to share between threads.

    Copying takes a moment, so a request only says what it wants kept (`want`); the sweep does it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.on_wanted: Callable[[], None] = lambda: None
        """Called when there is something to keep that there was not before."""
        self._wanted: set[str] = set()
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def find(self, sha256: str) -> Path | None:
        """The copy of that file, if it was kept."""
        path = self._path(sha256)
        return path if path.is_file() else None

    def want(self, sha256: str) -> None:
        """Have the text of that file kept. Costs nothing when it is."""
        with self._lock:
            if sha256 in self._known or not _SHA256.fullmatch(sha256):
                return
            self._known.add(sha256)
            if self.find(sha256) is not None:
                return
            self._wanted.add(sha256)
        self.on_wanted()

    def wanted(self) -> set[str]:
        """What was asked for since this was last called."""
        with self._lock:
            wanted, self._wanted = self._wanted, set()
            return wanted

    def keep(self, sha256: str, source: Path) -> bool:
        """Keep the text of `source`, whose hash is `sha256`; whether that was new. Raises `BookError`, and `OSError`
        also when the disk has too little room."""
        target = self._path(sha256)
        if target.is_file():
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < SPARE:
            raise OSError(f"less than {SPARE >> 20} MB are free on the disk of {self.folder}")
        writing = self.folder / f"{_WRITING}{sha256}"
        try:
            with Archive(source) as archive, writing.open("wb") as stream:
                _write_text(archive, ArchiveWriter(stream))
                stream.flush()
                os.fsync(stream.fileno())
            writing.replace(target)
        finally:
            writing.unlink(missing_ok=True)
        return True

    def forget(self, is_referred: Callable[[str], bool], before: float) -> int:
        """Remove what nothing refers to and was kept before that time (seconds since 1970); returns how much."""
        removed = 0
        for path in self.folder.glob("*"):
            with suppress(FileNotFoundError):
                sha256 = path.name.removeprefix(_WRITING).removesuffix(_SUFFIX)
                if path.stat().st_mtime < before and (path.name.startswith(_WRITING) or not is_referred(sha256)):
                    path.unlink()
                    removed += 1
                    with self._lock:
                        self._known.discard(sha256)
        return removed

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError("not a SHA-256 in lower-case hexadecimal")
        return self.folder / f"{sha256}{_SUFFIX}"


def _write_text(archive: Archive, writer: ArchiveWriter) -> None:
    """The documents of the spine, the style sheets (KOReader's numbering depends on them) and what names them."""
    package = read_package(archive)
    names = [CONTAINER, package.path]
    names += [spine_item.item.path for spine_item in package.spine if spine_item.item is not None]
    names += [item.path for item in package.items.values() if item.media_type == "text/css"]
    names += [name for name in archive.names() if name.lower().endswith(".css")]
    present = [name for name in dict.fromkeys(names) if name in archive and archive.size(name) <= MAX_MARKUP]
    size = sum(archive.info(name).compress_size for name in present)
    if size > LARGEST:
        raise OSError(f"the text alone takes {size >> 20} MB; {LARGEST >> 20} MB is the most that is kept of a book")
    for name in present:
        copy_entry(archive, name, writer)
    writer.finish()
