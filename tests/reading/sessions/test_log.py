"""What people are told of their reading time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from appliance.database import Database
from appliance.models import Book, Device, User
from appliance.reading.sessions.event import Event, Source, kobo_counter
from appliance.reading.sessions.log import BookTime, Logged, days, sessions_of, time_in
from appliance.reading.sessions.record import record_events
from tests.databases import KINDS, empty_database

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module", params=KINDS)
def database(request, tmp_path_factory):
    """Ida reads two books, over midnight in Berlin too; so does Ben."""
    with empty_database(request.param, tmp_path_factory.mktemp("log")) as url:
        database = Database(url)
        database.migrate()
        with database.write() as session:
            for number, name in ((1, "Ida"), (2, "Ben")):
                session.add(User(id=number, name=name, name_key=name.lower(), password_hash="-", created_at=NOON))
            for book in "ab":
                session.add(Book(id=book, title=book, sort_title=book, added_at=NOON, changed_at=NOON))
            session.flush()
            for number, user, name in ((1, 1, "Ida's Kobo"), (2, 1, "Ida's browser"), (3, 2, "Ben's browser")):
                session.add(Device(id=number, user_id=user, kind="browser", name=name, created_at=NOON))
            session.flush()
            late = datetime(2026, 11, 20, 22, 50, tzinfo=UTC)
            say(session, 1, 2, beat("a", late, 1200, 0.1, 0.2), beat("b", late + timedelta(minutes=10), 1200))
            say(session, 1, 1, *(kobo_counter("a", int(NOON.timestamp()) - 7200 + at, at // 60) for at in (0, 1800)))
            say(session, 1, 2, beat("a", NOON, 9))
            say(session, 2, 3, beat("a", NOON, 60))
        yield database
        database.close()


def beat(book, start, seconds, *fractions):
    operation = f"{book}-{start.timestamp()}"
    start_fraction, end_fraction = fractions or (None, None)
    return Event(
        Source.BROWSER,
        int(start.timestamp()),
        seconds,
        book,
        start_fraction=start_fraction,
        end_fraction=end_fraction,
        operation_id=operation,
    )


def say(session, user, device, *events):
    record_events(session, user, device, events, NOON + timedelta(hours=1))


def test_sessions_of_a_book_come_latest_first(database):
    with database.read() as session:
        latest, first = sessions_of(session, 1, "a")
        assert first == Logged(
            datetime(2026, 11, 20, 22, 50, tzinfo=UTC),
            datetime(2026, 11, 20, 23, 10, tzinfo=UTC),
            1200,
            0,
            0.1,
            0.2,
            ["Ida's browser"],
        )
        assert (latest.seconds, latest.estimated, latest.devices) == (1800, 1800, ["Ida's Kobo"])
        assert sessions_of(session, 1, "a", limit=1) == [latest]
        assert sessions_of(session, 1, "a", before=latest.started_at) == [first]
        assert sessions_of(session, 1, "unknown") == []


def test_a_book_has_a_total(database):
    with database.read() as session:
        assert time_in(session, 1, "a") == BookTime(3000, 2, datetime(2026, 11, 21, 10, 30, tzinfo=UTC))
        assert time_in(session, 2, "a").seconds == 60
        assert time_in(session, 2, "b") == BookTime(0, 0, None)


def test_days_end_at_the_persons_own_midnight(database):
    with database.read() as session:
        berlin = days(session, 1, BERLIN, date(2026, 11, 1), date(2026, 11, 30))
        utc = days(session, 1, UTC, date(2026, 11, 1), date(2026, 11, 30))
    # In Berlin it is one hour later: book a ends at 0:10, book b goes from 0:00 to 0:20.
    assert [(day.date.day, day.seconds, day.books) for day in berlin] == [
        (20, 600, {"a": 600}),
        (21, 1200 + 1800, {"a": 600 + 1800, "b": 1200}),
    ]
    assert [(day.date.day, day.seconds) for day in utc] == [(20, 1800), (21, 1800)]


def test_a_range_of_days_is_cut_at_midnight(database):
    with database.read() as session:
        (day,) = days(session, 1, BERLIN, date(2026, 11, 20), date(2026, 11, 20))
        assert day.seconds == 600
        assert days(session, 1, BERLIN, date(2026, 11, 22), date(2026, 11, 23)) == []
