"""The built-in converter: the whole archive, one document at a time.

Entries keep their names and order (after `mimetype`, container and package document, which alone may move:
`package_place`); what is not changed is copied without unpacking it. Packing takes most of the time and runs in threads
next to the conversion. No blank first page is added, so that the spine of the KEPUB is the spine of the EPUB.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.errors import BookError
from appliance.epub.package import CONTAINER, read_package
from appliance.epub.writer import ArchiveWriter, Packed, copy_entry, pack
from appliance.kepub.document import kepub_document
from appliance.kepub.package import content_documents, is_junk, with_cover_property
from appliance.kepub.package_place import move_up

# Raise it whenever the output changes for any input: it is part of the name under which results are kept.
VERSION = "3"

Progress = Callable[[int, int], None]

_THREADS = 2
_AHEAD = 4  # documents that may wait in memory to be packed
_LEVEL = 5  # half the time of 6, 1 % larger
_DOUBTS = 20  # no more sentences than a person would read


def write_kepub(source: Path, stream: BinaryIO, progress: Progress | None = None) -> tuple[int, tuple[str, ...]]:
    """Convert the EPUB at `source` into `stream`. Returns how many documents got spans, and what remains in doubt.

    Raises `BookError` when the book cannot be used at all; a single document that cannot is copied as it is.
    """
    with Archive(source) as archive:
        package = read_package(archive)
        documents = content_documents(archive, package)
        move = move_up(archive, package)
        first = [name for name in (CONTAINER, package.path) if name in archive]
        names = first + [name for name in archive.names() if name not in {"mimetype", *first} and not is_junk(name)]
        writer = ArchiveWriter(stream)
        converted = done = 0
        doubts: list[str] = list(package.doubts)
        waiting: deque[tuple[str, Future[Packed] | None]] = deque()

        def write_next() -> None:
            nonlocal done
            name, packed = waiting.popleft()
            if packed is None:
                copy_entry(archive, name, writer)
            else:
                writer.add(move.new if move is not None and name == move.old else name, packed.result())
            done += 1
            if progress is not None:
                progress(done, len(names))

        with ThreadPoolExecutor(_THREADS, "kepub-pack") as pool:
            for name in names:
                data: bytes | None = None
                if name in documents:
                    try:
                        data = kepub_document(archive.read(name, MAX_MARKUP))
                        converted += data is not None
                    except BookError as error:
                        doubts.append(f"“{name}” was copied without spans: {error}")
                elif name == package.path:
                    original = archive.read(name, MAX_MARKUP)
                    changed = with_cover_property(original, package)
                    changed = move.in_package(changed) if move is not None else changed
                    data = changed if changed is not original else None
                elif name == CONTAINER and move is not None:
                    data = move.in_container(archive.read(name, MAX_MARKUP))
                waiting.append((name, None if data is None else pool.submit(pack, data, _LEVEL)))
                while len(waiting) > _AHEAD:
                    write_next()
            while waiting:
                write_next()
        writer.finish()
    if len(doubts) > _DOUBTS:
        doubts[_DOUBTS:] = [f"{len(doubts) - _DOUBTS} more doubts of this kind."]
    return converted, tuple(doubts)
