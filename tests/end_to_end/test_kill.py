"""SIGKILL at random moments under mixed writes: what was acknowledged is there, the database is whole, and the next
start needs nobody.

Most of the deaths are of child processes that open the house and write through the same functions as the routes do,
because a whole server takes seconds to start; others are of a real server with clients on the network. 200 in all.
"""

import multiprocessing
import random
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from sqlmodel import select

from appliance.database import Database
from appliance.models import Book
from tests.databases import empty_database
from tests.end_to_end import writing_clients
from tests.end_to_end.writing_clients import Cut, Heart, Leafer, Marker, Noter, Rater, check_kobos, settle, write_book
from tests.end_to_end.writing_hand import check_derived, fill, missing, opened, write_until_killed
from tests.server import eventually, running_server

pytestmark = pytest.mark.slow

CHILDREN, SERVERS, ON_POSTGRESQL = 180, 10, 10
CLIENTS = 5


def die(context, folder, url, chance) -> set[str]:
    """One child process from its start to its violent end; returns what it had acknowledged."""
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=write_until_killed, args=(folder, url, theirs, CLIENTS))
    child.start()
    theirs.close()
    told = b""
    with closing(ours), open(ours.fileno(), "rb", buffering=0, closefd=False) as pipe:
        # Every fourth dies while the first writes are under way, the others in the middle of it.
        for _ in range(1 if chance.random() < 0.25 else 2):
            some = pipe.read(65536)
            assert some, "the house did not open, or could not be written to, after the last death"
            told += some
        timer = threading.Timer(chance.uniform(0, 0.06), child.kill)
        timer.start()
        while some := pipe.read(65536):
            told += some
        timer.join()
    child.join()
    child.close()
    return set(told.decode().split("\n")[:-1]) - {"ready"}


def is_whole(path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        return not broken and connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.fixture(scope="module")
def context():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.end_to_end.writing_hand", "appliance.migrations", "alembic.command"])
    return context


def test_a_writer_is_killed_at_random_moments(tmp_path, context):
    chance = random.Random(4)
    with opened(tmp_path, None) as house:
        fill(house)
    path = tmp_path / "data" / "bookwake.sqlite3"
    acknowledged: set[str] = set()
    written = 0
    for death in range(CHILDREN):
        acknowledged |= die(context, tmp_path, None, chance)
        assert is_whole(path), death
        if death % 10 == 9:
            with opened(tmp_path, None) as house:
                assert not missing(house.database, acknowledged), death
                check_derived(house.database)
                written += len(acknowledged)
                acknowledged = set()
            with closing(sqlite3.connect(path)) as connection:  # so that the book does not grow for ever
                for table in ("deviceannotation", "annotation", "devicestate", "deviceprogress", "progress"):
                    connection.execute(f"DELETE FROM {table}")
                for table in ("journalentry", "bookstate", "readingsession", "readingevent"):
                    connection.execute(f"DELETE FROM {table}")
                connection.commit()
    assert written > CHILDREN, "hardly anything was written"


def test_a_writer_on_postgresql_is_killed(tmp_path, context):
    chance = random.Random(5)
    with empty_database("postgresql", tmp_path) as url:
        with opened(tmp_path, url) as house:
            fill(house)
        acknowledged: set[str] = set()
        for _ in range(ON_POSTGRESQL):
            acknowledged |= die(context, tmp_path, url, chance)
        database = Database(url)
        try:
            assert acknowledged and not missing(database, acknowledged)
            check_derived(database)
        finally:
            database.close()


def test_a_server_is_killed_under_its_clients(tmp_path):
    chance = random.Random(6)
    acknowledged: set[str] = set()
    with running_server(books=[write_book(tmp_path)]) as server:
        path = server.data / "bookwake.sqlite3"
        with closing(Database(f"sqlite:///{path}")) as database:
            clients = settle(server, database, tmp_path, 2, 2, [Marker, Noter, Rater, Heart, Leafer])
            book_id = only_book(database)
        for client in clients:
            client.follows = True
        for death in range(SERVERS):
            # Every fourth dies while the first writes are under way, which take long; the others in the middle of it.
            least = 0 if chance.random() < 0.25 else chance.randrange(1, 60)
            acknowledged |= write_until_cut(server, clients, least, chance.uniform(0, 0.1))
            server.start()
            assert is_whole(path), death
            # Closed again at once: as long as a connection is open, SQLite has nothing to heal.
            with closing(Database(f"sqlite:///{path}")) as database:
                assert not writing_clients.missing(database, acknowledged), death
                check_kobos(database, clients)
                check_derived(database, book_id)
    assert {name.partition(" ")[0] for name in acknowledged} == {"kosync", "kobo", "journal", "event"}
    assert len(acknowledged) > 5 * SERVERS


def only_book(database) -> str:
    with database.read() as session:
        return session.exec(select(Book.id)).one()


def write_until_cut(server, clients, least, seconds) -> set[str]:
    """What was acknowledged until the server was killed: so many seconds after at least so many writes."""
    acknowledged: set[str] = set()
    failures: list[BaseException] = []

    def run(client) -> None:
        try:
            while True:
                acknowledged.add(client.write())
        except Cut:
            pass
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    eventually(lambda: failures or len(acknowledged) >= least)
    time.sleep(seconds)
    server.kill()
    for thread in threads:
        thread.join()
    assert not failures, failures
    return acknowledged
