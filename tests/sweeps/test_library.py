"""Scan, preparation and late placing on a real book, as the appliance runs them one after the other."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from appliance.accounts.devices import add_device
from appliance.house import House, open_house
from appliance.library.digests import digests
from appliance.library.scan import ScanResult
from appliance.models import Book, JournalEntry, Progress, Rendition, User
from appliance.positions import Place
from appliance.reading.progress.locate import NOWHERE
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Report
from appliance.settings import load
from appliance.sweeps import library_scan, placing
from appliance.sweeps.preparation import Preparation, PreparationFailed
from tests.conftest import ROOT

OZ = ROOT / "tests" / "data" / "books" / "l-frank-baum_the-marvelous-land-of-oz.epub"
MINIMAL = ROOT / "tests" / "data" / "books" / "minimal-v2.epub"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PLACE = "/body/DocFragment[8]/body/section/p[20]/text().0"


def never() -> bool:
    return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With an empty book folder and a person with a KOSync login."""
    (tmp_path / "books").mkdir()
    house = open_house(load({"data": tmp_path / "data", "books": [tmp_path / "books"]}, {}))
    house = replace(house, now=lambda: NOW)
    with house.database.write() as session:
        person = User(name="Ann", name_key="ann", password_hash="-", created_at=NOW)
        session.add(person)
        session.flush()
        add_device(house, session, person, "kosync", "Reader")
    yield house
    house.shelf.close()
    house.database.close()


def put(house: House, book: Path) -> Path:
    return Path(shutil.copy(book, house.settings.books[0]))


def push(house: House, book: Path, locator: str, at: datetime, percent: float = 0.2) -> None:
    """What the KOSync surface does with a document that is not in the library."""
    with book.open("rb") as stream:
        document = digests(stream).partial_md5
    with house.database.write() as session:
        record(session, Report(1, 1, at, "xpointer", locator, NOWHERE, None, asked_for=document, percent=percent))


def journal(session: Session) -> list[JournalEntry]:
    return list(session.exec(select(JournalEntry).order_by(JournalEntry.id)).all())


def only_book(session: Session) -> str:
    return session.exec(select(Book.id)).one()


def test_a_scan_says_what_it_found(house: House) -> None:
    put(house, MINIMAL)
    assert library_scan.run(house, never) == "0 files as before, 1 new."
    assert library_scan.run(house, never) == "1 file as before."


def test_the_sentence_of_a_scan() -> None:
    result = ScanResult(added=2, missing=1, unchanged=1024, problems=["A.", "B.", "C.", "D."])
    assert library_scan.sentence(result) == "1,024 files as before, 2 new, 1 missing. A. B. C."


def test_a_scan_stops_when_asked(house: House) -> None:
    put(house, MINIMAL)
    put(house, OZ)
    assert library_scan.run(house, lambda: True).startswith("Stopped")
    assert "as before" in library_scan.run(house, never)


def test_covers_are_made_at_once_and_kepubs_when_there_is_a_kobo(house: House) -> None:
    put(house, OZ)
    library_scan.run(house, never)
    preparation = Preparation()
    assert preparation.run(house, never) == "1 cover made."
    assert preparation.run(house, never) == "Everything is prepared."
    with house.database.write() as session:
        add_device(house, session, session.get_one(User, 1), "kobo", None)
    assert preparation.run(house, never) == "1 KEPUB made."
    assert preparation.run(house, never) == "Everything is prepared."
    assert Preparation().run(house, never) == "Everything is prepared."
    with house.database.read() as session:
        assert sorted(session.exec(select(Rendition.kind)).all()) == ["epub", "kepub"]


def test_a_settled_library_needs_no_process(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    put(house, MINIMAL)
    library_scan.run(house, never)
    preparation = Preparation()
    preparation.run(replace(house, now=lambda: NOW + timedelta(hours=1)), never)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", lambda *_args, **_options: pytest.fail("a process"))
        assert preparation.run(house, never) == "Everything is prepared."
    put(house, OZ)
    library_scan.run(replace(house, now=lambda: NOW + timedelta(hours=2)), never)
    assert preparation.run(house, never) == "1 cover made."


def test_a_stop_ends_the_process_and_the_rest_is_made_later(house: House) -> None:
    put(house, MINIMAL)
    library_scan.run(house, never)
    preparation = Preparation()
    assert preparation.run(house, lambda: True) in ("Everything is prepared.", "1 cover made.")
    preparation.run(house, never)
    assert len(list(house.settings.covers.rglob("*.jpg"))) == 1


def test_a_process_that_dies_is_a_failure(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    put(house, MINIMAL)
    library_scan.run(house, never)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(PreparationFailed):
        Preparation().run(house, never)


def test_a_report_waits_for_its_file_and_is_then_the_current_position(house: House) -> None:
    push(house, OZ, PLACE, NOW - timedelta(days=2))
    assert placing.run(house, never) == "Nothing waits for a file that is there now."
    put(house, OZ)
    library_scan.run(house, never)
    assert placing.run(house, never) == "1 report was placed now that the file is there."
    with house.database.read() as session:
        waited, placed = journal(session)
        assert (waited.book_id, waited.outcome, waited.reason) == (None, "history", "unknown-book")
        assert (placed.outcome, placed.place_status, placed.locator) == ("current", "exact", PLACE)
        assert placed.received_at == waited.received_at
        progress = session.get(Progress, (1, only_book(session)))
        assert progress is not None
        assert progress.entry_id == placed.id
        assert progress.activity_at == NOW - timedelta(days=2)
        assert progress.updated_at == NOW
    assert placing.run(house, never) == "Nothing waits for a file that is there now."


def test_what_waited_does_not_push_newer_reading_aside(house: House) -> None:
    push(house, OZ, PLACE, NOW - timedelta(days=2))
    put(house, OZ)
    library_scan.run(house, never)
    with house.database.write() as session:
        book = session.exec(select(Book)).one()
        place = house_place(house, session, book, PLACE.replace("[8]", "[12]"))
        record(
            session,
            Report(
                1, 1, NOW - timedelta(days=1), "xpointer", "newer", place, book.id, book.main_sha256, book.main_sha256
            ),
        )
    placing.run(house, never)
    with house.database.read() as session:
        assert [(entry.outcome, entry.reason) for entry in journal(session)] == [
            ("history", "unknown-book"),
            ("current", "first-report"),
            ("history", "older-activity"),
        ]
        progress = session.get(Progress, (1, only_book(session)))
        assert progress is not None and progress.version == 1


def test_many_reports_are_placed_in_the_order_they_came(house: House) -> None:
    for step in range(250):
        push(house, OZ, PLACE.replace("p[20]", f"p[{1 + step % 30}]"), NOW - timedelta(days=2, minutes=-step))
    put(house, OZ)
    library_scan.run(house, never)
    assert placing.run(house, never) == "250 reports were placed now that the file is there."
    with house.database.read() as session:
        entries = journal(session)
        assert len(entries) == 500
        assert [entry.locator for entry in entries[250:]] == [entry.locator for entry in entries[:250]]
        progress = session.get(Progress, (1, only_book(session)))
        assert progress is not None and progress.activity_at == NOW - timedelta(days=2, minutes=-249)


def test_a_report_about_a_file_that_was_away_is_placed_when_it_is_back(house: House) -> None:
    path = put(house, OZ)
    library_scan.run(house, never)
    with house.database.write() as session:
        book = session.exec(select(Book)).one()
        for locator in ("gone.0", PLACE):
            report = Report(
                1, 1, NOW, "xpointer", locator, NOWHERE, book.id, book.main_sha256, asked_for="d", percent=0.2
            )
            assert record(session, report).kind == "rejected"
    away = path.rename(path.with_suffix(".away"))
    library_scan.run(house, never)
    assert placing.run(house, never) == "Nothing waits for a file that is there now."
    away.rename(path)
    library_scan.run(house, never)
    assert placing.run(house, never) == "1 report was placed now that the file is there."
    with house.database.read() as session:
        assert journal(session)[-1].outcome == "current"
        assert journal(session)[-1].locator == PLACE


def house_place(house: House, session: Session, book: Book, locator: str) -> Place:
    from appliance.reading.progress.locate import locate

    assert book.main_sha256 is not None
    located = locate(house, session, book.id, book.main_sha256, "xpointer", locator)
    assert located.place.position is not None
    return located.place
