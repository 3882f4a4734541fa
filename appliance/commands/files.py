"""Book files that are named on the command line, outside of any library."""

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import settings
from appliance.commands.failure import Failure, Options
from appliance.commands.output import progress_bar

if TYPE_CHECKING:
    from appliance.positions import OpenBook

INDICES = 128 * 1024 * 1024
"""Bytes of document indices kept for each file: a command may jump through all of a book."""


@contextmanager
def opened_file(path: Path) -> "Iterator[OpenBook]":
    """A book file, read once so that what is wrong with it is said now, as a `Failure`."""
    from appliance.epub.errors import BookError
    from appliance.positions import OpenBook
    from appliance.positions.recent import Recent

    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        book = OpenBook.open(path, digest, documents=Recent(INDICES))
        if all(document.mode == "none" for document in book.summary.documents):
            raise BookError("None of the documents of the book can be read.")
    except BookError as error:
        raise Failure(f"{path.name} cannot be opened: {error} {error.remedy}") from None
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}. Check the path and the permissions.") from None
    try:
        yield book
    finally:
        book.close()


@contextmanager
def converted(path: Path, options: Options) -> "Iterator[OpenBook]":
    """A KEPUB of an EPUB, gone at the end. What cannot be converted is a `Failure`."""
    from appliance.epub.errors import BookError
    from appliance.kepub import convert

    kepubify = settings.load(options).kepubify
    with tempfile.TemporaryDirectory(prefix="bookwake-") as folder:
        target = Path(folder) / "book.kepub.epub"
        try:
            with progress_bar(f"Converting {path.name}") as progress:
                made = convert(path, target, "auto", kepubify, progress)
        except BookError as error:
            raise Failure(f"{path.name} cannot be converted to a KEPUB: {error} {error.remedy}") from None
        except OSError as error:
            raise Failure(f"{error.filename or target}: {error.strerror}. Is there room in {folder}?") from None
        print(
            f"{path.name} has no Kobo spans, so it was converted for this with {made.engine} {made.version}.",
            file=sys.stderr,
        )
        with opened_file(target) as book:
            yield book
