"""Health is told truly, and asking for it writes nothing."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.house import House
from appliance.operations import backup, health
from appliance.operations.doctor import examine


def files(house: House) -> dict[str, tuple[int, int, bytes]]:
    found = {}
    for path in house.settings.data.iterdir():
        if path.is_file() and not path.name.endswith("-shm"):
            status = path.stat()
            found[path.name] = (status.st_mtime_ns, status.st_size, path.read_bytes())
    return found


def test_all_is_well_and_nothing_is_written(house: House) -> None:
    before = files(house)
    for _ in range(3):
        assert health.is_ready(house)
    assert files(house) == before


def test_a_database_that_cannot_be_written(house: House) -> None:
    path = Path(house.database.url.database or "")
    house.database.close()
    path.write_bytes(b"ruined" * 5000)
    database, disk = health.check(house)
    assert not database.ok and "not a database" in database.said
    assert disk.ok


@pytest.mark.parametrize(
    ("free", "flag", "said"), [(3 << 20, 0, "Only 3 MB are free"), (1 << 40, os.ST_RDONLY, "has become read-only")]
)
def test_a_bad_disk(house: House, monkeypatch: pytest.MonkeyPatch, free: int, flag: int, said: str) -> None:
    disk = SimpleNamespace(f_bavail=free, f_frsize=1, f_flag=flag)
    monkeypatch.setattr(os, "statvfs", lambda _path: disk)
    assert said in health.check(house)[1].said


def test_a_data_folder_that_is_gone(house: House) -> None:
    gone = replace(house, settings=replace(house.settings, data=house.settings.data / "gone"))
    assert "cannot be read" in health.check(gone)[1].said


def test_the_doctor_says_what_to_do(house: House) -> None:
    found = {check.name: check for check in examine(house)}
    assert found["database contents"].ok and found["clock"].ok and found["converter"].ok
    assert not found["book folder"].ok and "Create it" in found["book folder"].said
    assert not found["backup"].ok
    house.settings.books[0].mkdir()
    made = backup.make(house)
    os.utime(made.path, (house.now().timestamp(),) * 2)
    found = {check.name: check for check in examine(house)}
    assert all(check.ok for check in found.values()), found


def test_the_doctor_sees_a_torn_page(house: House) -> None:
    path = Path(house.database.url.database or "")
    with house.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(path, "r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(6 * 4096))
    found = {check.name: check for check in examine(house)}
    assert not found["database contents"].ok
