"""Facts come in any order, from any device, again and again; the sessions are those of all facts together."""

import json
import random
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlmodel import select

from appliance.database import Database
from appliance.models import Book, Device, Digest, ReadDocument, ReadingEvent, ReadingSession, Rendition, User
from appliance.reading.sessions import record as reading_time
from appliance.reading.sessions.event import Event, Source, kobo_counter, kobo_sitting
from appliance.reading.sessions.kobo_time import Counter, estimated
from appliance.reading.sessions.record import Counted, attach, attach_found, rebuild, record_events
from appliance.reading.sessions.rule import GAP, Interval, page_visit, sessions
from tests.databases import KINDS, empty_database

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOON = int(NOW.timestamp())
LONG_AGO = NOON - 30 * 86400
MD5 = "596c52ec482e99f80ebae664db3d92c0"
OTHER_MD5 = "f41fa7d07c643fc990889e22c3e771e0"
ORPHAN = "0" * 32
KOREADER, KOBO, BROWSER, SECOND, NEIGHBOUR = 1, 2, 3, 4, 5


@contextmanager
def filled(kind, folder):
    with empty_database(kind, folder) as url:
        database = Database(url)
        database.migrate()
        with database.write() as session:
            for number, name in ((1, "Ida"), (2, "Ben")):
                session.add(User(id=number, name=name, name_key=name.lower(), password_hash="-", created_at=NOW))
            for book in "ab":
                session.add(Book(id=book, title=book, sort_title=book, added_at=NOW, changed_at=NOW))
            session.flush()
            for number, what in enumerate(("koreader", "kobo", "browser", "koreader"), 1):
                session.add(Device(id=number, user_id=1, kind=what, name=what, created_at=NOW))
            session.add(Device(id=NEIGHBOUR, user_id=2, kind="koreader", name="Ben's", created_at=NOW))
            for sha256, digest in (("1" * 64, MD5), ("2" * 64, OTHER_MD5)):
                session.add(Rendition(sha256=sha256, book_id="a", kind="epub", size=1, created_at=NOW))
                session.flush()
                session.add(Digest(value=digest, kind="partial_md5", sha256=sha256))
        yield database
        database.close()


@pytest.fixture(scope="module", params=KINDS)
def shared_database(request, tmp_path_factory):
    """One for all tests, each of which finds it without reading time."""
    with filled(request.param, tmp_path_factory.mktemp("reading-time")) as database:
        yield database


@pytest.fixture
def database(shared_database):
    clear(shared_database)
    return shared_database


def clear(database):
    with database.write() as session:
        for table in (ReadingSession, ReadingEvent, ReadDocument):
            session.execute(delete(table))
        session.execute(delete(Digest).where(Digest.value == ORPHAN))
        session.execute(delete(Rendition).where(Rendition.sha256 == "3" * 64))


def visit(start, seconds, page=1, pages=100, digest=MD5):
    return Event(Source.KOREADER_PAGE, LONG_AGO + start, seconds, digest=digest, page=page, pages=pages)


def beat(start, seconds, operation, book="a", **fields):
    return Event(Source.BROWSER, LONG_AGO + start, seconds, book_id=book, operation_id=operation, **fields)


def send(database, *events, device=KOREADER, user=1, received=NOW, skew=None):
    with database.write() as session:
        return record_events(session, user, device, events, received, skew)


def stored(database, book="a", user=1):
    """Sessions that count: when they began after LONG_AGO, and their seconds."""
    return [
        (int(row.started_at.timestamp()) - LONG_AGO, row.seconds)
        for row in rows(database)
        if (row.book_id, row.user_id) == (book, user) and row.seconds >= 10
    ]


def rows(database):
    with database.read() as session:
        order = (ReadingSession.user_id, ReadingSession.book_id, ReadingSession.started_at)
        return session.exec(select(ReadingSession).order_by(*order)).all()


def everything(database):
    return [row.model_dump() for row in rows(database)]


def facts(database):
    with database.read() as session:
        return session.exec(select(ReadingEvent).order_by(ReadingEvent.id)).all()


def test_visits_become_a_session(database):
    assert send(database, visit(0, 60, 10), visit(60, 45, 11), visit(110, 5, 12)) == Counted(new=3)
    (row,) = rows(database)
    assert (row.user_id, row.book_id, row.started_at) == (1, "a", NOW - timedelta(days=30))
    assert row.ended_at == row.started_at + timedelta(seconds=115)
    assert (row.seconds, row.estimated, row.devices, row.stretches) == (110, 0, [KOREADER], [0, 105, 110, 115])
    assert (row.start_fraction, row.end_fraction) == (0.09, 0.12)


def test_what_is_sent_again_changes_nothing(database):
    events = [visit(0, 60, 1), visit(60, 60, 2), beat(5000, 60, "op-1")]
    assert send(database, *events) == Counted(new=3)
    before = everything(database)
    assert send(database, *events, *events, visit(9000, 30)) == Counted(new=1, duplicate=6)
    assert send(database, *events) == Counted(duplicate=3)
    assert everything(database)[: len(before)] == before


def test_rows_that_come_again_by_koreaders_own_merge_are_known(database):
    """The cloud merge of KOReader puts the rows of one device into the database of the other."""
    events = [visit(page * 60, 60, page) for page in range(1, 20)]
    send(database, *events)
    own = visit(1200, 50, 20)
    assert send(database, *events, own, device=SECOND) == Counted(new=1, duplicate=19)
    (row,) = rows(database)
    assert row.devices == [KOREADER, SECOND] and row.seconds == 19 * 60 + 50
    # The same page at the same second is somebody else's when somebody else sends it.
    assert send(database, *events, device=NEIGHBOUR, user=2) == Counted(new=19)


def test_two_files_of_one_book_are_one_book(database):
    send(database, visit(0, 60, 1), visit(30, 60, 1, digest=OTHER_MD5))
    assert stored(database) == [(0, 90)]


def test_an_operation_is_the_devices_own(database):
    assert send(database, beat(0, 60, "op-1")) == Counted(new=1)
    assert send(database, beat(0, 60, "op-1"), device=SECOND) == Counted(new=1)
    assert stored(database) == [(0, 60)]


def test_a_late_row_joins_what_were_two_sessions(database):
    send(database, visit(0, 60), visit(2 * GAP, 60))
    assert stored(database) == [(0, 60), (2 * GAP, 60)]
    send(database, visit(GAP, 9))
    assert stored(database) == [(0, 129)]


def test_what_was_too_short_counts_when_more_comes(database):
    send(database, visit(0, 9))
    assert stored(database) == []
    send(database, visit(300, 9))
    assert stored(database) == [(0, 18)]


def test_a_far_away_session_is_not_touched(database):
    send(database, visit(0, 60), visit(100_000, 60))
    with database.write() as session:
        row = session.exec(select(ReadingSession).order_by(ReadingSession.started_at)).first()
        row.seconds = 12_345  # whoever derives it again will put it right
    send(database, visit(100_060, 60))
    assert stored(database) == [(0, 12_345), (100_000, 120)]
    with database.write() as session:
        rebuild(session, 1)
    assert stored(database) == [(0, 60), (100_000, 120)]


def test_nothing_is_written_for_what_is_known(database):
    send(database, visit(0, 60))
    with database.write() as session:
        record_events(session, 1, KOREADER, [visit(0, 60)], NOW)
        assert not session.dirty and not session.new
    assert len(facts(database)) == 1


def test_nothing_is_kept_when_the_transaction_fails(database):
    with pytest.raises(RuntimeError), database.write() as session:
        record_events(session, 1, KOREADER, [visit(0, 60)], NOW)
        raise RuntimeError
    assert facts(database) == [] and rows(database) == []


def test_a_file_that_is_not_in_the_library_waits_for_it(database):
    events = [visit(0, 60, digest=ORPHAN), visit(60, 60, 2, digest=ORPHAN)]
    assert send(database, *events) == Counted(new=2)
    assert rows(database) == []
    with database.write() as session:
        assert attach_found(session) == 0
        session.add(Rendition(sha256="3" * 64, book_id="b", kind="epub", size=1, created_at=NOW))
        session.flush()
        session.add(Digest(value=ORPHAN, kind="partial_md5", sha256="3" * 64))
    with database.write() as session:
        assert attach_found(session) == 1
        assert attach_found(session) == 0
    assert stored(database, "b") == [(0, 120)]
    assert send(database, *events) == Counted(duplicate=2)


def test_a_file_can_be_given_to_another_book_by_hand(database):
    send(database, visit(0, 60), visit(60, 60, digest=OTHER_MD5))
    with database.write() as session:
        assert attach(session, 1, OTHER_MD5.upper(), "b")
        assert not attach(session, 1, OTHER_MD5, "b")
        assert not attach(session, 1, ORPHAN, "b")
    assert (stored(database), stored(database, "b")) == ([(0, 60)], [(60, 60)])


@pytest.mark.parametrize(
    "event",
    [
        visit(0, 0),
        visit(0, -5),
        visit(0, 60, page=0),
        visit(0, 2**40),
        visit(-(2**40), 60),
        visit(2**60, 60),
        visit(0, 60, pages=2**40),
        Event(Source.BROWSER, LONG_AGO, 60, book_id="a"),
        Event(Source.BROWSER, LONG_AGO, 60, operation_id="op"),
        Event(Source.KOREADER_PAGE, LONG_AGO, 60, book_id="a", digest=MD5, page=1),
    ],
)
def test_what_makes_no_sense_is_refused_and_spoils_nothing_else(database, event):
    assert send(database, visit(0, 60), event, visit(60, 60)) == Counted(new=2, refused=1)
    assert stored(database) == [(0, 120)]


def test_events_of_tomorrow_are_kept_but_do_not_count(database):
    """koreader/koreader#14409: statistics for “tomorrow” after a device changed."""
    tomorrow, unset = visit(31 * 86400, 60), visit(3600 - LONG_AGO, 60, 2)
    assert send(database, tomorrow, unset, visit(0, 60)) == Counted(new=3, doubted=2)
    assert stored(database) == [(0, 60)]
    assert [fact.counted for fact in facts(database)] == [False, False, True]


def test_a_clock_that_is_known_to_be_wrong_is_corrected(database):
    """The device believes it is 1970, or the day after tomorrow."""
    for skew, page in ((1_000_000 - NOON, 1), (2 * 86400, 2)):
        read_at = NOON - 600 + skew - LONG_AGO
        assert send(database, visit(read_at, 60, page), skew=skew) == Counted(new=1)
    assert stored(database) == [(NOON - 600 - LONG_AGO, 60)]
    # What it wrote down before its clock went wrong stands.
    assert send(database, visit(0, 60, 3), skew=1_000_000 - NOON) == Counted(new=1)
    assert stored(database)[0] == (0, 60)
    # A few seconds are nobody's fault, and the claim is what tells rows apart.
    assert send(database, visit(500, 60, 4), skew=40) == Counted(new=1)
    assert send(database, visit(500, 60, 4), skew=600) == Counted(duplicate=1)


def test_somebody_left_a_device_open_for_a_week(database):
    """bndct-devops/tome#150: sessions of eight hours from a device left open."""
    send(database, visit(0, 8 * 3600))
    assert stored(database) == [(0, 600)]
    assert send(database, beat(10_000, 25 * 3600, "op-1")) == Counted(new=1, doubted=1)
    assert stored(database) == [(0, 600)]


def test_a_kobo_that_tells_twice_counts_once(database):
    """bookorbit/bookorbit#1182: sessions and `SpentReadingMinutes` overlap."""
    t = LONG_AGO
    send(database, kobo_counter("a", t, 0), device=KOBO)
    send(database, kobo_counter("a", t + 5000, 30), device=KOBO)
    assert stored(database) == [(3200, 1800)]
    assert rows(database)[0].estimated == 1800
    # The sitting itself comes late, and says when it was.
    send(database, kobo_sitting("a", "event-1", t + 2800, 1800, 0.37), device=KOBO)
    assert stored(database) == [(1000, 1800)]
    assert (rows(database)[0].estimated, rows(database)[0].end_fraction) == (0, 0.37)
    # Half an hour later the counter says ten minutes more.
    send(database, kobo_counter("a", t + 7000, 40), device=KOBO)
    assert [seconds for _, seconds in stored(database)] == [1800, 600]


def test_a_counter_that_stands_still_is_not_written_down_again(database):
    t = LONG_AGO
    assert send(database, kobo_counter("a", t, 10), device=KOBO) == Counted(new=1)
    for second in range(1, 5):
        assert send(database, kobo_counter("a", t + second, 10), device=KOBO) == Counted(duplicate=1)
    assert send(database, kobo_counter("a", t + 9, 10), device=SECOND) == Counted(new=1)
    assert len(facts(database)) == 2


def test_a_counter_that_comes_late_changes_what_those_after_it_told(database):
    t = LONG_AGO
    send(database, kobo_counter("a", t, 0), kobo_counter("a", t + 90_000, 40), device=KOBO)
    assert stored(database) == [(90_000 - 2400, 2400)]
    send(database, kobo_counter("a", t + 20_000, 30), device=KOBO)
    assert stored(database) == [(20_000 - 1800, 1800), (90_000 - 600, 600)]


def test_koreaders_own_rows(database, shared):
    """What a real KOReader wrote in its database, from the developers' captures."""
    capture = json.loads((shared / "captures-koreader" / "statistics" / "after-session-a.json").read_text())
    digests = {book["id"]: book["md5"] for book in capture["tables"]["book"]["rows"]}
    table = capture["tables"]["page_stat_data"]["rows"]
    events = [
        Event(
            Source.KOREADER_PAGE,
            row["start_time"],
            row["duration"],
            digest=digests[row["id_book"]],
            page=row["page"],
            pages=row["total_pages"],
        )
        for row in table
    ]
    received = datetime.fromtimestamp(max(event.started for event in events) + 3600, UTC)
    assert send(database, *events, received=received) == Counted(new=7)
    (row,) = rows(database)
    assert row.seconds == capture["tables"]["book"]["rows"][0]["total_read_time"] == 101
    assert (row.start_fraction, row.end_fraction) == (0, 46 / 110)


@st.composite
def any_event(draw):
    start = draw(st.integers(0, 20_000))
    match draw(st.sampled_from(["visit", "beat", "sitting", "counter"])):
        case "visit":
            digest = draw(st.sampled_from([MD5, OTHER_MD5]))
            return KOREADER, visit(start, draw(st.integers(1, 1000)), draw(st.integers(1, 3)), digest=digest)
        case "beat":
            return BROWSER, beat(
                start, draw(st.integers(1, 900)), f"op-{start}", start_fraction=draw(st.sampled_from([None, 0.5]))
            )
        case "sitting":
            seconds = draw(st.integers(1, 5000))
            return KOBO, kobo_sitting("a", f"event-{start}", LONG_AGO + start, seconds)
        case _:
            # A counter that never runs backwards, as on a device whose clock is right.
            return KOBO, kobo_counter("a", LONG_AGO + start, start // 180)


def derived(events):
    """The sessions of all events at once, by the pure rules alone."""
    known, counters, sittings, operations = [], set(), [], set()
    for device, event in events:
        if event.page is not None:
            known.append(page_visit(event.started, event.seconds, device, event.page, event.pages))
        elif event.source is Source.KOBO_COUNTER:
            counters.add(Counter(device, event.started, event.seconds))
        elif (device, event.operation_id) not in operations:  # the first says what the operation was
            operations.add((device, event.operation_id))
            end = event.started + event.seconds
            known.append(Interval(event.started, end, device, False, event.start_fraction, event.end_fraction))
            if event.source is Source.KOBO:
                sittings.append(known[-1])
    return [
        (sitting.start, sitting.seconds, sitting.estimated, list(sitting.devices), sitting.start_fraction)
        for sitting in sessions([*known, *estimated(counters, sittings)])
    ]


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(any_event(), max_size=25), st.integers(1, 6), st.randoms())
def test_bit_by_bit_is_the_same_as_all_at_once(shared_database, events, parts, chance: random.Random):
    """Messages are cut, reordered, sent again and late; what is stored is what the pure rules make of all of them."""
    clear(shared_database)
    unique = {(device, event.operation_id or event): (device, event) for device, event in reversed(events)}
    events = list(unique.values())
    messages = events + chance.sample(events, len(events) // 2)
    chance.shuffle(messages)
    for part in range(parts):
        for device in (KOREADER, KOBO, BROWSER):
            batch = [event for which, event in messages[part::parts] if which == device]
            send(shared_database, *batch, device=device)
    expected = derived(events)
    found = [
        (int(row.started_at.timestamp()), row.seconds, row.estimated, row.devices, row.start_fraction)
        for row in rows(shared_database)
    ]
    assert found == expected
    before = everything(shared_database)
    with shared_database.write() as session:
        rebuild(session)
    assert everything(shared_database) == before


def test_memory_is_bounded_by_the_chunk(database, monkeypatch):
    """A generator of events is never held as a whole."""
    monkeypatch.setattr(reading_time, "AT_ONCE", 10)
    most, alive = 0, set()
    numbers = count()

    class Watched(Event):
        __slots__ = ("number",)

        def __del__(self):
            alive.discard(self.number)

    def stream():
        nonlocal most
        for page in range(200):
            event = Watched(Source.KOREADER_PAGE, LONG_AGO + page * 60, 60, digest=MD5, page=page + 1, pages=500)
            object.__setattr__(event, "number", next(numbers))
            alive.add(event.number)
            most = max(most, len(alive))
            yield event

    with database.write() as session:
        assert record_events(session, 1, KOREADER, stream(), NOW) == Counted(new=200)
    assert most <= 25
    assert stored(database) == [(0, 200 * 60)]
