"""Two people with one book and their devices, on a database alone: places are numbers, no file is opened."""

from datetime import UTC, datetime, timedelta

from appliance.database import Database
from appliance.models import Book, BookState, Device, Progress, User
from appliance.positions import Place, Position, Reason, Status
from appliance.reading.book_state.record import SaidState, record_state
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Act, Report

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOTAL = 100_000
WEB, KOREADER, OTHER_KOREADER, KOBO = 1, 2, 3, 4


class Shelf:
    """Two people with one book; the devices of the second have numbers ten higher."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.minutes = 0
        with database.write() as session:
            for user in (1, 2):
                session.add(User(id=user, name=f"P{user}", name_key=f"p{user}", password_hash="-", created_at=NOW))
            session.add(Book(id="b", title="T", sort_title="t", added_at=NOW, changed_at=NOW))
            session.flush()
            for number in (WEB, KOREADER, OTHER_KOREADER, KOBO):
                for user in (1, 2):
                    device = number + 10 * (user - 1)
                    session.add(Device(id=device, user_id=user, kind="any", name=f"d{device}", created_at=NOW))

    def later(self) -> datetime:
        self.minutes += 5
        return NOW + timedelta(minutes=self.minutes)

    def says(self, device, *, minutes_ago=0, **said) -> str:
        extra = {name: said.pop(name) for name in ("by", "base_version", "operation_id") if name in said}
        at = self.later()
        spoken = SaidState(
            device // 10 + 1,
            device,
            "b",
            said,
            at,
            at - timedelta(minutes=minutes_ago),
            has_whole_stars=device % 10 in (KOREADER, OTHER_KOREADER),
            **extra,
        )
        with self.database.write() as session:
            return record_state(session, spoken).outcome

    def reads(self, device, tick, act=Act.READ, **fields) -> str:
        at = self.later()
        place = Place(Position("c.xhtml", 0, tick), Status.EXACT, Reason.NONE, tick, TOTAL)
        values = {"act": act, "claimed_at": at, **fields}
        report = Report(device // 10 + 1, device, at, "cfi", f"/x.{tick}", place, "b", **values)
        with self.database.write() as session:
            return record(session, report).reason

    def state(self, user=1) -> BookState:
        with self.database.read() as session:
            found = session.get(BookState, (user, "b"))
            assert found is not None
            return found

    def progress(self, user=1):
        with self.database.read() as session:
            return session.get(Progress, (user, "b"))
