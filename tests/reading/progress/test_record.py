"""The thin transaction around the rule: what is in the journal, what is current, what is an echo."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from appliance.database import Database
from appliance.models import Book, Device, JournalEntry, Progress, User
from appliance.positions import Place, Position, Reason, Status
from appliance.reading.progress.record import note_given, record
from appliance.reading.progress.report import Act, Report
from tests.databases import KINDS, empty_database

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOTAL = 100_000


@pytest.fixture(params=KINDS)
def database(request, tmp_path):
    with empty_database(request.param, tmp_path) as url:
        yield from filled(Database(url))


def filled(database):
    database.migrate()
    with database.write() as session:
        session.add(User(id=1, name="Ida", name_key="ida", password_hash="-", created_at=NOW))
        session.add(Book(id="b", title="T", sort_title="t", added_at=NOW, changed_at=NOW))
        session.flush()
        session.add(Device(id=1, user_id=1, kind="kosync", name="login", created_at=NOW))
        session.flush()
        for number in (2, 3):
            session.add(Device(id=number, user_id=1, parent_id=1, kind="kosync", name=f"r{number}", created_at=NOW))
        session.add(Device(id=4, user_id=1, kind="browser", name="web", created_at=NOW))
    yield database
    database.close()


def send(database, device, tick, minutes, **fields):
    place = Place(Position("c.xhtml", 0, tick), Status.EXACT, Reason.NONE, tick, TOTAL)
    values = {"user_id": 1, "book_id": "b", "dialect": "xpointer", "locator": f"/x.{tick}", "place": place}
    report = Report(**{**values, "device_id": device, "received_at": NOW + timedelta(minutes=minutes), **fields})
    with database.write() as session:
        return record(session, report)


def tick_now(database):
    with database.read() as session:
        return session.get(Progress, (1, "b")).tick


def test_every_report_is_in_the_journal_with_what_became_of_it(database):
    kinds = [
        send(database, 2, tick, minutes).kind for tick, minutes in ((40_000, 0), (45_000, 5), (45_000, 10), (0, 20))
    ]
    assert kinds == ["current", "current", "echo", "suggestion"]
    with database.read() as session:
        entries = session.exec(select(JournalEntry).order_by(JournalEntry.id)).all()
    assert [entry.outcome for entry in entries] == kinds
    assert [entry.tick for entry in entries] == [40_000, 45_000, 45_000, 0]
    assert tick_now(database) == 45_000


def test_versions_rise_only_when_something_moves(database):
    outcomes = [send(database, 4, tick, minutes, act=Act.READ) for tick, minutes in ((100, 0), (100, 1), (900, 2))]
    assert [outcome.version for outcome in outcomes] == [1, 1, 2]


def test_the_same_operation_counts_once(database):
    first = send(database, 4, 5_000, 0, act=Act.READ, operation_id="a")
    again = send(database, 4, 5_000, 1, act=Act.READ, operation_id="a")
    assert (again.kind, again.entry_id) == ("duplicate", first.entry_id)


def test_what_was_given_to_a_login_is_the_echo_of_every_reader_behind_it(database):
    send(database, 4, 30_000, 0, act=Act.READ)
    with database.write() as session:
        note_given(session, 1, "b", 1, "/x.30000", 30_000, NOW)
    send(database, 4, 34_000, 10, act=Act.READ)
    assert send(database, 2, 30_000, 20).reason == "as-given"
    assert tick_now(database) == 34_000


def test_after_reading_on_the_given_place_is_an_ordinary_one_again(database):
    send(database, 4, 30_000, 0, act=Act.READ)
    with database.write() as session:
        note_given(session, 1, "b", 1, "/x.30000", 30_000, NOW)
    assert send(database, 2, 32_000, 10).kind == "current"
    assert send(database, 2, 30_000, 20).kind == "current"


def test_a_queue_that_is_replayed_at_once_does_not_move_the_reader(database):
    send(database, 4, 60_000, 0, act=Act.READ)
    for second, tick in enumerate((20_000, 40_000, 58_000)):
        send(database, 2, tick, 60 + second / 60)
    assert tick_now(database) == 60_000


def test_two_readers_with_one_login_are_two(database):
    send(database, 2, 20_000, 0)
    send(database, 3, 24_000, 10)
    assert send(database, 2, 20_000, 20).reason == "as-said-before"
    assert tick_now(database) == 24_000


def test_a_report_for_an_unknown_book_is_kept(database):
    assert send(database, 2, 0, 0, book_id=None, asked_for="f" * 32).reason == "unknown-book"
    with database.read() as session:
        assert session.exec(select(JournalEntry)).one().asked_for == "f" * 32


def test_nothing_is_kept_when_the_transaction_fails(database):
    with pytest.raises(RuntimeError), database.write() as session:
        place = Place(Position("c.xhtml", 0, 1), Status.EXACT, Reason.NONE, 1, TOTAL)
        record(session, Report(1, 2, NOW, "xpointer", "/x.1", place, "b"))
        raise RuntimeError
    with database.read() as session:
        assert session.exec(select(JournalEntry)).first() is None and session.get(Progress, (1, "b")) is None


def test_reports_that_come_at_once_are_judged_one_after_another(database):
    """No lost update: every one that became current raised the version by one."""
    kinds = []

    def work(number):
        for step in range(10):
            tick = 1_000 * (number * 10 + step)
            kinds.append(send(database, 2 + number % 3, tick, step, act=Act.READ).kind)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kinds) == 80
    with database.read() as session:
        assert session.get(Progress, (1, "b")).version == kinds.count("current")
