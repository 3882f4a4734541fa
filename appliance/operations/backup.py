"""Backups of the database, each proven by a trial restore before the oldest one goes.

Saved are the database and, once beside all backups, files that never change: the kept texts and the saved sidecars
(`kept_files`). The books belong to their owner and are not changed by us; covers and KEPUBs can be made again from them
(ARCHITECTURE, "Bytes are identities").
"""

import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from appliance.house import House
from appliance.operations import kept_files, postgresql_dump, sqlite_copy, trial
from appliance.operations.errors import BackupFailed, OperationError
from appliance.operations.sqlite_copy import Interrupted
from appliance.settings import Settings

KEEP = 7
"""Backups that stay."""

SPARE = 64 * 1024 * 1024
"""Bytes that must stay free on the disk beside the backup and its trial."""

_NAME = re.compile(r"bookwake-\d{4}-\d\d-\d\dT\d{6}Z\.(sqlite3|pgdump)")
_WORKING = ".working-"
_ABANDONED = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup just made. `rows`: of each table. `unproven`: why it could not be restored for trial, "" if it was."""

    path: Path
    size: int
    rows: dict[str, int]
    unproven: str = ""


def make(house: House, stopping: Callable[[], bool] = lambda: False) -> Backup:
    """Save the database as a new file in the backup folder while everything goes on, restore it for trial, and only
    then let the oldest go. Raises `BackupFailed`; the older backups are untouched then."""
    folder = house.settings.backups
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_abandoned(folder)
        with tempfile.TemporaryDirectory(prefix=_WORKING, dir=folder) as working:
            made = _save_and_try(house, Path(working), stopping)
            target = _free_name(house, made.path.suffix)
            kept_files.save(house.settings, stopping)
            os.replace(made.path, target)
        _sync_folder(folder)
        # The one just made stays, whatever a clock that was set back calls it.
        others = [path for path in backups(house.settings) if path != target]
        for old in others[KEEP - 1 :]:
            old.unlink()
    except (sqlite3.Error, OSError) as error:
        raise BackupFailed(
            f"The database could not be saved: {error}.",
            f"See that {folder} can be written and that its disk has room, then run the backup again.",
        ) from error
    except Interrupted:
        raise BackupFailed(
            "The backup was given up because Bookwake stops.", "It is made up for after the next start."
        ) from None
    except BackupFailed:
        raise
    except OperationError as error:
        raise BackupFailed(f"The backup could not be restored for trial: {error}", error.remedy) from error
    return Backup(target, made.size, made.rows, made.unproven)


def backups(settings: Settings) -> list[Path]:
    """The backups there are, newest first. Files of other names are none of our business."""
    if not settings.backups.is_dir():
        return []
    return sorted((path for path in settings.backups.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def _save_and_try(house: House, working: Path, stopping: Callable[[], bool]) -> Backup:
    if not house.database.is_sqlite:
        return Backup(*postgresql_dump.save_and_try(house.database.url, working / "copy.pgdump"))
    source = Path(house.database.url.database or "")
    _need_room(source, house.settings.backups)
    copy = working / "copy.sqlite3"
    rows = sqlite_copy.copy(source, copy, stopping)
    trial.restore(copy, working / "trial.sqlite3", rows)
    return Backup(copy, copy.stat().st_size, rows)


def _need_room(source: Path, folder: Path) -> None:
    files = (source, source.with_name(source.name + "-wal"))
    needed = 2 * sum(file.stat().st_size for file in files if file.exists()) + SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupFailed(
            f"A backup and its trial need {needed >> 20} MB in {folder}; only {free >> 20} MB are free.",
            "Make room on that disk.",
        )


def _free_name(house: House, suffix: str) -> Path:
    moment = house.now()
    while True:
        path = house.settings.backups / f"bookwake-{moment:%Y-%m-%dT%H%M%SZ}{suffix}"
        if not path.exists():
            return path
        moment += timedelta(seconds=1)


def _remove_abandoned(folder: Path) -> None:
    """What a power cut left of an earlier backup."""
    for path in folder.glob(_WORKING + "*"):
        if path.is_dir() and time.time() - path.stat().st_mtime > _ABANDONED:
            shutil.rmtree(path, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    """A rename survives a power cut only once the folder is on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
