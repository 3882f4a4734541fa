"""Databases for tests: a fresh one of each kind that Bookwake runs on. Tables are copied from a database made once for
the whole process, because the migrations take longer than most tests; `tests/test_migrations.py` goes through them."""

import atexit
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.engine import make_url

from appliance.database import Database
from tests import needs

KINDS = ("sqlite", "postgresql")


@contextmanager
def empty_database(kind: str, folder: Path, *, tables: bool = True) -> Iterator[str]:
    """The URL of a database without rows; thrown away afterwards. SQLite's is a file in `folder`. `tables`: whether it
    has those of the newest version."""
    if kind == "sqlite":
        file = folder / "test.sqlite3"
        if tables:
            put_tables(file)
        yield f"sqlite:///{file}"
        return
    name = f"bookwake_{uuid.uuid4().hex}"
    with _postgresql() as server:
        server.execute(text(f"CREATE DATABASE {name} TEMPLATE {_postgresql_template() if tables else 'template1'}"))
    try:
        yield _url(name)
    finally:
        _drop(name)


def put_tables(file: Path) -> None:
    """Write an SQLite database that has all tables and no rows. Its folder is made where it is missing."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_bytes(_sqlite_template())


@cache
def _sqlite_template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.sqlite3"
        _migrate(f"sqlite:///{file}")
        return file.read_bytes()


@cache
def _postgresql_template() -> str:
    """The name of a database; nobody may be connected to it while it is copied."""
    name = f"bookwake_template_{uuid.uuid4().hex}"
    with _postgresql() as server:
        server.execute(text(f"CREATE DATABASE {name}"))
    atexit.register(_drop, name)
    _migrate(_url(name))
    return name


def _migrate(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()


def _drop(name: str) -> None:
    with _postgresql() as server:
        server.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@contextmanager
def _postgresql() -> Iterator[Connection]:
    """Where databases are made and dropped."""
    server = create_engine(_server(), isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            yield connection
    finally:
        server.dispose()


def _url(name: str) -> str:
    return _server().set(database=name).render_as_string(hide_password=False)


def _server() -> URL:
    return make_url(needs.postgresql()).set(drivername="postgresql+psycopg")
