"""What was marked while the file of a book was away has its place as soon as the file is back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from appliance.house import House
from appliance.library.scan import scan
from appliance.models import Annotation, Book, Device, DeviceAnnotation, JournalEntry, User
from appliance.positions import Position, Range
from appliance.positions.dialects import write
from appliance.reading.annotations.placing import place_annotations
from appliance.reading.annotations.record import exchange, offer
from appliance.reading.annotations.report import Caller, Said
from appliance.reading.rebuild import Rebuilt, rebuild_person
from tests.library.conftest import house_in
from tests.library.making import PROSE, epub, put


class Home:
    def __init__(self, house: House) -> None:
        self.house = house
        self.path = put(house.settings.books[0] / "book.epub", epub(chapters={"one.xhtml": f"<p>{PROSE}</p>"}))
        scan(house)
        with house.database.write() as session:
            now = house.now()
            self.book = session.exec(select(Book)).one()
            session.add(User(id=1, name="Ann", name_key="ann", password_hash="-", created_at=now))
            session.flush()
            for number in (1, 2, 3):
                session.add(Device(id=number, user_id=1, kind="koreader", name=f"Reader {number}", created_at=now))
            session.expunge(self.book)

    def caller(self, device: int = 1, **options) -> Caller:
        sha256 = str(self.book.main_sha256)
        return Caller(1, device, self.book.id, "koreader", "xpointer", sha256, self.house.now(), **options)

    def range(self, tick: int, length: int = 20, dialect="xpointer"):
        from appliance.library.renditions import open_rendition

        with self.house.database.read() as session:
            book = open_rendition(self.house, session, str(self.book.main_sha256))
        assert book is not None
        start, end = book.at_tick(tick).position, book.at_tick(tick + length).position
        assert start is not None and end is not None
        return write(book, dialect, Range(start, Position(end.document, 0, end.k, "before"))).value

    def says(self, name: str, where, device: int = 1, **options):
        said = Said(name, "highlight", where, {"text": "", "note": "mine"}, **options)
        return exchange(self.house, self.caller(device), [said])[0]

    @contextmanager
    def away(self) -> Iterator[None]:
        """Its disk is not mounted."""
        self.house.shelf.close()
        hidden = self.path.rename(self.path.with_suffix(".hidden"))
        scan(self.house)
        yield
        assert place_annotations(self.house) == 0
        hidden.rename(self.path)
        scan(self.house)

    def row(self) -> Annotation:
        with self.house.database.read() as session:
            return session.exec(select(Annotation)).one()

    def living(self) -> list[Annotation]:
        with self.house.database.read() as session:
            return [row for row in session.exec(select(Annotation)).all() if row.deleted_at is None]

    def entries(self) -> list[JournalEntry]:
        with self.house.database.read() as session:
            return list(session.exec(select(JournalEntry).order_by(JournalEntry.id)).all())  # type: ignore[arg-type]

    def check(self) -> None:
        """Nothing is left to do, and the journal tells it all."""
        before = len(self.entries())
        assert place_annotations(self.house) == 0
        assert len(self.entries()) == before
        result = Rebuilt()
        with self.house.database.write() as session:
            rebuild_person(session, 1, result)
        assert result.differences == []


@pytest.fixture
def home(tmp_path) -> Iterator[Home]:
    with house_in(tmp_path) as house:
        yield Home(house)


def test_a_highlight_waits_for_its_file(home):
    where = home.range(100)
    with home.away():
        assert home.says("a", where).outcome == "current"
        assert (home.row().start_k, home.row().place_reason) == (None, "unreadable")
        assert offer(home.house, home.caller(2)) == []
    made = home.row()
    assert place_annotations(home.house) == 1
    row = home.row()
    assert (row.first, row.last, row.place_status) == (100, 120, "exact")
    assert row.quote["exact"] and row.note == "mine"
    assert row.version > made.version and row.versions == made.versions, "devices hear of it, as of no change"
    assert [one.range for one in offer(home.house, home.caller(2))] == [where]
    assert offer(home.house, home.caller(1)) == [], "who made it has it"
    assert home.says("a", where).outcome == "echo"
    late = home.entries()[-1]
    assert (late.outcome, late.reason, late.subject) == ("current", "placed", row.id)
    home.check()


def test_other_words_that_it_was_given_meanwhile(home):
    home.says("a", home.range(100))
    longer = home.range(100, 40)
    with home.away():
        assert home.says("a", longer).outcome == "history"
        assert home.row().last == 120
    assert place_annotations(home.house) == 1
    row = home.row()
    assert (row.first, row.last) == (100, 140)
    with home.house.database.read() as session:
        link = session.get(DeviceAnnotation, (1, row.id))
    assert link is not None and link.held_versions["range"] == row.versions["range"]
    assert offer(home.house, home.caller(1)) == []
    home.check()


def test_later_words_of_another_reader_stay(home):
    home.says("a", home.range(100))
    (given,) = offer(home.house, home.caller(2))
    longer, longest = home.range(100, 40), home.range(100, 60)
    with home.away():
        home.says("a", longer)
    home.house.now.moment += timedelta(hours=1)
    exchange(home.house, home.caller(2), [Said(given.native_id, "highlight", longest, dict(given.fields))])
    assert home.row().last == 160
    assert place_annotations(home.house) == 0
    assert home.row().last == 160
    home.check()


def test_what_was_made_elsewhere_meanwhile_is_the_same(home):
    """By the same rule as two equal highlights that are placed when they come: one, with both notes."""
    where = home.range(100)
    with home.away():
        home.says("a", where)
    exchange(home.house, home.caller(2), [Said("b", "highlight", where, {"text": "", "note": "theirs"})])
    assert len(home.living()) == 2
    assert place_annotations(home.house) == 1
    [row] = home.living()
    assert (row.first, row.last, row.note, row.other_notes) == (100, 120, "theirs", ["mine"])
    assert home.entries()[-1].reason == "joined"
    [change] = offer(home.house, home.caller(1))
    assert (change.due, change.native_id, change.fields["note"]) == ("change", "a", "theirs")
    assert home.says("a", where).annotation_id == row.id
    home.check()


def test_of_the_browser_too(home):
    where, cfi, name = home.range(100), home.range(100, dialect="cfi"), "00000000-0000-4000-8000-000000000001"
    with home.away():
        caller = replace(home.caller(3), surface="web", dialect="cfi", is_person=True)
        exchange(home.house, caller, [Said(name, "highlight", cfi, {"text": "", "note": "mine", "style": "underline"})])
    home.says("a", where, device=2)
    assert place_annotations(home.house) == 1
    [row] = home.living()
    assert row.id != name and row.note == "mine"
    home.check()


def test_two_that_one_device_has_stay_two(home):
    where = home.range(100)
    with home.away():
        home.says("a", where)
    home.says("b", where)
    assert place_annotations(home.house) == 1
    assert len(home.living()) == 2
    home.check()


def test_what_others_have_to_do_with_stays(home):
    """A person changed it in the browser before it had a place."""
    where = home.range(100)
    with home.away():
        home.says("a", where)
        caller = replace(home.caller(3), surface="web", dialect="cfi", is_person=True)
        exchange(home.house, caller, [Said(home.row().id, "highlight", None, {"note": "better"}, base_version=9)])
    home.says("b", where, device=2)
    assert place_annotations(home.house) == 1
    assert {row.note for row in home.living()} == {"better", "mine"}
    home.check()


def test_what_is_not_in_the_file_is_said_once(home):
    with home.away():
        home.says("a", ["/body/DocFragment[9]/body/p/text().0"] * 2)
    assert place_annotations(home.house) == 0
    assert (home.row().place_status, home.row().place_reason) == ("failed", "no-document")
    assert (home.entries()[-1].outcome, home.entries()[-1].reason) == ("current", "not-found")
    home.check()
