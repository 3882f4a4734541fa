"""SIGKILL at random moments under mixed writes: what was acknowledged is there, the database is whole, and the next
start needs nobody.

Most of the deaths are of child processes that open the house and write through the same functions as the routes do,
because a whole server takes seconds to start; others are of a real server with clients on the network. 200 in all.
"""

import hashlib
import json
import multiprocessing
import random
import sqlite3
import threading
import time
from contextlib import closing, suppress
from uuid import uuid4

import httpx
import pytest

from appliance.database import Database
from tests.databases import empty_database
from tests.end_to_end.writing_hand import check_derived, fill, missing, opened, write_until_killed
from tests.server import BOOKS, running_server
from tests.webreader.open_reader import books, query

pytestmark = pytest.mark.slow

CHILDREN, SERVERS, ON_POSTGRESQL = 180, 20, 10
CLIENTS = 5
NOVEL = "minimal-v2.epub"


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
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


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


@pytest.mark.nightly
def test_a_server_is_killed_under_its_clients(tmp_path):
    chance = random.Random(6)
    with running_server(books=[BOOKS / NOVEL]) as server:
        server.add_user("Ida")
        login = server.add_device("Ida", "kosync")
        book_id = books(server)[NOVEL]
        sha256, digest = query(server, "SELECT main_sha256 FROM book")[0][0], "f" * 32
        with server.browser("Ida") as browser:
            browser.headers["accept"] = "application/json"
            cookies, csrf = dict(browser.cookies), browser.csrf
        acknowledged: set[tuple[str, str]] = set()

        def web(kind: str, method: str, make) -> None:
            headers = {**csrf, "content-type": "application/json", "accept": "application/json"}
            with httpx.Client(base_url=server.url, cookies=cookies, headers=headers, trust_env=False) as client:
                with suppress(httpx.TransportError):
                    while True:
                        name = uuid4().hex
                        body = make(name)
                        answer = client.request(method, f"/api/books/{book_id}/{kind}", content=json.dumps(body))
                        assert answer.status_code == 200, answer.text
                        acknowledged.add((kind, name))

        def position(name):
            return {"cfi": "epubcfi(/6/2!/4/2)", "act": "jumped", "operation_id": name, "based_on": 0}

        def stretch(name):
            return {"started_at": "2026-01-01T10:00:00Z", "seconds": 20, "operation_id": name}

        def highlight(name):
            id = f"{name[:8]}-{name[8:12]}-4{name[13:16]}-a{name[17:20]}-{name[20:]}"
            made = {"do": "create", "id": id, "range": "epubcfi(/6/2!/4,/2,/4)", "text": name, "operation_id": name}
            return {"sha256": sha256, "operations": [made]}

        def kosync() -> None:
            with httpx.Client(base_url=login["server"], trust_env=False) as client, suppress(httpx.TransportError):
                client.headers.update({"x-auth-user": login["username"], "x-auth-key": md5(login["password"])})
                count = 0
                while True:
                    count += 1
                    name = f"/body/DocFragment[1]/body/p[{uuid4().int % 10**9}]"
                    body = {"document": digest, "progress": name, "percentage": 0.5, "device": "r", "device_id": "A"}
                    answer = client.put("/syncs/progress", json=body)
                    assert answer.status_code == 200, answer.text
                    acknowledged.add(("kosync", name))

        failures: list[BaseException] = []

        def guarded(target, *arguments) -> None:
            try:
                target(*arguments)
            except BaseException as failure:
                failures.append(failure)

        for death in range(SERVERS):
            jobs = [
                (web, "progress", "PUT", position),
                (web, "reading-time", "PUT", stretch),
                (web, "annotations", "POST", highlight),
                (kosync,),
            ]
            threads = [threading.Thread(target=guarded, args=job) for job in jobs]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.05, 0.6))
            server.kill()
            for thread in threads:
                thread.join()
            assert not failures, failures
            assert is_whole(server.data / "bookwake.sqlite3"), death
            if death + 1 < SERVERS:
                server.start()
        server.start()
        there = {("kosync", row[0]) for row in query(server, "SELECT locator FROM journalentry")}
        there |= {("annotations", row[0]) for row in query(server, "SELECT operation_id FROM journalentry")}
        there |= {("progress", name) for _, name in there}
        there |= {("reading-time", row[0]) for row in query(server, "SELECT operation_id FROM readingevent")}
        assert {kind for kind, _ in acknowledged} == {"kosync", "annotations", "progress", "reading-time"}
        assert acknowledged <= there, len(acknowledged - there)


def md5(word: str) -> str:
    return hashlib.md5(word.encode()).hexdigest()
