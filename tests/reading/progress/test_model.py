"""One person who reads a book on five readers of all kinds, most of them offline now and then, some with a wrong clock.

The rule alone, on values, and once more through the database. What never happens: the current position goes back
without somebody having jumped there or really read there since.

A stock KOSync client keeps what it could not send and sends it all at once, as new and without times, before it looks
for anything newer (koreader.md 1.5). The others send a report again until it is answered; reports may also arrive
late. A Kobo whose clock is wrong sends none late: nothing could tell it from reading.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from appliance.database import Database
from appliance.models import Book, Device, User
from appliance.positions import Place, Position, Reason, Status
from appliance.reading.progress.record import note_given, record
from appliance.reading.progress.report import Act, Report
from appliance.reading.progress.rule import (
    BURST,
    DROP,
    FIRST_PAGE,
    Given,
    Known,
    Said,
    activity_time,
    decide,
    fraction_of,
)
from tests.walking import MANY_WALKS, walk

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOTAL = 100_000
SCREEN = 1_500
SINCE_1970 = START - datetime(1970, 1, 1, tzinfo=UTC)
SKEWS = [timedelta(0), timedelta(0), timedelta(days=2), timedelta(days=-2), -SINCE_1970]
WHO = st.integers(0, 4)


class PureRecord:
    """What `progress.record` does, without a database."""

    def __init__(self):
        self.known, self.said, self.given, self.last, self.done = None, {}, {}, {}, set()

    def restart(self):
        """It keeps nothing in memory that matters."""

    def take(self, report):
        device, key = report.device_id, (report.device_id, report.operation_id)
        if report.operation_id is not None and key in self.done:
            return "duplicate", "same-operation"
        self.done.add(key)
        has_no_clock = report.claimed_at is None and report.act is Act.UNKNOWN
        burst = has_no_clock and device in self.last and report.received_at - self.last[device] < BURST
        known = self.known
        decision = decide(report, known, self.said.get(device), self.given.get(device), burst)
        self.last[device] = report.received_at
        fraction = fraction_of(report, known)
        epoch = decision.epoch if decision.kind == "current" else known.epoch if known else 1
        if decision.kind != "echo" or decision.reason == "as-current":
            self.said[device] = Said(
                report.place.tick,
                fraction,
                report.received_at,
                decision.kind,
                decision.reason,
                report.reading_status,
                epoch,
            )
            if decision.reason != "older-activity":
                self.given.pop(device, None)
        if decision.kind == "current":
            version = known.version + 1 if known else 1
            at, tick = activity_time(report), report.place.tick
            self.known = Known(version, decision.epoch, decision.status, at, tick, fraction, device)
        return decision.kind, decision.reason

    def give(self, device, locator, tick, now):
        self.given[device] = Given(locator, tick)

    def now_at(self):
        return (self.known.version, self.known.tick) if self.known else (0, None)


@dataclass
class Reader:
    """`tick`: the place it shows. `seen`: the version it showed last. `queue`: what it could not send."""

    number: int
    kind: str
    tick: int = 0
    skew: timedelta = timedelta(0)
    seen: int = 0
    queue: list = field(default_factory=list)
    offline: bool = False


class Reading(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now, self.operations = START, 0
        self.readers = [Reader(n, kind) for n, kind in enumerate(("kosync", "kosync", "plugin", "kobo", "browser"), 1)]
        # When somebody last really read at a place on a reader, by reader and place.
        self.read_at, self.moved_at, self.late = {}, START, []
        self.record = self.start()

    def start(self):
        return PureRecord()

    # -- what people do

    @rule(who=WHO, pages=st.integers(1, 8))
    def read(self, who, pages):
        """Some pages are read, and the reader says where, as it does every few pages and on close."""
        reader = self.readers[who]
        for _ in range(2):
            self.now += timedelta(minutes=pages)
            reader.tick = min(reader.tick + pages * 400, TOTAL - 2_000)
            self.read_at[who, reader.tick] = self.now
            self._say(reader, Act.READ if reader.kind in ("plugin", "browser") else Act.UNKNOWN)

    @rule(who=WHO)
    def close_without_reading(self, who):
        """Stock clients say where they are when the reader is put to sleep, a Kobo at each sync."""
        self.now += timedelta(minutes=1)
        if self.readers[who].kind in ("kosync", "kobo"):
            self._say(self.readers[who], Act.UNKNOWN)

    @rule(who=WHO)
    def open(self, who):
        """The book is opened: no reading. The reader asks for the newest place, and goes there when it is told one."""
        reader = self.readers[who]
        self.now += timedelta(minutes=1)
        self._say(reader, Act.OPENED if reader.kind in ("plugin", "browser") else Act.UNKNOWN)
        self._pull(reader)

    @rule(who=WHO)
    def download_again(self, who):
        """A fresh file at its first page, which stock clients and Kobos tell the server."""
        reader = self.readers[who]
        self.now += timedelta(minutes=1)
        reader.tick, reader.queue = 0, []
        self._say(reader, Act.OPENED if reader.kind in ("plugin", "browser") else Act.UNKNOWN)

    @rule(who=st.integers(2, 4), tick=st.integers(0, TOTAL - 2_000))
    def jump(self, who, tick):
        """Somebody chooses a place on purpose, where the reader can tell that."""
        reader = self.readers[who]
        self.now += timedelta(minutes=1)
        if reader.kind != "kobo":
            reader.tick = tick
            self._say(reader, Act.JUMPED)

    # -- what happens to readers and messages

    @rule(who=WHO)
    def go_offline(self, who):
        self.readers[who].offline = True

    @rule(who=WHO, pulls=st.booleans())
    def come_back(self, who, pulls):
        reader = self.readers[who]
        reader.offline = False
        self._send(reader)
        if pulls:
            self._pull(reader)

    @rule(who=WHO)
    def answer_is_lost(self, who):
        """All that waits arrives, but the reader does not learn of it, and sends it again one day."""
        reader = self.readers[who]
        waiting = list(reader.queue)
        self._send(reader)
        reader.queue = waiting[-1:]

    @rule(who=WHO)
    def one_is_delayed(self, who):
        reader = self.readers[who]
        if reader.queue and reader.kind != "kosync" and (reader.kind != "kobo" or reader.skew == timedelta(0)):
            self.late.append(reader.queue.pop(0))

    @precondition(lambda self: self.late)
    @rule(which=st.integers(0, 9))
    def arrive(self, which):
        self.now += timedelta(minutes=2)
        self._take(self.late.pop(which % len(self.late)))

    @rule(who=WHO, skew=st.sampled_from(SKEWS))
    def clock_is_set(self, who, skew):
        if not self.readers[who].queue and not self.late:
            self.readers[who].skew = skew

    @rule()
    def server_restarts(self):
        self.record.restart()

    # -- how

    def _say(self, reader, act):
        self.operations += 1
        tick = reader.tick
        report = Report(
            user_id=1,
            device_id=reader.number,
            received_at=self.now,
            dialect="kobo" if reader.kind == "kobo" else "xpointer",
            locator=f"/x.{tick}",
            place=Place(Position("c.xhtml", 0, tick), Status.EXACT, Reason.NONE, tick, TOTAL),
            book_id="b",
            claimed_at=None
            if reader.kind == "kosync"
            else max(self.now + reader.skew, datetime(1970, 1, 1, tzinfo=UTC)),
            # Those that are ours tell the time with each request.
            skew=reader.skew if reader.kind in ("plugin", "browser") else None,
            act=act,
            based_on=reader.seen if reader.kind in ("plugin", "browser") else None,
            slack=SCREEN if reader.kind == "kobo" else 0,
            operation_id=f"o{self.operations}" if reader.kind in ("plugin", "browser") else None,
        )
        if reader.kind == "kobo":
            reader.queue.clear()  # it has one place only
        reader.queue.append(report)
        if not reader.offline:
            self._send(reader)

    def _send(self, reader):
        waiting, reader.queue = reader.queue, []
        for number, report in enumerate(waiting):
            if number:
                self.now += timedelta(seconds=1)
            self._take(report)
        if reader.kind in ("plugin", "browser") and waiting and not reader.offline:
            reader.seen = self.record.now_at()[0] if self.record.now_at()[1] == reader.tick else reader.seen

    def _pull(self, reader):
        version, tick = self.record.now_at()
        if not reader.offline and tick is not None:
            self.record.give(reader.number, f"/x.{tick}", tick, self.now)
            reader.tick, reader.seen = tick, version

    def _take(self, report):
        before = self.record.now_at()[1]
        kind, reason = self.record.take(replace(report, received_at=self.now))
        after = self.record.now_at()[1]
        if kind != "current":
            assert after == before, "what is not current moved the position"
            return
        read_at = self.read_at.get((report.device_id - 1, report.place.tick))
        if before is not None and after < before and report.act is not Act.JUMPED:
            assert read_at is not None, f"nobody read there, but it is current: {reason}"
            # Who read on before it was heard of, and does not tell when, cannot be told from who does so now: a reader
            # without a clock, or a Kobo, which tells when it was closed.
            is_reading = read_at > self.moved_at or (reason == "read-on" and report.act is Act.UNKNOWN)
            if before - after > DROP * TOTAL:
                assert is_reading, f"older reading took everybody back: {reason}"
            assert after >= FIRST_PAGE * TOTAL or is_reading, reason
        at = activity_time(report) if report.act is Act.JUMPED else max(self.moved_at, read_at or self.now)
        self.moved_at = at


class ReadingInDatabase(Reading):
    """The same through the database; each step is compared with the rule alone."""

    folder = None

    def start(self):
        return Both(Database("sqlite://" if self.folder is None else f"sqlite:///{self.folder}"))

    def teardown(self):
        self.record.database.close()


class Both(PureRecord):
    def __init__(self, database):
        super().__init__()
        self.database = database
        with database.write() as session:
            for table in ("deviceprogress", "progress", "journalentry", "bookstate", "feed"):
                session.connection().exec_driver_sql(f"DELETE FROM {table}")

    def restart(self):
        url = self.database.url
        self.database.close()
        self.database = Database(url.render_as_string(hide_password=False))

    def take(self, report):
        with self.database.write() as session:
            outcome = record(session, report)
        expected = super().take(report)
        assert (outcome.kind, outcome.reason) == expected
        assert outcome.version == (self.known.version if self.known else None)
        return expected

    def give(self, device, locator, tick, now):
        super().give(device, locator, tick, now)
        with self.database.write() as session:
            note_given(session, device, "b", self.known.version, locator, tick, now)


def _settings(runs):
    return settings(max_examples=runs, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))


def test_who_comes_to_the_current_place_by_itself_has_said_it():
    """A Kobo reads behind another reader, up to the very place where that one is. When its book is opened again, it
    says that place once more, which is no reading that goes on."""
    readings = Reading()
    readings.read(who=1, pages=1)
    readings.read(who=3, pages=1)
    readings.read(who=1, pages=3)
    before = readings.record.now_at()
    readings.open(who=3)
    assert readings.record.now_at() == before


def test_what_comes_late_does_not_make_an_echo_news():
    """A Kobo has a fresh file, and what it says of that is under way for long. It is told where another reader is; when
    its book is opened there, it repeats that place, while the other reader has read on."""
    readings = Reading()
    readings.go_offline(who=3)
    readings.download_again(who=3)
    readings.read(who=0, pages=5)
    readings.one_is_delayed(who=3)
    readings.come_back(who=3, pulls=True)
    readings.arrive(which=0)
    readings.read(who=0, pages=5)
    before = readings.record.now_at()
    readings.open(who=3)
    assert readings.record.now_at() == before


TestReading = Reading.TestCase
TestReading.settings = _settings(100)


@MANY_WALKS
def test_walks(walks):
    for number in range(walks):
        walk(Reading(), f"progress {number}", 50)


@pytest.fixture(scope="class")
def filled(tmp_path_factory, request):
    path = tmp_path_factory.mktemp("progress") / "test.sqlite3"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with database.write() as session:
        session.add(User(id=1, name="Ida", name_key="ida", password_hash="-", created_at=START))
        session.add(Book(id="b", title="T", sort_title="t", added_at=START, changed_at=START))
        session.flush()
        for number in range(1, 6):
            session.add(Device(id=number, user_id=1, kind="kosync", name=f"r{number}", created_at=START))
    database.close()
    ReadingInDatabase.folder = path


TestReadingInDatabase = pytest.mark.slow(pytest.mark.usefixtures("filled")(ReadingInDatabase.TestCase))
TestReadingInDatabase.settings = settings(_settings(25), database=None)
