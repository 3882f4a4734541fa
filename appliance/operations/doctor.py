"""Look at everything that can be wrong on this machine, more slowly and more closely than `health`."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.house import House
from appliance.operations import sqlite_copy
from appliance.operations.backup import backups
from appliance.operations.health import Check, check

OLD_BACKUP = timedelta(days=3)
_NO_EARLIER = datetime(2026, 1, 1, tzinfo=UTC)


def examine(house: House) -> list[Check]:
    """All findings, the good ones too. Reads the whole database; changes nothing."""
    return [
        *check(house),
        *_contents(house),
        *(_book_folder(folder) for folder in house.settings.books),
        _converter(house.settings.kepubify),
        _clock(house.now()),
        _backup(house),
    ]


def _contents(house: House) -> list[Check]:
    if not house.database.is_sqlite:
        return []
    found = sqlite_copy.problems(Path(house.database.url.database or ""))
    if found:
        return [Check("database contents", False, f"The database is damaged: {found[0]}. Restore the newest backup.")]
    return [Check("database contents", True, "Every page of the database is sound.")]


def _book_folder(folder: Path) -> Check:
    name = "book folder"
    if not folder.is_dir():
        return Check(name, False, f"The book folder {folder} does not exist. Create it or name another with --books.")
    if not os.access(folder, os.R_OK | os.X_OK):
        return Check(name, False, f"The book folder {folder} cannot be read. Allow it to the user that runs Bookwake.")
    return Check(name, True, f"The book folder {folder} can be read.")


def _converter(configured: Path | None) -> Check:
    if configured and not os.access(configured, os.X_OK):
        return Check(
            "converter",
            False,
            f"kepubify is set to {configured}, which cannot be run. Correct the setting or remove it.",
        )
    found = configured or shutil.which("kepubify")
    return Check(
        "converter", True, f"KEPUBs are made by {found}." if found else "KEPUBs are made by the built-in converter."
    )


def _clock(now: datetime) -> Check:
    if now < _NO_EARLIER:
        said = f"The clock says {now:%Y-%m-%d}; newest reading cannot be told from older. Set the time or allow NTP."
        return Check("clock", False, said)
    return Check("clock", True, f"The clock says {now:%Y-%m-%d %H:%M} UTC.")


def _backup(house: House) -> Check:
    made = backups(house.settings)
    if not made:
        return Check("backup", False, "There is no backup yet; the first is made ten minutes after the start.")
    age = house.now().timestamp() - made[0].stat().st_mtime
    if age > OLD_BACKUP.total_seconds():
        days = int(age // 86400)
        return Check("backup", False, f"The newest backup, {made[0].name}, is {days} days old. Run: bookwake backup")
    return Check("backup", True, f"The newest backup is {made[0].name}.")
