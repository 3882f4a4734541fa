"""A backup of a PostgreSQL database, restored for trial on the same server."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from appliance.database import Database
from appliance.house import House
from appliance.operations import backup, health
from appliance.operations.errors import BackupFailed
from tests import needs

from .conftest import add_book, open_house, settings_in


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """In a schema of its own, so that tests of other parts are not disturbed."""
    url = make_url(needs.postgresql()).set(drivername="postgresql+psycopg")
    needs.program("pg_dump", "postgresql-client")
    name = f"bookwake_backup_{os.getpid()}"
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    house = open_house(settings_in(tmp_path, url.set(database=name).render_as_string(hide_password=False)))
    add_book(house, 0)
    yield house
    house.database.close()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    server.dispose()


def databases(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.execute(text("SELECT datname FROM pg_database")).scalars())


def test_saved_and_restored_for_trial(house: House) -> None:
    before = databases(house.database)
    made = backup.make(house)
    assert made.path.read_bytes().startswith(b"PGDMP")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert made.rows["book"] == 1 and made.unproven == ""
    assert backup.backups(house.settings) == [made.path]
    assert databases(house.database) == before


def test_a_missing_program_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(BackupFailed, match="pg_dump is missing") as failed:
        backup.make(house)
    assert "postgresql-client" in failed.value.remedy
    assert list(house.settings.backups.iterdir()) == []


def test_a_role_that_may_not_create_databases_gets_an_unproven_backup(house: House) -> None:
    with house.database.write() as session:
        session.execute(text("CREATE ROLE bookwake_plain LOGIN"))
        for kind in ("TABLES", "SEQUENCES"):
            session.execute(text(f"GRANT SELECT ON ALL {kind} IN SCHEMA public TO bookwake_plain"))
    url = house.database.url.set(username="bookwake_plain").render_as_string(hide_password=False)
    plain = Database(url)
    try:
        made = backup.make(House(house.settings, plain, house.shelf, house.now))
        assert "may not create a database" in made.unproven
    finally:
        plain.close()
        with house.database.write() as session:
            session.execute(text("DROP OWNED BY bookwake_plain"))
            session.execute(text("DROP ROLE bookwake_plain"))


def test_health(house: House) -> None:
    assert health.is_ready(house)
    with house.database.write() as session:
        name = house.database.url.database
        session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    house.database.close()
    assert [found.ok for found in health.check(house)] == [False, True]
