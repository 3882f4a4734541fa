"""Kept texts and saved sidecars go with the backups, once for all of them."""

import pytest

from appliance.house import House
from appliance.operations import backup, kept_files
from appliance.operations.errors import RestoreRefused
from appliance.operations.restore import restore
from tests.server import BOOKS

from .conftest import NOW, settings_in


def test_a_restored_backup_has_them(house: House, tmp_path) -> None:
    house.texts.keep("a" * 64, BOOKS / "minimal-v2.epub")
    made = backup.make(house)
    house.texts.keep("b" * 64, BOOKS / "minimal-v2.epub")
    latest = backup.make(house)
    beside = kept_files.beside(made.path)
    assert beside == kept_files.beside(latest.path)
    assert {path.name for path in beside.iterdir()} == {f"{'a' * 64}.epub", f"{'b' * 64}.epub"}
    house.database.close()

    fresh = settings_in(tmp_path / "new")
    restore(fresh, made.path, NOW)
    for path in beside.iterdir():
        assert (fresh.texts / path.name).read_bytes() == path.read_bytes()


def test_an_older_backup_has_none(house: House, tmp_path) -> None:
    made = backup.make(house)
    fresh = settings_in(tmp_path / "new")
    restore(fresh, made.path, NOW)
    assert not fresh.texts.exists()


def test_a_restore_that_cannot_copy_them_changes_nothing(house: House, tmp_path) -> None:
    house.texts.keep("a" * 64, BOOKS / "minimal-v2.epub")
    made = backup.make(house)
    fresh = settings_in(tmp_path / "new")
    fresh.data.mkdir(parents=True)
    fresh.texts.write_text("in the way")
    with pytest.raises(RestoreRefused, match="kept texts"):
        restore(fresh, made.path, NOW)
    assert not (fresh.data / "bookwake.sqlite3").exists()


def test_saved_sidecars_go_along(house: House, tmp_path) -> None:
    part = house.settings.sidecars / "ab" / ("ab" + "0" * 62)
    part.parent.mkdir(parents=True)
    part.write_bytes(b"return {}")
    (part.parent / ".writing-abcd").write_bytes(b"half")
    made = backup.make(house)
    fresh = settings_in(tmp_path / "new")
    restore(fresh, made.path, NOW)
    assert (fresh.sidecars / "ab" / part.name).read_bytes() == b"return {}"
    assert [path.name for path in (fresh.sidecars / "ab").iterdir()] == [part.name]
