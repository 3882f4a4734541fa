"""Every KEPUB ever made, kept by what it was made from. Positions depend on the bytes, so bytes once written stay."""

import json
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from appliance.kepub.convert import Conversion, Engine, engine_in_use, make_kepub

_ABANDONED = 24 * 3600  # seconds; what a loss of power left behind
_SHA256 = re.compile(r"[0-9a-f]{64}")


class KepubStore:
    """A folder of KEPUBs: `<sha256 of the source>-<engine>-<version>.kepub.epub`, with notes on each next to it.

    Safe to share between threads. `kepubify`: the program, else the one on the path.
    """

    def __init__(self, folder: Path, kepubify: Path | None = None) -> None:
        self._folder = folder
        self._kepubify = kepubify
        self._guard = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}

    def find(self, source_sha256: str, engine: Engine = "auto") -> Path | None:
        """The KEPUB already made from that source.

        With "auto" the first that was made, by whichever engine and version, so that installing or updating a converter
        changes no file that a device may hold.
        """
        _check(source_sha256)
        if engine != "auto":
            path = self._path(source_sha256, engine)
            return path if path.exists() else None
        made = [path for path in self._folder.glob(f"{source_sha256}-*.kepub.epub") if _notes(path).exists()]
        return min(made, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)

    def ensure(
        self,
        source_sha256: str,
        source: Path,
        engine: Engine = "auto",
        progress: Callable[[int, int], None] | None = None,
    ) -> Path:
        """The KEPUB of `source`, whose SHA-256 the caller knows; made now if it never was.

        Two callers at a time get the same file from one conversion. Raises as `make_kepub`.
        """
        found = self.find(source_sha256, engine)
        if found is not None:
            return found
        with self._guard:
            lock = self._busy.setdefault(source_sha256, threading.Lock())
        try:
            with lock:
                return self.find(source_sha256, engine) or self._make(source_sha256, source, engine, progress)
        finally:
            with self._guard:
                self._busy.pop(source_sha256, None)

    def conversion(self, path: Path) -> Conversion:
        """What is known of a KEPUB that `ensure` or `find` gave."""
        notes = json.loads(_notes(path).read_text(encoding="utf-8"))
        return Conversion(**{**notes, "doubts": tuple(notes["doubts"])})

    def _make(
        self, source_sha256: str, source: Path, engine: Engine, progress: Callable[[int, int], None] | None
    ) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.glob(".converting-*"):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink(missing_ok=True)
        path = self._path(source_sha256, engine)
        conversion = make_kepub(source, path, engine, self._kepubify, progress)
        path.chmod(0o444)
        # The notes come last: a KEPUB without them was interrupted, was never given to anyone, and is made again.
        notes = _notes(path)
        temporary = notes.with_suffix(".writing")
        with temporary.open("w", encoding="utf-8") as stream:
            json.dump(asdict(conversion), stream, ensure_ascii=False)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(notes)
        return path

    def path(self, source_sha256: str, engine: str, version: str) -> Path:
        """Where the KEPUB that an engine made from that source lies, if it did."""
        _check(source_sha256)
        return self._folder / f"{source_sha256}-{engine}-{version}.kepub.epub"

    def _path(self, source_sha256: str, engine: Engine) -> Path:
        return self.path(source_sha256, *engine_in_use(engine, self._kepubify))


def _notes(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".kepub.epub") + ".json")


def _check(source_sha256: str) -> None:
    if not _SHA256.fullmatch(source_sha256):
        raise ValueError("not a SHA-256 in lower-case hexadecimal")
