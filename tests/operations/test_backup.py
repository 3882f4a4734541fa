"""The online backup: consistent while others write, proven, private, kept in a row of seven."""

import os
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.house import House
from appliance.operations import backup, sqlite_copy, trial
from appliance.operations.errors import BackupFailed, RestoreRefused

from .conftest import NOW, add_book, new_book


def test_a_backup_is_a_single_private_file_with_every_row(house: House) -> None:
    made = backup.make(house)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in house.settings.backups.iterdir()] == [made.path.name]
    assert made.rows["user"] == made.rows["book"] == 1
    assert made.unproven == ""
    with closing(sqlite3.connect(made.path)) as copy:
        assert copy.execute("SELECT title FROM book").fetchall() == [("Book 0",)]
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_what_is_only_in_the_log_is_saved_too(house: House) -> None:
    assert house.database.url.database is not None
    assert Path(house.database.url.database + "-wal").stat().st_size > 0
    assert backup.make(house).rows["book"] == 1


def test_a_copy_is_of_one_instant_while_others_write(house: House) -> None:
    """Each transaction adds two books, so a copy with an odd number of new ones would be of no instant at all."""
    for number in range(1, 401):
        add_book(house, number)
    stop = threading.Event()

    def write() -> None:
        number = 1000
        while not stop.is_set():
            with house.database.write() as session:
                session.add_all(new_book(number + each) for each in range(2))
            number += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [backup.make(house) for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    for made in copies:
        with closing(sqlite3.connect(made.path)) as copy:
            found = copy.execute("SELECT count(*) FROM book").fetchone()[0]
        assert found == made.rows["book"]
        assert (found - 401) % 2 == 0


def test_writers_do_not_make_the_copy_begin_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_copy, "PAGES_PER_STEP", 8)
    for number in range(1, 200):
        add_book(house, number)
    steps = 0

    def write_between_steps() -> bool:
        nonlocal steps
        steps += 1
        add_book(house, 10_000 + steps)
        assert steps < 1000
        return False

    made = backup.make(house, write_between_steps)
    pages = made.size // 4096
    assert made.rows["book"] == 200
    assert pages // 8 <= steps <= pages // 8 + 2


def test_seven_are_kept_and_other_files_left_alone(house: House) -> None:
    house.settings.backups.mkdir()
    (house.settings.backups / "my-own.sqlite3").write_text("keep")
    nights = [NOW + timedelta(days=night) for night in range(backup.KEEP + 2)]
    made = [backup.make(replace(house, now=lambda night=night: night)).path for night in nights]
    assert backup.backups(house.settings) == made[: -backup.KEEP - 1 : -1]
    assert not made[0].exists() and not made[1].exists()
    assert (house.settings.backups / "my-own.sqlite3").read_text() == "keep"


def test_the_newest_stays_when_the_clock_was_set_back(house: House) -> None:
    for night in range(backup.KEEP):
        backup.make(replace(house, now=lambda night=night: NOW + timedelta(days=night)))
    made = backup.make(replace(house, now=lambda: datetime(1970, 1, 1, tzinfo=UTC))).path
    assert made.exists() and len(backup.backups(house.settings)) == backup.KEEP


def test_a_failed_trial_keeps_the_old_backups_and_nothing_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    good = backup.make(house).path
    copy = sqlite_copy.copy

    def torn(source: Path, target: Path, stopping: object) -> dict[str, int]:
        rows = copy(source, target)
        with open(target, "r+b") as file:
            file.seek(5 * 4096)
            file.write(os.urandom(8192))
        return rows

    monkeypatch.setattr(sqlite_copy, "copy", torn)
    with pytest.raises(BackupFailed, match=r"restored for trial.*damaged"):
        backup.make(house)
    assert list(house.settings.backups.iterdir()) == [good]


def test_a_lost_row_is_noticed(house: House, tmp_path: Path) -> None:
    rows = sqlite_copy.copy(Path(house.database.url.database or ""), tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy, copy:
        copy.execute("DELETE FROM book")
    with pytest.raises(RestoreRefused, match="table book has 0 rows and should have 1"):
        trial.restore(tmp_path / "copy", tmp_path / "scratch", rows)


def test_a_stop_gives_up_cleanly(house: House) -> None:
    with pytest.raises(BackupFailed, match="Bookwake stops"):
        backup.make(house, lambda: True)
    assert list(house.settings.backups.iterdir()) == []


def test_a_full_disk_is_said_before_anything_is_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(house.settings.data)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    with pytest.raises(BackupFailed, match="only 0 MB are free"):
        backup.make(house)
    assert list(house.settings.backups.iterdir()) == []


def test_what_a_power_cut_left_goes_and_what_is_in_work_stays(house: House) -> None:
    old, young = house.settings.backups / ".working-old", house.settings.backups / ".working-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "copy.sqlite3").touch()
    os.utime(old, (0, 0))
    backup.make(house)
    assert not old.exists() and young.exists()
