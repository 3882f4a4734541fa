"""Find the book files below the book folders, without reading any.

Links: a link to a file or folder is followed when what it leads to lies in one of the book folders, so a link never
opens the rest of the machine to readers; other links are left out and reported. No folder is entered twice, however
many links lead to it.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = (".epub", ".kepub")

# Folders that file servers and systems keep for themselves.
IGNORED = frozenset({"@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information", "__macosx"})

MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Found:
    """A file that looks like a book. `path` is absolute, as found (links not resolved); `size` in bytes."""

    path: str
    size: int
    mtime_ns: int


@dataclass(slots=True)
class Walk:
    """All book files, in the order of their paths. Nothing is known of what lies below the folders in `unread`;
    `problems` says why, and what else was left out."""

    files: list[Found] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def walk(roots: Iterable[Path]) -> Walk:
    """Walk the book folders."""
    roots = list(roots)
    inside = [os.path.realpath(root) for root in roots]
    result = Walk()
    seen: set[tuple[int, int]] = set()
    for root in roots:
        if not root.is_dir():
            result.unread.append(str(root))
            result.problems.append(f"The book folder {root} does not exist or is not a folder. Is the disk connected?")
            continue
        _walk_folder(str(root), inside, seen, result)
    result.files.sort(key=lambda found: found.path)
    return result


def _walk_folder(root: str, inside: list[str], seen: set[tuple[int, int]], result: Walk) -> None:
    pending = [(root, 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                children = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            result.unread.append(folder)
            result.problems.append(f"The folder {folder} cannot be read: {error.strerror}.")
            continue
        for entry in children:
            if entry.name.startswith("."):
                continue
            if not entry.path.isprintable():
                result.problems.append(f"{entry.path!r} has a name that is not readable text; rename it.")
                continue
            try:
                if entry.is_symlink() and not _leads_inside(entry.path, inside):
                    if entry.name.lower().endswith(SUFFIXES) or entry.is_dir():
                        result.problems.append(f"{entry.path} is a link that leads out of the book folders; left out.")
                    continue
                if entry.is_dir():
                    if entry.name.lower() in IGNORED:
                        continue
                    if depth < MAX_DEPTH:
                        pending.append((entry.path, depth + 1))
                    else:
                        result.problems.append(f"{entry.path} lies more than {MAX_DEPTH} folders deep; left out.")
                elif entry.name.lower().endswith(SUFFIXES) and entry.is_file():
                    status = entry.stat()
                    result.files.append(Found(entry.path, status.st_size, status.st_mtime_ns))
            except OSError as error:
                result.problems.append(f"{entry.path} cannot be looked at: {error.strerror}.")


def is_inside(path: str, roots: Iterable[Path]) -> bool:
    """Whether a path, its links resolved, lies in one of the book folders."""
    return _leads_inside(path, [os.path.realpath(root) for root in roots])


def _leads_inside(path: str, inside: list[str]) -> bool:
    target = os.path.realpath(path)
    return any(target == root or target.startswith(root.rstrip("/") + "/") for root in inside)
