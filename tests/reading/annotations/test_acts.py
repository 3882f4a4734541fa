"""A person decides about what was deleted, or is to be."""

from collections.abc import Iterator

import pytest
from sqlmodel import col, select

from appliance.models import Annotation, JournalEntry
from appliance.positions import Range
from appliance.positions.dialects import write
from appliance.reading.annotations.acts import keep
from appliance.reading.annotations.effects import fold
from appliance.reading.annotations.record import exchange, follow, offer
from appliance.reading.annotations.report import Caller, Deletion, Said
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household

WORDS = "".join(f"<p>Paragraph {n} says something that no other one says, {n * 7919}.</p>\n" for n in range(60))


@pytest.fixture
def home(tmp_path) -> Iterator[Household]:
    with house_in(tmp_path) as house:
        yield Household(house, epub(chapters={"one.xhtml": WORDS}))


@pytest.fixture
def web(home: Household) -> Caller:
    device = home.device("browser")
    return Caller(1, device, home.book_id, "web", "cfi", home.epub, home.house.now(), is_person=True)


@pytest.fixture
def koreader(home: Household) -> Caller:
    device = home.device("koreader")
    return Caller(1, device, home.book_id, "koreader", "xpointer", home.epub, home.house.now())


def make(home: Household, koreader: Caller, count: int) -> list[str]:
    """That many highlights of the KOReader, which knows them as "0", "1" …; returns their ids."""
    book = home.open(home.epub)
    said = []
    for n in range(count):
        start, end = book.at_tick(50 * n).position, book.at_tick(50 * n + 20).position
        assert start is not None and end is not None
        place = write(book, "xpointer", Range(start, type(end)(end.document, 0, end.k, "before"))).value
        said.append(Said(str(n), "highlight", place, {"text": "", "note": f"note {n}", "colour": "yellow"}))
    return [str(answer.annotation_id) for answer in exchange(home.house, koreader, said)]


def rows(home: Household) -> dict[str, Annotation]:
    with home.house.database.read() as session:
        return {row.id: row for row in session.exec(select(Annotation))}


def due(home: Household, caller: Caller) -> dict[str, str | None]:
    offers = offer(home.house, caller)
    follow(home.house, caller, {one.native_id: one.row["version"] for one in offers})
    return {one.native_id: one.due for one in offers}


def test_what_was_deleted_comes_back_everywhere(home: Household, web: Caller, koreader: Caller) -> None:
    (one,) = make(home, koreader, 1)
    exchange(home.house, web, [], [Deletion(one, base_version=rows(home)[one].version)])
    assert due(home, koreader) == {"0": "remove"}
    answer = keep(home.house, web, one, "operation-0001")
    assert (answer.outcome, answer.reason, answer.deleted) == ("current", "restored", False)
    row = rows(home)[one]
    assert row.deleted_at is None and row.note == "note 0" and row.version == answer.version
    assert due(home, koreader) == {"0": "give"}


def test_deletions_that_wait_are_refused_or_confirmed_one_by_one(
    home: Household, web: Caller, koreader: Caller
) -> None:
    ids = make(home, koreader, 12)
    exchange(home.house, koreader, [], [Deletion(str(n)) for n in range(12)])
    assert all(row.held_at is not None for row in rows(home).values())
    assert due(home, koreader) == {}
    assert keep(home.house, web, ids[0]).reason == "kept"
    (answer,) = exchange(home.house, web, [], [Deletion(ids[1], base_version=rows(home)[ids[1]].version)])
    assert answer.reason == "deleted"
    after = rows(home)
    assert (after[ids[0]].held_at, after[ids[0]].deleted_at) == (None, None)
    assert after[ids[1]].held_at is None and after[ids[1]].deleted_at is not None
    assert due(home, koreader) == {"0": "give"}, "it had deleted all; one is wanted"


def test_counts_once_and_only_where_there_is_something_to_decide(
    home: Household, web: Caller, koreader: Caller
) -> None:
    (one,) = make(home, koreader, 1)
    assert keep(home.house, web, one).outcome == "echo"
    exchange(home.house, web, [], [Deletion(one, base_version=rows(home)[one].version)])
    assert keep(home.house, web, one, "operation-0001").outcome == "current"
    version = rows(home)[one].version
    assert keep(home.house, web, one, "operation-0001").outcome == "duplicate"
    assert keep(home.house, web, one).outcome == "echo"
    assert rows(home)[one].version == version
    assert keep(home.house, web, "unknown").reason == "unknown-annotation"


def test_nobody_else_can_decide(home: Household, web: Caller, koreader: Caller) -> None:
    (one,) = make(home, koreader, 1)
    exchange(home.house, web, [], [Deletion(one, base_version=rows(home)[one].version)])
    home.somebody_else()
    other = Caller(2, home.device("browser"), home.book_id, "web", "cfi", home.epub, home.house.now(), is_person=True)
    assert keep(home.house, other, one).outcome == "rejected"
    assert rows(home)[one].deleted_at is not None


def test_the_journal_alone_tells_the_same(home: Household, web: Caller, koreader: Caller) -> None:
    ids = make(home, koreader, 12)
    exchange(home.house, koreader, [], [Deletion(str(n)) for n in range(12)])
    for one in ids[:6]:
        keep(home.house, web, one)
    for one in ids[3:9]:
        exchange(home.house, web, [], [Deletion(one, base_version=rows(home)[one].version)])
    for one in ids[8:]:
        keep(home.house, web, one)
    with home.house.database.read() as session:
        entries = session.exec(select(JournalEntry).order_by(col(JournalEntry.id))).all()
    folded: dict[str, dict] = {}
    for entry in entries:
        for effect in entry.effects or []:
            folded[effect["id"]] = fold(folded.get(effect["id"]), effect)
    assert folded == {row.id: row.model_dump() for row in rows(home).values()}
