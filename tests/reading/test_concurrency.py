"""Sixteen clients that write to the same book at once, on SQLite and on PostgreSQL: nothing is lost, nothing fails."""

import threading
from uuid import uuid4

import pytest
from sqlmodel import select

from appliance.models import Annotation, BookState, DeviceProgress, JournalEntry, Progress
from appliance.reading.progress.record import note_given
from tests.databases import KINDS, empty_database
from tests.end_to_end.writing_hand import BOOK, CLIENTS, USER, Client, check_derived, fill, missing, opened

WRITES = 15  # of each client


@pytest.fixture(params=KINDS)
def house(request, tmp_path):
    with empty_database(request.param, tmp_path) as url, opened(tmp_path, url) as house:
        fill(house)
        yield house


def together(work) -> None:
    """Run `work` in as many threads as there are clients, all beginning at the same moment."""
    start, failures = threading.Barrier(CLIENTS), []

    def run(device: int) -> None:
        try:
            start.wait()
            work(device)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(device,), daemon=True) for device in range(1, CLIENTS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures, failures[0]
    assert not any(thread.is_alive() for thread in threads), "a deadlock"


def test_mixed_writes_of_all_clients_are_all_there(house):
    acknowledged: set[str] = set()

    def work(device: int) -> None:
        client = Client(house, device)
        for _ in range(WRITES):
            acknowledged.add(client.write())

    together(work)
    assert len(acknowledged) == CLIENTS * WRITES
    assert not missing(house.database, acknowledged)
    check_derived(house.database)
    with house.database.read() as session:
        progress = session.get(Progress, (USER, BOOK))
        state = session.get(BookState, (USER, BOOK))
        entries = session.exec(select(JournalEntry)).all()
    kinds = [entry.outcome for entry in entries if entry.kind == "progress"]
    assert progress.version == kinds.count("current") > 0
    assert f"state {state.review}" in acknowledged
    shared = [row for row in _rows(house) if row.text == "the same words"]
    assert len(shared) == 1, "the same highlight was made twice"


def test_notes_written_at_once_are_all_kept(house):
    def work(device: int) -> None:
        client = Client(house, device)
        client._note(f"note of device {device}")

    together(work)
    (row,) = _rows(house)
    assert {row.note, *row.other_notes} == {f"note of device {device}" for device in range(1, CLIENTS + 1)}


@pytest.mark.parametrize("then", ["is given it", "reports"])
def test_a_reader_is_given_its_first_place_while_another_request_of_it_is_under_way(house, then):
    """There is nothing yet that could be changed, so both add it."""
    failures = []

    def give() -> None:
        with house.database.write() as session:
            note_given(session, 1, BOOK, 1, "/x.1", 1, house.now())

    def second() -> None:
        try:
            give() if then == "is given it" else Client(house, 1)._position(uuid4().hex)
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=second, daemon=True)
    with house.database.write() as session:
        note_given(session, 1, BOOK, 1, "/x.1", 1, house.now())
        thread.start()
        thread.join(0.3)
    thread.join(60)
    assert not thread.is_alive() and not failures, failures
    with house.database.read() as session:
        assert session.exec(select(DeviceProgress.device_id)).all() == [1]


def _rows(house) -> list[Annotation]:
    with house.database.read() as session:
        return list(session.exec(select(Annotation)).all())
