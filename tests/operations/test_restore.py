"""Going back to a backup: the whole of it or nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appliance.database import Database
from appliance.house import House
from appliance.operations import backup
from appliance.operations.errors import RestoreRefused
from appliance.operations.restore import restore

from .conftest import NOW, add_book, open_house, settings_in


def titles(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {title for (title,) in connection.execute("SELECT title FROM book")}


def test_the_backup_becomes_the_database_and_the_old_one_is_kept(house: House) -> None:
    made = backup.make(house)
    add_book(house, 1)
    house.database.close()
    done = restore(house.settings, made.path, NOW)
    live = Path(house.database.url.database or "")
    assert titles(live) == {"Book 0"}
    assert done.previous is not None and titles(done.previous) == {"Book 0", "Book 1"}
    assert done.rows["book"] == 1
    assert {path.name for path in live.parent.glob(live.name + "*")} == {live.name, done.previous.name}
    again = open_house(house.settings)
    add_book(again, 2)
    again.database.close()
    assert titles(live) == {"Book 0", "Book 2"}


def test_on_a_fresh_machine(house: House, tmp_path: Path) -> None:
    made = backup.make(house)
    fresh = settings_in(tmp_path / "new")
    done = restore(fresh, made.path, NOW)
    assert done.previous is None
    assert titles(fresh.data / "bookwake.sqlite3") == {"Book 0"}


def test_refused_while_bookwake_runs(house: House) -> None:
    made = backup.make(house)
    add_book(house, 1)
    with pytest.raises(RestoreRefused, match="in use"):
        restore(house.settings, made.path, NOW)
    assert titles(Path(house.database.url.database or "")) == {"Book 0", "Book 1"}
    assert not list(house.settings.data.glob("*restor*"))


def test_a_backup_of_a_newer_version_is_refused(house: House) -> None:
    made = backup.make(house)
    with closing(sqlite3.connect(made.path)) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    add_book(house, 1)
    house.database.close()
    with pytest.raises(RestoreRefused, match="newer version"):
        restore(house.settings, made.path, NOW)
    assert titles(Path(house.database.url.database or "")) == {"Book 0", "Book 1"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no version"), (b"not a database at all" * 100, "not a database"), (None, "No such file")],
)
def test_what_is_no_backup_is_refused(house: House, tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    house.database.close()
    before = Path(house.database.url.database or "").read_bytes()
    with pytest.raises(RestoreRefused, match=reason):
        restore(house.settings, file, NOW)
    assert Path(house.database.url.database or "").read_bytes() == before
    assert not list(house.settings.data.glob("*restor*"))


def test_a_damaged_database_can_be_replaced(house: House) -> None:
    made = backup.make(house)
    house.database.close()
    live = Path(house.database.url.database or "")
    live.write_bytes(b"\0" * 20_000)
    live.with_name(live.name + "-wal").write_bytes(b"left over")
    done = restore(house.settings, made.path, NOW)
    assert titles(live) == {"Book 0"}
    assert not live.with_name(live.name + "-wal").exists()
    assert done.previous is not None and done.previous.read_bytes() == b"\0" * 20_000


def test_postgresql_is_left_to_its_own_program(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "postgresql://bookwake@db/bookwake")
    with pytest.raises(RestoreRefused) as refused:
        restore(settings, tmp_path / "x.pgdump", NOW)
    assert "pg_restore" in refused.value.remedy


def test_an_older_backup_is_brought_up_to_date(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema has one version so far; that the migration runs on the copy, before the switch, can be seen."""
    made = backup.make(house)
    house.database.close()
    migrated: list[str] = []
    migrate = Database.migrate

    def noted(self: Database) -> None:
        migrated.append(Path(self.url.database or "").name)
        migrate(self)

    monkeypatch.setattr(Database, "migrate", noted)
    restore(house.settings, made.path, NOW)
    assert migrated == ["bookwake.sqlite3.restoring"]
