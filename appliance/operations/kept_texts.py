"""The kept texts in a backup: one folder beside all backups, because a text that was kept once never changes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from appliance.operations.errors import RestoreRefused
from appliance.operations.sqlite_copy import Interrupted
from appliance.settings import Settings

_COPYING = ".copying-"


def beside(backup: Path) -> Path:
    """The folder of texts that belongs to a backup."""
    return backup.parent / "texts"


def save(settings: Settings, stopping: Callable[[], bool]) -> int:
    """Copy those that are not there yet; returns how many. Raises `OSError` and `Interrupted`."""
    return _copy(settings.texts, settings.backups / "texts", stopping)


def bring_back(settings: Settings, backup: Path) -> int:
    """Copy those of a backup that are missing; returns how many. Raises `RestoreRefused`."""
    try:
        return _copy(beside(backup), settings.texts, lambda: False)
    except OSError as error:
        raise RestoreRefused(
            f"The kept texts in {beside(backup)} could not be copied: {error.strerror}.",
            f"See that {settings.texts} can be written and that its disk has room.",
        ) from error


def _copy(source: Path, target: Path, stopping: Callable[[], bool]) -> int:
    texts = sorted(source.glob("[0-9a-f]*.epub")) if source.is_dir() else []
    if not texts:
        return 0
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    copied = 0
    for path in texts:
        if stopping():
            raise Interrupted
        copy = target / path.name
        if copy.exists() and copy.stat().st_size == path.stat().st_size:
            continue
        writing = target / f"{_COPYING}{path.name}"
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
