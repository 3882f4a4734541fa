"""The timeline of a book: what it says, what it leaves out, how it is paged."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.database import Database
from appliance.reading.progress.report import Act
from appliance.reading.progress.timeline import suggestions, timeline
from tests.databases import empty_database
from tests.reading.shelf import KOBO, KOREADER, WEB, Shelf


def lines(shelf, user=1, **wanted):
    with shelf.database.read() as session:
        return timeline(session, user, "b", **wanted).lines


def test_pages_read_on_one_device_are_one_line(shelf):
    shelf.reads(WEB, 1_000)
    for tick in range(2_000, 8_000, 1_000):
        shelf.reads(WEB, tick)
    shelf.reads(KOBO, 9_000, Act.UNKNOWN)
    shelf.reads(WEB, 10_000)
    found = lines(shelf)
    assert [(line.device, line.fraction, len(line.steps)) for line in found] == [
        ("d1", 0.1, 0),
        ("d4", 0.09, 0),
        ("d1", 0.07, 5),
        ("d1", 0.01, 0),
    ]
    run = found[2]
    assert [step.fraction for step in run.steps] == [0.06, 0.05, 0.04, 0.03, 0.02]
    assert run.began_at == run.steps[-1].at < run.at
    assert [line.is_current for line in found] == [True, False, False, False]


def test_a_pause_begins_another_line(shelf):
    shelf.reads(WEB, 1_000)
    shelf.reads(WEB, 2_000)
    shelf.minutes += 60
    shelf.reads(WEB, 3_000)
    assert [len(line.steps) for line in lines(shelf)] == [0, 0, 0]


def test_it_says_why_a_place_does_not_count(shelf):
    shelf.reads(WEB, 50_000)
    shelf.reads(KOREADER, 100, Act.UNKNOWN, claimed_at=None)
    shelf.reads(KOREADER, 100, Act.UNKNOWN, claimed_at=None)
    fell, first = lines(shelf)
    assert (fell.outcome, first.outcome) == ("suggestion", "current")
    assert "far behind" in fell.sentence
    assert [line.reason for line in lines(shelf, everything=True)] == ["as-said-before", "fell-back", "first-report"]
    with shelf.database.read() as session:
        (waiting,) = suggestions(session, 1, "b")
    assert (waiting.id, waiting.has_place) == (fell.id, True)


def test_a_suggestion_is_gone_when_its_device_says_something_else(shelf):
    shelf.reads(WEB, 50_000)
    shelf.reads(KOREADER, 100, Act.UNKNOWN, claimed_at=None)
    shelf.reads(KOREADER, 60_000, Act.UNKNOWN, claimed_at=None)
    with shelf.database.read() as session:
        assert suggestions(session, 1, "b") == []


def test_a_suggestion_is_gone_when_the_person_chooses_a_place(shelf):
    shelf.reads(WEB, 50_000)
    shelf.reads(KOREADER, 100, Act.UNKNOWN, claimed_at=None)
    for tick, act, waiting in ((51_000, Act.READ, 1), (52_000, Act.JUMPED, 0), (53_000, Act.READ, 0)):
        shelf.reads(WEB, tick, act)
        with shelf.database.read() as session:
            assert len(suggestions(session, 1, "b")) == waiting


def test_what_became_of_the_status_stands_with_it(shelf):
    shelf.reads(WEB, 50_000)
    shelf.reads(WEB, 99_500)
    shelf.says(KOREADER, rating=4)
    assert [line.changes for line in lines(shelf)] == [
        {"rating": 8},
        {"status": "finished", "by": "automatic"},
        {"status": "reading", "by": "automatic"},
    ]


def test_somebody_else_sees_nothing_of_it(shelf):
    shelf.reads(WEB, 50_000)
    assert lines(shelf, user=2) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from([WEB, KOREADER, KOBO]), st.integers(0, 99_000), st.sampled_from(Act)), max_size=30
    ),
    st.integers(1, 7),
)
def test_its_pages_hold_every_entry_once_and_in_order(tmp_path_factory, said, limit):
    with empty_database("sqlite", tmp_path_factory.mktemp("house")) as url:
        database = Database(url)
        database.migrate()
        shelf = Shelf(database)
        for device, tick, act in said:
            shelf.reads(device, tick, act)
        with database.read() as session:
            whole = timeline(session, 1, "b", limit=1_000, everything=True)
            ids, before = [], None
            while True:
                page = timeline(session, 1, "b", before, limit, everything=True)
                assert len(page.lines) <= limit
                ids += [one for line in page.lines for one in (line.id, *(step.id for step in line.steps))]
                before = page.before
                if before is None:
                    break
        assert ids == [one for line in whole.lines for one in (line.id, *(step.id for step in line.steps))]
        assert ids == list(range(len(said), 0, -1))
        database.close()
