"""Whatever happened, the present state derived from the journal again is the one that is there."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from appliance.models import Annotation, BookState, DeviceAnnotation, Feed, JournalEntry, Progress, ReadingSession
from appliance.positions import Range
from appliance.positions.dialects import write
from appliance.reading.annotations.acts import keep
from appliance.reading.annotations.record import exchange, follow, offer
from appliance.reading.annotations.report import Caller, Deletion, Said
from appliance.reading.book_state.record import SaidState, record_state
from appliance.reading.progress.put_back import put_back
from appliance.reading.progress.report import Act
from appliance.reading.rebuild import Rebuilt, rebuild, rebuild_person
from appliance.reading.sessions.event import Event, Source
from appliance.reading.sessions.record import record_events
from tests.databases import KINDS, empty_database
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household

WORDS = "".join(f"<p>Paragraph {n} says <b>something</b> that no other one says, {n * 7919}.</p>\n" for n in range(60))
TABLES = (Progress, BookState, Annotation, ReadingSession, Feed)
DIALECTS = {"koreader": "xpointer", "kobo": "kobo", "web": "cfi"}


@pytest.fixture(params=KINDS, scope="module")
def home(request, tmp_path_factory) -> Iterator[Household]:
    place = tmp_path_factory.mktemp("house")
    with empty_database(request.param, place) as url, house_in(place, url) as house:
        yield Household(house, epub(chapters={"one.xhtml": WORDS, "two.xhtml": WORDS.replace("says", "told")}))


def rows(home: Household) -> dict[str, list[dict]]:
    """Everything that is derived, of the present person."""
    with home.house.database.read() as session:
        connection = session.connection()
        return {
            table.__tablename__: sorted(
                (
                    dict(row)
                    for row in connection.execute(
                        select(table.__table__).where(table.__table__.c.user_id == home.user_id)
                    ).mappings()
                ),
                key=repr,
            )
            for table in TABLES
        }


def rebuilt(home: Household) -> Rebuilt:
    result = Rebuilt()
    with home.house.database.write() as session:
        rebuild_person(session, home.user_id, result)
    return result


def forget(home: Household) -> None:
    """Lose all that is derived, but for the annotations that devices are known to hold."""
    with home.house.database.write() as session:
        for table in (Progress, BookState, ReadingSession, Feed):
            session.execute(delete(table).where(table.user_id == home.user_id))
        held = select(DeviceAnnotation.annotation_id)
        session.execute(delete(Annotation).where(Annotation.user_id == home.user_id, Annotation.id.not_in(held)))


class History:
    """Random doings of one person, through the transactions that the surfaces use."""

    def __init__(self, home: Household) -> None:
        self.home = home
        home.somebody_else()
        self.devices = {surface: home.device(surface) for surface in DIALECTS}
        self.books = {surface: home.open(home.kepub if surface == "kobo" else home.epub) for surface in DIALECTS}
        self.entries: list[int] = []
        self.count = 0

    def caller(self, surface: str) -> Caller:
        sha256 = self.books[surface].sha256
        device, now = self.devices[surface], self.home.house.now()
        return Caller(
            self.home.user_id,
            device,
            self.home.book_id,
            surface,
            DIALECTS[surface],
            sha256,
            now,
            is_person=surface == "web",
        )

    def read(self, surface: str, tick: int, act: Act, late: int, finished: bool) -> None:
        book = self.books["koreader"]
        found = book.at_tick(tick).position
        assert found is not None
        # Every other device tells the time with what it sends, and not the right one.
        skew = timedelta(days=2, microseconds=700_000) if late % 2 else timedelta(0)
        claimed = self.home.house.now() - timedelta(minutes=late) + skew if late else None
        outcome = self.home.says(
            self.devices[surface],
            "cfi",
            book.encode_cfi(found).locator,
            act=act,
            claimed_at=claimed,
            skew=skew or None,
            reading_status="finished" if finished else None,
            slack=0,
        )
        self.entries.append(outcome.entry_id)

    def undo(self, which: int) -> None:
        if self.entries:
            entry = self.entries[which % len(self.entries)]
            home = self.home
            put_back(home.house, home.user_id, self.devices["web"], home.book_id, entry)

    def state(self, surface: str, fields: dict, by: str) -> None:
        home = self.home
        said = SaidState(
            home.user_id,
            self.devices[surface],
            home.book_id,
            fields,
            home.house.now(),
            has_whole_stars=surface == "koreader",
            by=by,
        )
        with home.house.database.write() as session:
            record_state(session, said)

    def mark(self, surface: str, name: int, tick: int, note: str, colour: str) -> None:
        book = self.books[surface]
        start, end = book.at_tick(tick).position, book.at_tick(tick + 15).position
        assert start is not None and end is not None
        where = write(book, DIALECTS[surface], Range(start, type(end)(end.document, end.occurrence, end.k, "before")))
        native = f"{name:08}-{self.home.user_id}-mark" if surface == "web" else str(name)
        fields = {"text": "words", "note": note, "colour": colour}
        exchange(self.home.house, self.caller(surface), [Said(native, "highlight", where.value, fields)])

    def erase(self, surface: str, names: list[int]) -> None:
        natives = [f"{name:08}-{self.home.user_id}-mark" if surface == "web" else str(name) for name in names]
        exchange(self.home.house, self.caller(surface), [], [Deletion(native) for native in natives])

    def sync(self, surface: str) -> None:
        caller = self.caller(surface)
        offers = offer(self.home.house, caller)
        follow(self.home.house, caller, {one.native_id: one.row["version"] for one in offers})

    def decide(self, which: int) -> None:
        with self.home.house.database.read() as session:
            query = select(Annotation.id).where(Annotation.user_id == self.home.user_id).order_by(Annotation.id)
            ids = session.execute(query).scalars().all()
        if ids:
            keep(self.home.house, self.caller("web"), ids[which % len(ids)])

    def sit(self, surface: str, seconds: int) -> None:
        self.count += 1
        home = self.home
        event = Event(
            Source.BROWSER,
            int(home.house.now().timestamp()) - seconds,
            seconds,
            home.book_id,
            operation_id=f"sitting-{self.count}",
        )
        with home.house.database.write() as session:
            record_events(session, home.user_id, self.devices[surface], [event], home.house.now())


surfaces = st.sampled_from(sorted(DIALECTS))
ticks = st.integers(0, 5_500)
names = st.integers(0, 14)
fields = st.one_of(
    st.fixed_dictionaries({"status": st.sampled_from(["unread", "reading", "finished"])}),
    st.fixed_dictionaries({"rating": st.integers(0, 5)}),
    st.fixed_dictionaries({"review": st.sampled_from(["", "Good", "Bad"])}),
)
doings = st.one_of(
    st.tuples(
        st.just("read"), surfaces, ticks, st.sampled_from(Act), st.sampled_from([0, 1, 3, 60, 10_000]), st.booleans()
    ),
    st.tuples(st.just("undo"), st.integers(0, 30)),
    st.tuples(st.just("state"), surfaces, fields, st.sampled_from(["person", "automatic"])),
    st.tuples(st.just("mark"), surfaces, names, ticks, st.sampled_from(["", "one", "two"]), st.just("")),
    st.tuples(st.just("mark"), surfaces, names, st.integers(0, 5), st.sampled_from(["", "one", "two"]), st.just("")),
    st.tuples(st.just("erase"), surfaces, st.lists(names, max_size=14, unique=True)),
    st.tuples(st.just("sync"), surfaces),
    st.tuples(st.just("decide"), st.integers(0, 20)),
    st.tuples(st.just("sit"), surfaces, st.integers(1, 4_000)),
)


def live(home: Household, doings: list[tuple]) -> History:
    history = History(home)
    for name, *values in doings:
        getattr(history, name)(*values)
    return history


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(doings, min_size=5, max_size=40))
def test_any_history_gives_the_same_rows_again(home: Household, doings: list[tuple]) -> None:
    live(home, doings)
    before = rows(home)
    assert rebuilt(home).differences == []
    assert rows(home) == before
    forget(home)
    result = rebuilt(home)
    again = rows(home)
    for table in ("progress", "bookstate", "annotation", "readingsession"):
        assert again[table] == before[table], table
    # Numbers may have been reserved that nothing took.
    if before["feed"]:
        used = [row["feed_version"] for row in before["progress"]]
        used += [row["version"] for table in ("bookstate", "annotation") for row in before[table]]
        assert max(used, default=0) == (again["feed"][0]["version"] if again["feed"] else 0)
    assert all(not difference.is_unknown for difference in result.differences)


A_LIFE = [
    ("read", "koreader", 1_000, Act.READ, 0, False),
    ("read", "koreader", 2_000, Act.READ, 0, False),
    ("state", "web", {"rating": 7, "review": "Good"}, "person"),
    ("mark", "koreader", 1, 100, "note", ""),
    ("mark", "web", 2, 300, "", ""),
    ("sit", "web", 600),
]


def test_rows_that_were_spoilt_are_put_right_and_named(home: Household) -> None:
    live(home, A_LIFE)
    before = rows(home)
    with home.house.database.write() as session:
        mine = home.user_id
        session.execute(update(Progress).where(Progress.user_id == mine).values(tick=1, fraction=0.5))
        session.execute(update(BookState).where(BookState.user_id == mine).values(rating=1))
        session.execute(update(Annotation).where(Annotation.user_id == mine).values(note="spoilt"))
        session.execute(delete(ReadingSession).where(ReadingSession.user_id == mine))
    found = {(one.kind, one.columns) for one in rebuilt(home).differences}
    assert found == {
        ("progress", ("fraction", "tick")),
        ("state", ("rating",)),
        ("annotation", ("note",)),
        ("session", ()),
    }
    assert rows(home) == before
    assert rebuilt(home).differences == []


def test_what_is_older_than_the_effects_is_kept(home: Household) -> None:
    """Entries of before issue 4 have none; status and epoch then stood in the row alone."""
    history = live(home, A_LIFE[:2])
    mine = home.user_id
    with home.house.database.write() as session:
        session.execute(
            update(JournalEntry).where(JournalEntry.user_id == mine).values(effects=None, fraction=None, epoch=None)
        )
        session.execute(update(Progress).where(Progress.user_id == mine).values(epoch=3, feed_version=0))
        share = text("UPDATE progress SET fraction = tick * 1.0 / total WHERE user_id = :mine")
        session.execute(share, {"mine": mine})
        migrated = {"version": 0, "status": "finished", "versions": {}, "times": {}}
        session.execute(update(BookState).where(BookState.user_id == mine).values(**migrated))
    before = rows(home)
    result = rebuilt(home)
    assert (result.differences, result.kept) == ([], 1)
    assert rows(home) == before
    history.state("web", {"rating": 7}, "person")
    history.read("koreader", 3_000, Act.READ, 0, False)
    before = rows(home)
    assert (before["bookstate"][0]["status"], before["progress"][0]["epoch"]) == ("finished", 3)
    assert rebuilt(home).differences == []
    assert rows(home) == before


def test_a_place_that_was_carried_over_to_another_file_stays_there(home: Household) -> None:
    live(home, A_LIFE[:2])
    with home.house.database.write() as session:
        carried = {"reference_sha256": home.kepub, "tick": 7, "k": 7}
        session.execute(update(Progress).where(Progress.user_id == home.user_id).values(**carried))
    before = rows(home)
    assert rebuilt(home).differences == []
    assert rows(home) == before


def test_a_row_that_the_journal_does_not_know_is_left_alone_and_told(home: Household) -> None:
    live(home, A_LIFE[:2])
    with home.house.database.write() as session:
        session.execute(delete(JournalEntry).where(JournalEntry.user_id == -1))
        session.add(
            Annotation(
                id=f"orphan-{home.user_id}",
                user_id=home.user_id,
                book_id=home.book_id,
                kind="highlight",
                version=1,
                created_at=home.house.now(),
                changed_at=home.house.now(),
                device_id=1,
            )
        )
    (difference,) = rebuilt(home).differences
    assert (difference.kind, difference.is_unknown) == ("annotation", True)


def test_everybody_is_rebuilt_and_the_bar_moves_to_its_end(home: Household) -> None:
    live(home, A_LIFE)
    live(home, A_LIFE)
    seen: list[tuple[int, int]] = []
    result = rebuild(home.house, lambda done, total: seen.append((done, total)))
    assert result.people >= 2 and result.books == result.people
    assert seen[-1] == (result.books, result.books) and seen == sorted(seen)
