"""EPUB → KEPUB with either engine: the same span ids over the same text, the same bytes each time."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from appliance.kepub import builtin
from appliance.kepub.chapters import chapters_apart
from appliance.kepub.kepubify import kepubify_version, run_kepubify

Engine = Literal["auto", "kepubify", "built-in"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was made.

    `engine`, `version`: by what. `sha256`, `size` (bytes): of the KEPUB. `documents`: how many content documents have
    spans now that had none. `doubts`: what a person should know, in sentences.
    """

    engine: Literal["kepubify", "built-in"]
    version: str
    sha256: str
    size: int
    documents: int
    doubts: tuple[str, ...]


def engine_in_use(engine: Engine = "auto", kepubify: Path | None = None) -> tuple[Literal["kepubify", "built-in"], str]:
    """The engine that `convert` would use now, and its version. Raises `KepubifyError` when kepubify is demanded and
    cannot be run."""
    if engine != "built-in":
        program = kepubify_program(kepubify)
        if program is not None or engine == "kepubify":
            # The built-in converter does the documents that kepubify passes over.
            return "kepubify", f"{kepubify_version(program)}+{builtin.VERSION}"
    return "built-in", builtin.VERSION


def kepubify_program(configured: Path | None) -> Path | None:
    """The configured program, else the one on the path."""
    if configured is not None:
        return configured
    found = shutil.which("kepubify")
    return Path(found) if found else None


def make_kepub(
    source: Path,
    target: Path,
    engine: Engine = "auto",
    kepubify: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """What a Kobo is given for the EPUB at `source`: `convert` of the book with its chapters apart (`chapters`)."""
    with chapters_apart(source, target.parent) as (apart, doubts):
        made = convert(apart, target, engine, kepubify, progress)
    return replace(made, doubts=(*doubts, *made.doubts))


def convert(
    source: Path,
    target: Path,
    engine: Engine = "auto",
    kepubify: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """Put spans into the EPUB at `source`, document by document.

    `target` appears whole or not at all, replacing what was there. `kepubify`: the program, else the one on the path;
    "auto" means kepubify if there is one. `progress(done, total)` counts archive entries. Raises `BookError` for a book
    that cannot be converted, `KepubifyError` (a `BookError`) when that engine fails, `OSError`.
    """
    used, version = engine_in_use(engine, kepubify)
    descriptor, name = tempfile.mkstemp(prefix=".converting-", suffix=".kepub.epub", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            if used == "kepubify":
                documents, doubts = run_kepubify(kepubify_program(kepubify), source, stream, progress)
            else:
                documents, doubts = builtin.write_kepub(source, stream, progress)
            stream.flush()
            os.fsync(stream.fileno())
            size = stream.tell()
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        temporary.chmod(0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)
    return Conversion(used, version, digest, size, documents, doubts)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
