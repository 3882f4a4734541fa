"""Files that a backup has beside the database: the kept texts, and what KOReaders saved of their sidecars.

Each is named by what it holds and never changes, so they lie once beside all backups.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.operations.errors import RestoreRefused
from appliance.operations.sqlite_copy import Interrupted
from appliance.settings import Settings

_COPYING = ".copying-"


@dataclass(frozen=True, slots=True)
class Kind:
    """A folder of such files, `pattern` below the data folder and beside the backups alike. `what`: for people."""

    name: str
    what: str
    pattern: str


KINDS = (
    Kind("texts", "kept texts", "[0-9a-f]*.epub"),
    Kind("sidecars", "saved sidecars", "[0-9a-f][0-9a-f]/[0-9a-f]*"),
)


def beside(backup: Path, kind: Kind = KINDS[0]) -> Path:
    """The folder of files that belongs to a backup."""
    return backup.parent / kind.name


def save(settings: Settings, stopping: Callable[[], bool]) -> int:
    """Copy those that are not there yet; returns how many. Raises `OSError` and `Interrupted`."""
    return sum(_copy(kind, settings.data / kind.name, settings.backups / kind.name, stopping) for kind in KINDS)


def bring_back(settings: Settings, backup: Path) -> int:
    """Copy those of a backup that are missing; returns how many. Raises `RestoreRefused`."""
    copied = 0
    for kind in KINDS:
        target = settings.data / kind.name
        try:
            copied += _copy(kind, beside(backup, kind), target, lambda: False)
        except OSError as error:
            raise RestoreRefused(
                f"The {kind.what} in {beside(backup, kind)} could not be copied: {error.strerror}.",
                f"See that {target} can be written and that its disk has room.",
            ) from error
    return copied


def _copy(kind: Kind, source: Path, target: Path, stopping: Callable[[], bool]) -> int:
    files = sorted(source.glob(kind.pattern)) if source.is_dir() else []
    copied = 0
    for path in files:
        if stopping():
            raise Interrupted
        copy = target / path.relative_to(source)
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            continue  # an old version that went meanwhile
        if copy.exists() and copy.stat().st_size == size:
            continue
        writing = copy.with_name(f"{_COPYING}{path.name}")
        try:
            try:
                os.link(path, writing)  # on the same disk it takes no room
            except OSError:
                shutil.copyfile(path, writing)
                with writing.open("rb") as stream:
                    os.fsync(stream.fileno())
            writing.replace(copy)
        finally:
            writing.unlink(missing_ok=True)
        copied += 1
    return copied
