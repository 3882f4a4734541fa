"""Kept texts go with the backups, once for all of them."""

import pytest

from appliance.house import House
from appliance.operations import backup, kept_texts
from appliance.operations.errors import RestoreRefused
from appliance.operations.restore import restore
from tests.server import BOOKS

from .conftest import NOW, settings_in


def test_a_restored_backup_has_them(house: House, tmp_path) -> None:
    house.texts.keep("a" * 64, BOOKS / "minimal-v2.epub")
    made = backup.make(house)
    house.texts.keep("b" * 64, BOOKS / "minimal-v2.epub")
    latest = backup.make(house)
    beside = kept_texts.beside(made.path)
    assert beside == kept_texts.beside(latest.path)
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
