"""Annotations of a real house: a KOReader, a Kobo and a browser in one book."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from appliance.models import Annotation, JournalEntry
from appliance.positions import Range
from appliance.positions.dialects import write
from appliance.positions.ranges import range_text
from appliance.reading.annotations.record import exchange, follow, offer
from appliance.reading.annotations.report import Answer, Caller, Deletion, Said
from appliance.reading.rebuild import rebuild
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household

WORDS = "".join(f"<p>Paragraph {n} says <b>something</b> that no other one says, {n * 7919}.</p>\n" for n in range(60))
DIALECTS = {"koreader": "xpointer", "kobo": "kobo", "web": "cfi"}


@pytest.fixture
def home(tmp_path) -> Iterator[Household]:
    with house_in(tmp_path) as house:
        yield Household(house, epub(chapters={"one.xhtml": WORDS, "two.xhtml": WORDS.replace("says", "told")}))


class Reader:
    def __init__(self, home: Household, surface: str) -> None:
        self.home, self.surface = home, surface
        self.sha256 = home.kepub if surface == "kobo" else home.epub
        self.device = home.device({"web": "browser"}.get(surface, surface))

    @property
    def caller(self) -> Caller:
        return Caller(
            1,
            self.device,
            self.home.book_id,
            self.surface,
            DIALECTS[self.surface],
            self.sha256,
            self.home.house.now(),
            is_person=self.surface == "web",
        )

    def range(self, tick: int, length: int = 20):
        book = self.home.open(self.sha256)
        start, end = book.at_tick(tick).position, book.at_tick(tick + length).position
        assert start is not None and end is not None
        return write(book, DIALECTS[self.surface], Range(start, type(end)(end.document, 0, end.k, "before"))).value

    def say(self, name: str, tick: int, **fields: str) -> Said:
        text = "" if self.surface == "web" else "words"
        return Said(name, "highlight", self.range(tick), {"text": text, "note": "", "colour": "", **fields})

    def exchange(self, said=(), deletions=()) -> list[Answer]:
        return exchange(self.home.house, self.caller, list(said), list(deletions))

    def sync(self):
        offers = offer(self.home.house, self.caller)
        follow(self.home.house, self.caller, {one.native_id: one.row["version"] for one in offers})
        return offers


def living(home: Household) -> list[Annotation]:
    with home.house.database.read() as session:
        query = select(Annotation).where(col(Annotation.deleted_at).is_(None)).order_by(col(Annotation.first))
        return list(session.exec(query))


def test_a_highlight_reaches_every_reader_at_the_same_words(home: Household) -> None:
    koreader, kobo = Reader(home, "koreader"), Reader(home, "kobo")
    said = Said("1", "highlight", koreader.range(100), {"text": "", "note": "look", "colour": "purple"})
    (answer,) = koreader.exchange([said])
    assert (answer.outcome, answer.reason) == ("current", "created")
    (row,) = living(home)
    assert (row.first, row.last, row.place_status) == (100, 120, "exact")
    (given,) = kobo.sync()
    assert (given.due, given.range, given.status) == ("give", kobo.range(100), "exact")
    assert (given.fields["note"], given.fields["colour"]) == ("look", "#E8AFCF")
    assert kobo.sync() == []
    assert koreader.sync() == [], "its own highlight is no news to it"


def test_what_was_said_before_is_not_written_again(home: Household) -> None:
    koreader = Reader(home, "koreader")
    said = [koreader.say(str(n), 50 * n) for n in range(10)]
    assert {answer.reason for answer in koreader.exchange(said)} == {"created"}
    with home.house.database.read() as session:
        entries = len(session.exec(select(JournalEntry)).all())
    assert {answer.reason for answer in koreader.exchange(said)} == {"unchanged"}
    with home.house.database.read() as session:
        assert len(session.exec(select(JournalEntry)).all()) == entries
    assert len(living(home)) == 10


def test_a_note_made_on_the_kobo_comes_to_koreader_in_its_own_words(home: Household) -> None:
    koreader, kobo = Reader(home, "koreader"), Reader(home, "kobo")
    koreader.exchange([koreader.say("1", 100)])
    (given,) = kobo.sync()
    fields = {**given.fields, "note": "from the Kobo"}
    (answer,) = kobo.exchange([Said(given.native_id, "highlight", given.range, fields)])
    assert answer.reason == "changed"
    (news,) = koreader.sync()
    assert (news.due, news.native_id, news.fields["note"]) == ("change", "1", "from the Kobo")
    assert news.range == koreader.range(100)


def test_a_deletion_goes_everywhere_and_stays_a_tombstone(home: Household) -> None:
    koreader, kobo = Reader(home, "koreader"), Reader(home, "kobo")
    koreader.exchange([koreader.say("1", 100)])
    (given,) = kobo.sync()
    (answer,) = kobo.exchange(deletions=[Deletion(given.native_id)])
    assert (answer.outcome, answer.reason) == ("current", "deleted")
    (news,) = koreader.sync()
    assert (news.due, news.native_id) == ("remove", "1")
    assert koreader.sync() == []
    assert living(home) == []


def test_many_deletions_wait_for_a_person(home: Household) -> None:
    koreader, kobo = Reader(home, "koreader"), Reader(home, "kobo")
    koreader.exchange([koreader.say(str(n), 50 * n) for n in range(12)])
    kobo.sync()
    answers = koreader.exchange(deletions=[Deletion(str(n)) for n in range(12)])
    assert {(answer.outcome, answer.reason) for answer in answers} == {("suggestion", "many-deleted")}
    assert len(living(home)) == 12
    assert all(row.held_at is not None for row in living(home))
    assert kobo.sync() == []
    assert koreader.sync() == [], "it asked for them to go; a person decides"


def test_the_same_words_marked_twice_are_one_highlight(home: Household) -> None:
    koreader, kobo, web = Reader(home, "koreader"), Reader(home, "kobo"), Reader(home, "web")
    koreader.exchange([koreader.say("1", 100)])
    kobo.exchange([kobo.say("uuid", 100)])
    (answer,) = web.exchange([web.say("0f0f0f0f-0000-4000-8000-000000000001", 100)])
    (row,) = living(home)
    assert answer.annotation_id == row.id


def test_an_edit_in_the_browser_and_one_on_the_reader_are_both_kept(home: Household) -> None:
    koreader, web = Reader(home, "koreader"), Reader(home, "web")
    koreader.exchange([koreader.say("1", 100)])
    (row,) = living(home)
    home.house.clock.move(timedelta(minutes=1)) if hasattr(home.house, "clock") else None
    web.exchange([Said(row.id, "highlight", None, {"note": "in the browser"}, base_version=row.version)])
    koreader.exchange([koreader.say("1", 100, note="on the reader")])
    (row,) = living(home)
    assert {row.note, *row.other_notes} == {"in the browser", "on the reader"}
    merged = {"note": "both"}
    web.exchange([Said(row.id, "highlight", None, merged, base_version=row.version, merges_notes=True)])
    (row,) = living(home)
    assert (row.note, row.other_notes) == ("both", [])


def test_an_operation_counts_once(home: Household) -> None:
    web = Reader(home, "web")
    made = web.say("0f0f0f0f-0000-4000-8000-000000000001", 100)
    made = Said(made.native_id, made.kind, made.range, made.fields, operation_id="op-00000001")
    assert [answer.reason for answer in (*web.exchange([made]), *web.exchange([made]))] == ["created", "same-operation"]


def test_a_place_that_is_not_in_the_file_is_kept_and_said(home: Household) -> None:
    koreader, kobo = Reader(home, "koreader"), Reader(home, "kobo")
    lost = Said("1", "highlight", ["/body/DocFragment[99]/body/p[1]/text().0"] * 2, {"text": "gone", "note": "mine"})
    (answer,) = koreader.exchange([lost])
    assert answer.reason == "created"
    (row,) = living(home)
    assert (row.place_status, row.place_reason, row.note) == ("failed", "no-document", "mine")
    assert kobo.sync() == []


def test_what_a_reader_writes_on_a_bookmark_is_no_text_of_the_book(home: Household) -> None:
    """KOReader calls a bookmark of a page "in One"; words of the book that are the same lead nowhere else."""
    koreader = Reader(home, "koreader")
    book = home.open(home.epub)
    point = write(book, "xpointer", book.at_tick(3000).position).value
    elsewhere = range_text(book, Range(book.at_tick(100).position, book.at_tick(160).position))
    exchange(home.house, koreader.caller, [Said("page", "bookmark", point, {"text": elsewhere, "note": ""})])
    exchange(home.house, koreader.caller, [Said("lost", "bookmark", f"{point}9999", {"text": elsewhere})])
    assert (3000, 3000, "exact") in {(row.first, row.last, row.place_status) for row in living(home)}
    assert all(row.first != 100 for row in living(home))


def written(reader: Reader, seconds: int, note: str, name: str = "1") -> Said:
    """A highlight as it is in a KOReader's file: dated `seconds` from now."""
    at = reader.home.house.now() + timedelta(seconds=seconds)
    fields = {"text": "", "note": note, "colour": "yellow"}
    return Said(name, "highlight", reader.range(100), fields, created_at=at, changed_at=at)


def timed(reader: Reader) -> Caller:
    return replace(reader.caller, skew=timedelta(0))


def test_a_file_from_before_a_crash_has_no_news(home: Household) -> None:
    """KOReader wrote a note, the server has it, and the file on the card is still the one before."""
    koreader = Reader(home, "koreader")
    before, after = written(koreader, -60, "the first words"), written(koreader, -30, "other words")
    for said in (before, after):
        exchange(home.house, timed(koreader), [said], complete=True)
    exchange(home.house, timed(koreader), [before], complete=True, is_foreign=True)
    (row,) = living(home)
    assert (row.note, row.other_notes) == ("other words", [])
    assert [(one.due, one.fields["note"]) for one in koreader.sync()] == [("change", "other words")]


def test_a_file_from_before_a_crash_brings_back_nothing_that_was_deleted(home: Household) -> None:
    koreader, browser = Reader(home, "koreader"), Reader(home, "web")
    before, after = written(koreader, -60, "the first words"), written(koreader, -30, "other words")
    for said in (before, after):
        exchange(home.house, timed(koreader), [said], complete=True)
    (row,) = living(home)
    browser.exchange(deletions=[Deletion(row.id, base_version=row.version)])
    exchange(home.house, timed(koreader), [before], complete=True, is_foreign=True)
    assert living(home) == []
    assert [one.due for one in koreader.sync()] == ["remove"]


def test_what_is_deleted_and_marked_again_in_the_same_second_is_there(home: Household) -> None:
    """The clock of a device tells whole seconds, and how far off it is is measured with each request."""
    koreader = Reader(home, "koreader")
    exchange(home.house, timed(koreader), [written(koreader, -60, "")])
    exchange(home.house, timed(koreader), [], [Deletion("1", is_confirmed=True)])
    exchange(home.house, timed(koreader), [written(koreader, -1, "", name="2")])
    (row,) = living(home)
    assert row.note == ""


def test_what_a_kobo_deleted_is_not_doubled_when_it_comes_late(home: Household) -> None:
    """It was under way when the Kobo deleted it and marked the words again."""
    kobo = Reader(home, "kobo")
    (answer,) = kobo.exchange(deletions=[Deletion("first")])
    assert (answer.outcome, answer.reason) == ("rejected", "unknown-annotation")
    kobo.exchange([kobo.say("second", 100)])
    late = kobo.say("first", 100, note="written before")
    for _ in range(2):
        (answer,) = kobo.exchange([late])
        assert (answer.outcome, answer.reason) == ("history", "deleted-since")
    (row,) = living(home)
    assert (row.note, row.other_notes) == ("written before", [])


def test_what_a_kobo_deleted_before_it_was_known_waits_for_a_person(home: Household) -> None:
    kobo = Reader(home, "kobo")
    kobo.exchange(deletions=[Deletion("first")])
    (answer,) = kobo.exchange([kobo.say("first", 100, note="written before")])
    assert (answer.outcome, answer.reason) == ("suggestion", "deleted-unseen")
    (row,) = living(home)
    assert (row.note, row.held_at is None) == ("written before", False)
    assert kobo.sync() == []
    with home.house.database.read() as session:
        assert [entry.asked_for for entry in session.exec(select(JournalEntry))] == ["first", None]
    assert rebuild(home.house).differences == []


def test_who_marks_deleted_words_again_keeps_the_new_note(home: Household) -> None:
    """The one that was deleted is beside it, until somebody merges them; the reader does not show it."""
    koreader = Reader(home, "koreader")
    exchange(home.house, timed(koreader), [written(koreader, -60, "the first words")], complete=True)
    exchange(home.house, timed(koreader), [], [Deletion("1", is_confirmed=True)])
    exchange(home.house, timed(koreader), [written(koreader, -1, "new words", name="2")], complete=True)
    (row,) = living(home)
    assert (row.note, row.other_notes) == ("new words", ["the first words"])
    assert [one.fields["note"] for one in koreader.sync()] == ["new words"]


def test_a_note_does_not_stand_beside_itself(home: Household) -> None:
    """Two notes wait to be merged, and a reader is given the words of the other one."""
    koreader, other = Reader(home, "koreader"), Reader(home, "koreader")
    exchange(home.house, timed(koreader), [written(koreader, -60, "one")], complete=True)
    exchange(home.house, timed(other), [written(other, -50, "two")], complete=True)
    (row,) = living(home)
    assert (row.note, row.other_notes) == ("one", ["two"])
    exchange(home.house, timed(koreader), [written(koreader, -40, "two")], complete=True)
    (row,) = living(home)
    assert (row.note, row.other_notes) == ("two", [])


def test_a_name_may_be_given_again_by_who_numbers_its_operations(home: Household) -> None:
    koreader = Reader(home, "koreader")
    exchange(home.house, timed(koreader), [replace(written(koreader, -60, "old"), operation_id="1")])
    exchange(home.house, timed(koreader), [], [Deletion("1", is_confirmed=True, operation_id="2")])
    exchange(home.house, timed(koreader), [replace(written(koreader, -1, "new"), operation_id="3")])
    (row,) = living(home)
    assert (row.note, row.other_notes) == ("new", [])
