"""Highlights go with the book when its file is edited: by comparing the texts, else by their words."""

import shutil
from collections.abc import Iterator
from random import Random

import pytest
from sqlmodel import select

from appliance.library.scan import scan
from appliance.models import Annotation, Book
from appliance.positions import Position, Range, Status
from appliance.positions.dialects import write
from appliance.positions.ranges import decode_xpointer_range, range_text
from appliance.reading.annotations.place import place_in
from appliance.reading.annotations.rebasing import rebase_annotations
from appliance.reading.annotations.record import exchange, follow, offer
from appliance.reading.annotations.report import Caller, Said
from appliance.reading.feed import changes
from appliance.reading.rebuild import Rebuilt, rebuild_person
from appliance.sweeps.texts import Keeping
from tests.library.conftest import house_in
from tests.library.making import epub, put
from tests.reading.household import Household

DIALECTS = {"koreader": "xpointer", "kobo": "kobo", "web": "cfi"}


def sentence(name: str, n: int) -> str:
    """Unlike any other."""
    chance = Random(f"{name} {n}")
    words = ["".join(chance.choices("abdeiklmnorstu", k=chance.randint(3, 9))) for _ in range(12)]
    return f'<p>"{" ".join(words[:6])}," she said - and that\'s <i>{words[6]}</i>... {" ".join(words[7:])}.</p>\n'


CHAPTERS = {f"{name}.xhtml": "".join(sentence(name, n) for n in range(40)) for name in ("one", "two", "three")}
METADATA = '<dc:title>A Book</dc:title><dc:identifier id="id">urn:isbn:9780000000019</dc:identifier>'


class Edited:
    """A person whose book is edited in place."""

    def __init__(self, home: Household) -> None:
        self.home, self.house = home, home.house
        self.former = home.epub
        self.devices = {surface: home.device(surface) for surface in DIALECTS}

    def caller(self, surface: str, sha256: str, device: int = 0) -> Caller:
        home = self.home
        ids = home.user_id, device or self.devices[surface], home.book_id
        return Caller(*ids, surface, DIALECTS[surface], sha256, home.house.now(), is_person=surface == "web")

    def range(self, surface: str, tick: int, length: int, sha256: str = ""):
        book = self.home.open(sha256 or self.former)
        start, end = book.at_tick(tick).position, book.at_tick(tick + length).position
        where = Range(start, Position(end.document, end.occurrence, end.k, "before"))
        return write(book, DIALECTS[surface], where).value

    def mark(self, surface: str, name: str, tick: int, length: int = 25, **fields: str) -> Said:
        sha256 = self.home.kepub if surface == "kobo" else self.former
        said = Said(name, "highlight", self.range(surface, tick, length, sha256), {"text": "", "note": "", **fields})
        (answer,) = exchange(self.house, self.caller(surface, sha256), [said])
        assert answer.outcome == "current"
        return said

    def edit(self, change, keep: bool = True) -> str:
        """The file is written anew; returns the hash of the present one."""
        if keep:
            Keeping().run(self.house, lambda: False)
        chapters = {name: change(body) for name, body in CHAPTERS.items()}
        put(self.house.settings.books[0] / "book.epub", epub(METADATA, chapters))
        if not keep:
            shutil.rmtree(self.house.settings.texts, ignore_errors=True)
        self.house.shelf.close()
        scan(self.house)
        with self.house.database.read() as session:
            present = session.exec(select(Book)).one().main_sha256
        assert present is not None and present != self.former
        return present

    def rows(self) -> dict[str, Annotation]:
        with self.house.database.read() as session:
            return {row.id: row for row in session.exec(select(Annotation)).all()}

    def words(self) -> list[str]:
        """What is marked, in the file that each row is counted in."""
        found = []
        for row in sorted(self.rows().values(), key=lambda row: row.created_at):
            book = self.home.open(row.reference_sha256 or "")
            where = place_in(book, row.model_dump()).range
            found.append(range_text(book, where) if where else "")
        return found

    def rebuilt(self) -> list:
        result = Rebuilt()
        with self.house.database.write() as session:
            rebuild_person(session, self.home.user_id, result)
        return result.differences


@pytest.fixture
def edited(tmp_path) -> Iterator[Edited]:
    with house_in(tmp_path) as house:
        yield Edited(Household(house, epub(METADATA, CHAPTERS)))


def more(body: str) -> str:
    return "<p>A sentence that was not there before.</p>" + body.replace("<p>", "<p>Well. ", 3)


def smart(body: str) -> str:
    body = body.replace('<p>"', "<p>“").replace('," she', ",” she").replace("'", "’")
    return body.replace(" - ", " — ").replace("...", "…")


def test_an_edit_moves_no_words(edited):
    said = {
        "koreader": edited.mark("koreader", "of koreader", 700),
        "kobo": edited.mark("kobo", "of the kobo", 1500),
    }
    edited.mark("web", "00000000-0000-4000-8000-000000000001", 2600)
    before, words = edited.rows(), edited.words()
    present = edited.edit(more)
    assert rebase_annotations(edited.house) == 3
    assert rebase_annotations(edited.house) == 0
    after = edited.rows()
    assert edited.words() == words
    for name, row in after.items():
        old = before[name]
        assert (row.reference_sha256, row.place_status, row.versions) == (present, "exact", old.versions)
        assert row.first > old.first and row.version > old.version and row.changed_at == old.changed_at
    assert edited.rebuilt() == []

    with edited.house.database.read() as session:
        seen = max(row.version for row in before.values())
        told = {item.key for item in changes(session, edited.home.user_id, seen).items if item.kind == "annotation"}
    assert told == set(after), "whoever asks what changed hears of it"

    # Who made it and still holds the old file has its own string, and nothing to do.
    for surface, sha256 in (("koreader", edited.former), ("kobo", edited.home.kepub)):
        mine = [one for one in offer(edited.house, edited.caller(surface, sha256)) if one.row["note"] == ""]
        assert said[surface].native_id not in {one.native_id for one in mine}
        (answer,) = exchange(edited.house, edited.caller(surface, sha256), [said[surface]])
        assert answer.outcome == "echo"

    # A reader with the new file is given the same words there.
    new = edited.home.device("koreader")
    given = offer(edited.house, edited.caller("koreader", present, new))
    book = edited.home.open(present)
    found = [range_text(book, book_range(book, one.range)) for one in given]
    assert sorted(found) == sorted(words)


def book_range(book, said):
    return decode_xpointer_range(book, *said).range


def test_smart_punctuation_loses_nothing(edited):
    for n in range(12):
        edited.mark("koreader", f"mark {n}", 300 * n + 11 * n, 40 + n)
    words = edited.words()
    edited.edit(smart)
    assert rebase_annotations(edited.house) == 12
    plain = str.maketrans({"“": '"', "”": '"', "’": "'", "—": "-"})
    # One of them began in the middle of what is a single character now.
    found = [text.translate(plain).replace("…", "...").strip(".") for text in edited.words()]
    assert found == [text.strip(".") for text in words]
    assert {row.place_status for row in edited.rows().values()} <= {"exact", "recovered"}
    assert edited.rebuilt() == []


@pytest.mark.parametrize("keep", [True, False])
def test_words_that_are_gone_are_never_drawn_over_others(edited, keep):
    edited.mark("koreader", "gone", 1500, 60)
    stays = edited.mark("koreader", "stays", 5000)
    (gone,) = [row for row in edited.rows().values() if row.first == 1500]
    words = edited.words()
    start = CHAPTERS["one.xhtml"].split("\n")
    lost = "\n".join(start[15:30])
    present = edited.edit(lambda body: body.replace(lost, "<p>All of this was rewritten.</p>"), keep)
    stuck: set = set()
    assert rebase_annotations(edited.house, stuck=stuck) == (1 if keep else 2)
    assert len(stuck) == keep
    row = edited.rows()[gone.id]
    if keep:
        assert (row.reference_sha256, row.place_status) == (edited.former, "exact"), "the old file still has them"
        assert edited.words() == words
    else:
        assert (row.reference_sha256, row.place_status) == (present, "approximate")
        assert row.quote["exact"] == words[0], "so that yet another file may have them again"
    new = edited.home.device("koreader")
    offered = offer(edited.house, edited.caller("koreader", present, new))
    assert [one.row["id"] for one in offered] == [id for id in edited.rows() if id != gone.id]
    same = edited.home.device("koreader")
    if keep:
        again = offer(edited.house, edited.caller("koreader", edited.former, same))
        assert stays.range in [one.range for one in again] and len(again) == 2
    assert edited.rebuilt() == []


def test_found_by_their_words_when_nothing_is_left_of_the_old_file(edited):
    for n in range(5):
        edited.mark("koreader", f"mark {n}", 500 + 900 * n)
    words = edited.words()
    edited.edit(more, keep=False)
    assert rebase_annotations(edited.house) == 5
    assert edited.words() == words
    assert {row.place_status for row in edited.rows().values()} == {"recovered"}


def test_a_reader_that_takes_the_new_file_is_told_where_its_words_are(edited):
    """KOReader keeps its own strings when the file below them is written anew."""
    said = edited.mark("koreader", "mine", 700)
    words = edited.words()
    present = edited.edit(more)
    rebase_annotations(edited.house)
    (before,) = edited.rows().values()
    caller = edited.caller("koreader", present)
    (answer,) = exchange(edited.house, caller, [said], complete=True)
    assert answer.outcome == "echo", "that its string names other words now is no change of the person's"
    (told,) = offer(edited.house, caller)
    assert (told.due, told.native_id) == ("change", "mine")
    assert range_text(edited.home.open(present), book_range(edited.home.open(present), told.range)) == words[0]
    noted = Said("mine", "highlight", said.range, {"text": "", "note": "and a note"})
    (answer,) = exchange(edited.house, caller, [noted])
    assert answer.outcome == "current"
    (told,) = offer(edited.house, caller)
    assert told.due == "change", "still, after it wrote a note"
    follow(edited.house, caller, {told.native_id: told.row["version"]})
    assert offer(edited.house, caller) == []
    (after,) = edited.rows().values()
    assert (after.first, after.versions["range"], after.note) == (before.first, before.versions["range"], "and a note")
    assert edited.words() == words


def test_words_that_come_with_the_new_edition(edited):
    """A highlight that could not be placed in the file it was made in is looked for in the one that follows."""
    words = "A sentence that was not there before."
    nowhere = ["/body/DocFragment[99]/body/p/text().0"] * 2
    caller = edited.caller("koreader", edited.former)
    exchange(edited.house, caller, [Said("early", "highlight", nowhere, {"text": words, "note": "mine"})])
    (row,) = edited.rows().values()
    assert (row.place_status, row.start_k) == (Status.FAILED, None)
    edited.edit(lambda body: body + f"<p>{words}</p>" if body == CHAPTERS["two.xhtml"] else body)
    assert rebase_annotations(edited.house) == 1
    assert edited.words() == [words.replace(" ", "")]
    assert edited.rebuilt() == []
