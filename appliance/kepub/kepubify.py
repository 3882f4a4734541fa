"""kepubify as a subprocess, bounded in time, memory and disk; its archive put into a fixed order.

kepubify writes entries in the order its threads finish (docs/reference/kepub.md 2), so the bytes differ each time
although the contents are equal. Here the entries, as packed by it, are written again in the order of the source.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from appliance.epub.archive import MAX_MARKUP, MAX_TOTAL, Archive
from appliance.epub.errors import BookError
from appliance.epub.package import CONTAINER, read_package
from appliance.epub.writer import ArchiveWriter, copy_entry, pack
from appliance.kepub.document import kepub_document
from appliance.kepub.package import content_documents
from appliance.kepub.package_place import move_up

TIMEOUT = 300  # seconds; the largest known book takes three on a server, some thirty on a Raspberry Pi
# Measured: 64 MB is too little to start, 128 MB is enough for War and Peace in one document. RLIMIT_DATA, because the
# Go runtime reserves address space in gigabytes and uses little of it.
MEMORY = 512 * 1024 * 1024  # bytes


class KepubifyError(BookError):
    """kepubify could not be run, or refused the book."""

    remedy = "Convert with the built-in engine, or check the kepubify setting."


def kepubify_version(program: Path | None) -> str:
    """What `kepubify --version` says, such as "v4.0.4". Raises `KepubifyError`."""
    if program is None:
        raise KepubifyError("kepubify is not installed: there is no such program on the path.")
    try:
        return _version(program, program.stat().st_mtime_ns)
    except OSError as error:
        raise KepubifyError(f"kepubify cannot be run: {error}.") from None


@lru_cache(maxsize=4)
def _version(program: Path, _changed: int) -> str:
    finished = _run(program, ["--version"], {}, 10)
    if finished.returncode:
        raise KepubifyError(f"kepubify cannot be run: {' '.join(finished.stderr.split())[-400:]}")
    words: list[str] = finished.stdout.split()
    # The version becomes part of a file name.
    return re.sub(r"[^A-Za-z0-9.+-]", "_", words[-1])[:40] if words else "unknown"


def run_kepubify(
    program: Path | None, source: Path, stream: BinaryIO, progress: Callable[[int, int], None] | None = None
) -> tuple[int, tuple[str, ...]]:
    """Convert `source` into `stream`. Returns how many documents it converted, and what remains in doubt.

    Raises `KepubifyError`, and `BookError` for what Bookwake itself would refuse.
    """
    if program is None:
        raise KepubifyError("kepubify is not installed: there is no such program on the path.")
    with tempfile.TemporaryDirectory(prefix="bookwake-kepubify-") as folder, Archive(source) as original:
        package = read_package(original)
        given, made = Path(folder, "book.epub"), Path(folder, "book.kepub.epub")
        # Under a plain name: kepubify passes over files that are called .kepub.epub.
        given.symlink_to(source.resolve())
        # No blank first page, so that the spine of the KEPUB is the spine of the EPUB (kepub.md 5).
        arguments = ["--no-add-dummy-titlepage", "-o", str(made), str(given)]
        finished = _run(program, arguments, {"TMPDIR": folder}, TIMEOUT)
        if finished.returncode or not made.exists():
            said = " ".join((finished.stderr or finished.stdout).split())[-400:]
            raise KepubifyError(f"kepubify failed with status {finished.returncode}: {said or 'it said nothing'}.")
        with Archive(made) as archive:
            before = [CONTAINER, package.path, *original.names()]
            order = {name: place for place, name in reversed(list(enumerate(before)))}
            names = [name for name in archive.names() if name != "mimetype"]
            names.sort(key=lambda name: (order.get(name, len(before)), name))
            writer = ArchiveWriter(stream)
            documents = content_documents(archive, package)
            move = move_up(original, package)
            converted = 0
            doubts = list(package.doubts)
            for done, name in enumerate(names, start=1):
                data: bytes | None = None
                if name in documents:
                    try:
                        data = _passed_over(archive.read(name, MAX_MARKUP))
                        converted += 1
                    except BookError as error:
                        doubts.append(f"“{name}” was copied without spans: {error}")
                elif move is not None and name == package.path:
                    data = move.in_package(archive.read(name, MAX_MARKUP))
                elif move is not None and name == CONTAINER:
                    data = move.in_container(archive.read(name, MAX_MARKUP))
                if data is not None:
                    writer.add(move.new if move is not None and name == move.old else name, pack(data))
                else:
                    copy_entry(archive, name, writer)
                if progress is not None:
                    progress(done, len(names))
            writer.finish()
    return converted, tuple(doubts)


def _passed_over(data: bytes) -> bytes | None:
    """A document with spans when kepubify left it without: it does not find those whose names are percent-encoded in
    the manifest (kepub.md 2). `None` when it did its work."""
    return None if b'id="book-columns"' in data else kepub_document(data)


def _run(
    program: Path, arguments: list[str], environment: dict[str, str], timeout: float
) -> "subprocess.CompletedProcess[str]":
    # The shell sets the limits (kilobytes, 512-byte blocks): doing so between fork and exec is not safe with threads.
    # That of processor time holds when we are killed and nobody is left to watch the clock.
    limits = f'ulimit -d {MEMORY // 1024} && ulimit -f {MAX_TOTAL // 512} && ulimit -t {int(TIMEOUT) + 1} && exec "$@"'
    try:
        return subprocess.run(
            ["/bin/sh", "-c", limits, "kepubify", str(program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": os.sep, **environment},
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise KepubifyError(f"kepubify did not finish within {timeout:.0f} seconds and was stopped.") from None
    except OSError as error:
        raise KepubifyError(f"kepubify cannot be run: {error}.") from None
