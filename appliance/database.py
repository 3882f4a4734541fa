"""Sessions and transactions. One unit of work per request: `with database.write() as session`.

SQLite runs in WAL mode with synchronous=FULL: what was acknowledged survives a power cut. Writers take turns under a
lock of our own, because SQLite's busy handler sleeps and so would make the wait of concurrent writers long and unfair.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlmodel import Session


class Database:
    """A database by URL. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.engine: Engine = create_engine(self.url, pool_size=8, max_overflow=32, pool_pre_ping=not self.is_sqlite)
        self._turn = threading.Lock()
        if self.is_sqlite:
            event.listen(self.engine, "connect", _set_pragmas)
            event.listen(self.engine, "begin", _begin)
        self._writing = self.engine.execution_options(writing=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view; whatever is changed in it is thrown away."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed durably when the block ends, rolled back when it raises.

        Keep slow work (parsing, files) outside: on SQLite other writers wait meanwhile.
        """
        if not self.is_sqlite:
            with Session(self._writing, expire_on_commit=False) as session, session.begin():
                yield session
            return
        with self._turn, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Bring the tables to the version of this program. Raises `migrations.Downgrade` for a newer database."""
        from appliance.migrations import upgrade  # Alembic is 50 MB; only start-up needs it

        upgrade(self)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event below opens transactions, not the driver
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
