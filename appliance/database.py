"""Sessions and transactions. One unit of work per request: `with database.write() as session`.

SQLite runs in WAL mode with synchronous=FULL: what was acknowledged survives a power cut. Writers take turns under a
lock of our own, because SQLite's busy handler sleeps and so would make the wait of concurrent writers long and unfair;
and writers that queue share one commit, because on an SD card the commit is what takes time.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import msgspec
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
        # The last connection that was used is the next: its cache and its prepared statements are worth the most.
        self.engine: Engine = create_engine(
            self.url, pool_size=8, max_overflow=32, pool_use_lifo=True, pool_pre_ping=not self.is_sqlite, **_JSON
        )
        # Whoever writes has the same connection always, whose cache nobody else's writing makes stale.
        self._writer = self.engine
        if self.is_sqlite:
            self._writer = create_engine(self.url, pool_size=1, **_JSON)
            _begin_with(self.engine, "BEGIN")
            _begin_with(self._writer, "BEGIN IMMEDIATE")
        self._batches = _Batches(self._writer)

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
        if self.is_sqlite:
            with self._batches.join() as session:
                yield session
        else:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session

    def migrate(self) -> None:
        """Bring the tables to the version of this program. Raises `migrations.Downgrade` for a newer database."""
        from appliance.migrations import upgrade  # Alembic is 50 MB; only start-up needs it

        upgrade(self)

    def close(self) -> None:
        """Close all connections."""
        self._writer.dispose()
        self.engine.dispose()


class _Batch:
    """Transactions that are committed together. `error` is why the commit failed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.members = 0
        self.done = threading.Event()
        self.error: BaseException | None = None


class _Batches:
    """Group commit: each member runs alone, as a savepoint of one SQLite transaction; the last one that finds nobody
    waiting commits for all. No member's block counts as done before that commit."""

    MOST = 32  # members of a batch, so that the first does not wait for ever

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._waiting = 0
        self._batch: _Batch | None = None

    @contextmanager
    def join(self) -> Iterator[Session]:
        with self._count:
            self._waiting += 1
        with self._turn:
            with self._count:
                self._waiting -= 1
            first = self._batch is None
            batch = self._batch = self._batch or self._open()
            batch.members += 1
            mode: Literal["rollback_only", "create_savepoint"] = "rollback_only" if first else "create_savepoint"
            try:
                with (
                    Session(batch.connection, join_transaction_mode=mode, expire_on_commit=False) as session,
                    session.begin(),
                ):
                    yield session
            except BaseException:
                if first:
                    self._close(batch)  # nobody else is in it yet
                else:
                    self._commit_unless_others_come(batch)
                raise
            self._commit_unless_others_come(batch)
        batch.done.wait()
        if batch.error is not None:
            raise batch.error

    def _open(self) -> _Batch:
        connection = self._engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return _Batch(connection)

    def _commit_unless_others_come(self, batch: _Batch) -> None:
        if self._waiting and batch.members < self.MOST:
            return  # whoever waits for the turn joins this batch next, and comes here in turn
        try:
            batch.connection.commit()
        except BaseException as error:
            batch.error = error
            batch.connection.invalidate()  # it may still be inside the transaction that could not be committed
        finally:
            self._close(batch)

    def _close(self, batch: _Batch) -> None:
        self._batch = None
        batch.connection.close()
        batch.done.set()


def _begin_with(engine: Engine, statement: str) -> None:
    """Open transactions on SQLite with this statement, and durable ones."""
    event.listen(engine, "connect", _set_pragmas)

    def begin(connection: Any) -> None:
        connection.execute(statement)

    # With a listener to "begin" instead, SQLAlchemy would look for listeners four times with every statement.
    engine.dialect.do_begin = begin  # type: ignore[method-assign, assignment]


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin_with` opens transactions, not the driver
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


# A column's JSON. The standard library takes several times as long, but it has half characters, and an infinity is not
# null.


def _to_json(value: Any) -> str:
    try:
        text = _ENCODE(value)
    except (TypeError, ValueError):
        return json.dumps(value)
    if b"null" in text and msgspec.json.decode(text) != value:
        return json.dumps(value)
    return text.decode()


def _from_json(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


_ENCODE = msgspec.json.Encoder().encode
_JSON: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": _from_json}
