"""Undo: an earlier place, or a suggestion, becomes the current one on every device by one act of a person."""

from collections.abc import Iterator

import pytest
from sqlmodel import select

from appliance.models import BookState, JournalEntry
from appliance.reading.book_state.record import SaidState, record_state
from appliance.reading.progress.locate import locate, write_kobo
from appliance.reading.progress.put_back import put_back
from appliance.reading.progress.report import Act
from appliance.reading.progress.timeline import suggestions, timeline
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household

WORDS = "".join(f"<p>Paragraph {n} says <b>something</b> that no other one says, {n * 7919}.</p>\n" for n in range(60))


@pytest.fixture
def home(tmp_path) -> Iterator[Household]:
    with house_in(tmp_path) as house:
        yield Household(house, epub(chapters={"one.xhtml": WORDS, "two.xhtml": WORDS.replace("says", "told")}))


def xpointer(document: int, paragraph: int) -> str:
    return f"/body/DocFragment[{document}]/body/p[{paragraph}]/text().0"


def tick_of(home: Household, dialect: str) -> int | None:
    """Where a reader is led to, in the EPUB."""
    device = home.device("any")
    given = home.asks(device, dialect).encoded.locator
    assert given is not None
    sha256 = home.kepub if dialect == "kobo" else home.epub
    with home.house.database.read() as session:
        text = write_kobo(given) if dialect == "kobo" else given
        return locate(home.house, session, home.book_id, sha256, dialect, text).place.tick


def undo(home: Household, entry: int, operation: str | None = None):
    device = home.device("browser")
    return put_back(home.house, home.user_id, device, home.book_id, entry, operation)


def test_one_act_puts_a_place_back_in_every_dialect(home: Household) -> None:
    koreader, kobo = home.device("koreader"), home.device("kobo")
    wanted = home.says(koreader, "xpointer", xpointer(1, 20)).entry_id
    before = home.progress()
    home.says(koreader, "xpointer", xpointer(2, 50))
    home.asks(kobo, "kobo")
    outcome = undo(home, wanted)
    assert (outcome.kind, outcome.reason) == ("current", "put-back")
    after = home.progress()
    assert before is not None and after is not None
    for name in ("document", "k", "tick", "fraction", "reference_sha256"):
        assert after[name] == before[name]
    assert after["version"] == 3 and before["activity_at"] < after["activity_at"] < home.house.now()
    assert {tick_of(home, dialect) for dialect in ("xpointer", "cfi")} == {before["tick"]}
    assert abs(tick_of(home, "kobo") - before["tick"]) < 60, "a Kobo names sentences"
    assert home.asks(koreader, "xpointer").encoded.locator == xpointer(1, 20), "the very string that it once said"


def test_the_devices_repeat_of_where_they_were_does_not_undo_the_undo(home: Household) -> None:
    koreader = home.device("koreader")
    wanted = home.says(koreader, "xpointer", xpointer(1, 20)).entry_id
    home.says(koreader, "xpointer", xpointer(2, 50))
    undo(home, wanted)
    assert home.says(koreader, "xpointer", xpointer(2, 50)).reason == "as-said-before"
    place = home.progress()
    assert place is not None and place["document"].endswith("one.xhtml")


def test_it_can_be_undone_itself(home: Household) -> None:
    koreader = home.device("koreader")
    first = home.says(koreader, "xpointer", xpointer(1, 20)).entry_id
    second = home.says(koreader, "xpointer", xpointer(2, 50)).entry_id
    undo(home, first)
    undo(home, second)
    place = home.progress()
    assert place is not None and place["document"].endswith("two.xhtml")
    with home.house.database.read() as session:
        lines = timeline(session, home.user_id, home.book_id).lines
    assert [line.reason for line in lines] == ["put-back", "put-back", "newest", "first-report"]


def test_a_suggestion_is_gone_to_by_the_same_act(home: Household) -> None:
    koreader = home.device("koreader")
    home.says(koreader, "xpointer", xpointer(2, 50))
    assert home.says(koreader, "xpointer", xpointer(1, 20)).kind == "suggestion"
    with home.house.database.read() as session:
        (waiting,) = suggestions(session, home.user_id, home.book_id)
    assert undo(home, waiting.id).kind == "current"
    place = home.progress()
    assert place is not None and place["fraction"] == waiting.fraction


def test_sent_twice_it_counts_once(home: Household) -> None:
    koreader, browser = home.device("koreader"), home.device("browser")
    wanted = home.says(koreader, "xpointer", xpointer(1, 20)).entry_id
    home.says(koreader, "xpointer", xpointer(2, 50))
    person = (home.house, home.user_id, browser, home.book_id)
    assert put_back(*person, wanted, "operation-1").kind == "current"
    assert put_back(*person, wanted, "operation-1").kind == "duplicate"
    progress = home.progress()
    assert progress is not None and progress["version"] == 3


def test_a_book_that_was_finished_by_accident_is_being_read_again(home: Household) -> None:
    koreader = home.device("koreader")
    wanted = home.says(koreader, "xpointer", xpointer(1, 20)).entry_id
    home.says(koreader, "cfi", "epubcfi(/6/4!/4/120/3:20)", act=Act.JUMPED, reading_status="finished")
    with home.house.database.read() as session:
        assert session.exec(select(BookState.status)).one() == "finished"
    undo(home, wanted)
    with home.house.database.read() as session:
        assert session.exec(select(BookState.status)).one() == "reading"


def test_what_a_person_called_finished_stays_so(home: Household) -> None:
    koreader, browser = home.device("koreader"), home.device("browser")
    wanted = home.says(koreader, "xpointer", xpointer(1, 20)).entry_id
    home.says(koreader, "xpointer", xpointer(2, 50))
    with home.house.database.write() as session:
        said = {"status": "finished"}
        record_state(session, SaidState(home.user_id, browser, home.book_id, said, home.house.now(), base_version=9))
    undo(home, wanted)
    with home.house.database.read() as session:
        assert session.exec(select(BookState.status)).one() == "finished"


def test_nobody_reaches_the_entries_of_another(home: Household) -> None:
    koreader = home.device("koreader")
    entry = home.says(koreader, "xpointer", xpointer(1, 20)).entry_id
    home.somebody_else()
    assert undo(home, entry) is None
    assert undo(home, 999_999) is None


def test_an_entry_without_a_place_is_refused_and_changes_nothing(home: Household) -> None:
    koreader = home.device("koreader")
    home.says(koreader, "xpointer", xpointer(1, 20))
    lost = home.says(koreader, "xpointer", "/body/DocFragment[99]/body/p[1]/text().0")
    assert lost.kind == "rejected"
    before = home.progress()
    assert undo(home, lost.entry_id).kind == "rejected"
    assert home.progress() == before
    with home.house.database.read() as session:
        entry = session.get(JournalEntry, lost.entry_id)
        assert entry is not None and entry.outcome == "rejected", "the journal never changes"
