"""Sixteen clients of all kinds that write to the same book at once, through a real server, on SQLite and on PostgreSQL:
no error, nothing lost, nobody waits for ever."""

import threading
from contextlib import closing

import pytest
from sqlmodel import select

from appliance.database import Database
from appliance.models import Annotation, Book
from tests.databases import KINDS, empty_database
from tests.end_to_end.writing_clients import (
    Heart,
    Leafer,
    Marker,
    Noter,
    Rater,
    check_kobos,
    missing,
    settle,
    write_book,
)
from tests.end_to_end.writing_hand import check_derived
from tests.server import running_server

pytestmark = pytest.mark.slow

WRITES = 12  # of each client


@pytest.mark.parametrize("kind", KINDS)
def test_sixteen_clients_write_to_one_book(kind, tmp_path):
    book = write_book(tmp_path)
    with (
        empty_database(kind, tmp_path) as url,
        running_server(books=[book], options=["--database-url", url]) as server,
        closing(Database(url)) as database,
    ):
        browsers = [Marker, Marker, Noter, Noter, Rater, Rater, Heart, Leafer]
        clients = settle(server, database, tmp_path, kosyncs=4, kobos=4, browsers=browsers)
        acknowledged, failures = write_together(clients)
        assert not failures, failures
        assert len(acknowledged) == len(clients) * WRITES
        assert not missing(database, acknowledged)
        check_kobos(database, clients)
        with database.read() as session:
            check_derived(database, session.exec(select(Book.id)).one())
            noted = session.exec(select(Annotation).where(Annotation.text == "noted by all")).one()
        # Nobody had seen what the others wrote.
        notes = [note for client in clients if isinstance(client, Noter) for note in client.notes]
        assert sorted([noted.note, *noted.other_notes]) == sorted(notes)
        assert "Traceback" not in server.log, server.log


def write_together(clients) -> tuple[set[str], list[BaseException]]:
    """All begin at the same moment. What was acknowledged, and what went wrong."""
    start = threading.Barrier(len(clients))
    acknowledged: set[str] = set()
    failures: list[BaseException] = []

    def run(client) -> None:
        try:
            start.wait()
            for _ in range(WRITES):
                acknowledged.add(client.write())
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(client,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not any(thread.is_alive() for thread in threads), "a deadlock"
    for client in clients:
        client.close()
    return acknowledged, failures
