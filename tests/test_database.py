"""Transactions: alone, together in one commit, and when something fails."""

import threading

import pytest
from sqlalchemy import JSON, Column, Integer, MetaData, Table, insert, text
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from appliance.database import Database
from appliance.models import Setting
from tests.databases import KINDS, empty_database


@pytest.fixture(params=KINDS)
def database(request, tmp_path):
    with empty_database(request.param, tmp_path) as url:
        database = Database(url)
        database.migrate()
        yield database
        database.close()


def keys(database):
    with database.read() as session:
        return set(session.exec(select(Setting.key)))


def in_threads(count, work):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)


def test_each_writer_finds_its_own_work_committed(database):
    """The block of `write` ends only after the commit: another connection sees the row at once."""
    missed = []

    def work(number):
        for step in range(20):
            key = f"{number}.{step}"
            with database.write() as session:
                session.add(Setting(key=key, value=""))
            with database.read() as session:
                if session.get(Setting, key) is None:
                    missed.append(key)

    in_threads(16, work)
    assert not missed and len(keys(database)) == 16 * 20


def test_a_writer_that_fails_takes_nobody_with_it(database):
    def work(number):
        for step in range(20):
            try:
                with database.write() as session:
                    session.add(Setting(key=f"{number}.{step}", value=""))
                    session.flush()
                    if (number + step) % 3 == 0:
                        raise ValueError("changed my mind")
            except ValueError:
                pass

    in_threads(8, work)
    assert keys(database) == {f"{n}.{s}" for n in range(8) for s in range(20) if (n + s) % 3}


def test_a_commit_that_fails_is_told_to_everybody_in_it(database):
    told, stored = [], []

    def work(number):
        for step in range(10):
            try:
                with database.write() as session:
                    if number == 0 and step % 2:
                        if database.is_sqlite:
                            # A deferred constraint fails at the commit, not at the statement.
                            session.execute(text("PRAGMA defer_foreign_keys=ON"))
                        session.execute(
                            text("INSERT INTO digest (value, kind, sha256) VALUES (:v, 'x', 'nobody')"),
                            {"v": f"{step}"},
                        )
                    session.add(Setting(key=f"{number}.{step}", value=""))
            except OperationalError:
                raise
            except Exception:
                told.append(f"{number}.{step}")
            else:
                stored.append(f"{number}.{step}")

    in_threads(8, work)
    assert keys(database) == set(stored)
    assert {f"0.{step}" for step in (1, 3, 5, 7, 9)} <= set(told)
    with database.write() as session:
        session.add(Setting(key="afterwards", value=""))
    assert "afterwards" in keys(database)


def test_what_is_changed_in_a_read_is_thrown_away(database):
    with database.read() as session:
        session.add(Setting(key="no", value=""))
        session.flush()
    assert keys(database) == set()


def test_whatever_json_was_stored_is_read(database):
    """Half a character and an infinity too, which the standard library writes and others do not read."""
    values = [{"a": ["é", None, 1.5, True, 12345678901234567890123]}, "\ud800", "\U0001f600", []]
    values += [float("inf")] if database.is_sqlite else []
    table = Table("test_json", MetaData(), Column("number", Integer), Column("value", JSON))
    with database.write() as session:
        table.create(session.connection())
        session.connection().execute(insert(table), [{"number": n, "value": one} for n, one in enumerate(values)])
    with database.read() as session:
        assert list(session.connection().execute(select(table.c.value).order_by(table.c.number)).scalars()) == values


def test_what_is_acknowledged_survives_a_power_cut(tmp_path):
    """Every connection waits for the disk at each commit (sqlite.org/pragma.html: FULL is 2)."""
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    for transaction in (database.write, database.read):
        with transaction() as session:
            found = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]
            assert found == ["wal", 2, 1]
    database.close()
