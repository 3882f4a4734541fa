"""Texts are kept soon after a device spoke of a file, and places are carried over when the file is replaced."""

import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from appliance.accounts.devices import add_device
from appliance.house import House, open_house
from appliance.library.renditions import open_rendition, path_of
from appliance.library.scan import scan
from appliance.models import Book, DeviceProgress, Progress, Rendition, User
from appliance.positions import Position, Status
from appliance.positions.kept_texts import KeptTexts
from appliance.reading.progress.locate import locate
from appliance.reading.progress.projection import project
from appliance.reading.progress.rebasing import rebase
from appliance.reading.progress.record import note_given, record
from appliance.reading.progress.report import Report
from appliance.settings import load
from appliance.sweeps.texts import Keeping, NotKept
from tests.conftest import ROOT

OZ = ROOT / "tests" / "data" / "books" / "l-frank-baum_the-marvelous-land-of-oz.epub"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PLACE = "/body/DocFragment[8]/body/section/p[20]/text().0"


def never() -> bool:
    return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With one book, and a person with a KOSync login."""
    (tmp_path / "books").mkdir()
    shutil.copy(OZ, tmp_path / "books" / "oz.epub")
    house = open_house(load({"data": tmp_path / "data", "books": [tmp_path / "books"]}, {}))
    house = replace(house, now=lambda: NOW)
    scan(house)
    with house.database.write() as session:
        person = User(name="Ann", name_key="ann", password_hash="-", created_at=NOW)
        session.add(person)
        session.flush()
        add_device(house, session, person, "kosync", "Reader")
    yield house
    house.shelf.close()
    house.database.close()


def book_of(house: House) -> tuple[str, str]:
    with house.database.read() as session:
        [book] = session.exec(select(Book)).all()
        assert book.main_sha256 is not None
        return book.id, book.main_sha256


def report(house: House, book_id: str, sha256: str, locator: str, at: datetime = NOW) -> str:
    with house.database.read() as session:
        located = locate(house, session, book_id, sha256, "xpointer", locator)
    with house.database.write() as session:
        return record(
            session,
            Report(
                user_id=1,
                device_id=1,
                received_at=at,
                dialect="xpointer",
                locator=locator,
                place=located.place,
                book_id=book_id,
                sha256=sha256,
                reference_sha256=located.reference_sha256,
            ),
        ).kind


def edit(path: Path) -> None:
    """A sentence more at the start of each chapter."""
    edited = path.with_suffix(".new")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(edited, "w") as copy:
        for name in source.namelist():
            copy.writestr(name, re.sub(rb"<p>", b"<p>A new sentence stands here. ", source.read(name), count=1))
    edited.replace(path)


def test_a_place_outlives_its_file(house: House) -> None:
    book_id, former = book_of(house)
    assert report(house, book_id, former, PLACE) == "current"
    assert house.texts.find(former) is None, "not while the device waits"
    keeping = Keeping()
    assert keeping.run(house, never) == "The text of 1 more file that devices refer to is kept now."
    assert keeping.run(house, never) == "The text of every file that devices refer to is kept."
    assert Keeping().run(house, never) == "The text of every file that devices refer to is kept."

    edit(house.settings.books[0] / "oz.epub")
    scan(house)
    again, present = book_of(house)
    assert again == book_id and present != former
    with house.database.read() as session:
        assert path_of(house, session, former) is None
        shown = project(house, session, 1, book_id, present, "cfi")
        old = project(house, session, 1, book_id, former, "xpointer")
        reference, copy = open_rendition(house, session, former), open_rendition(house, session, present)
    assert shown is not None and old is not None and reference is not None and copy is not None
    assert (shown.encoded.status, old.encoded.locator) == (Status.EXACT, PLACE)
    there = copy.decode_cfi(shown.encoded.locator).position
    here = reference.decode_xpointer(PLACE).position
    assert there is not None and here is not None
    assert copy.quote(there, 40, 40) == reference.quote(here, 40, 40)


def test_places_are_carried_over(house: House) -> None:
    book_id, former = book_of(house)
    report(house, book_id, former, PLACE)
    with house.database.read() as session:
        before = session.get_one(Progress, (1, book_id))
        note = (before.version, PLACE, before.tick, NOW)
    with house.database.write() as session:
        note_given(session, 1, book_id, *note)
    Keeping().run(house, never)
    assert rebase(house) == 0
    edit(house.settings.books[0] / "oz.epub")
    scan(house)
    _, present = book_of(house)
    assert rebase(house) == 1
    assert rebase(house) == 0
    with house.database.read() as session:
        after = session.get_one(Progress, (1, book_id))
        given = session.get_one(DeviceProgress, (1, book_id))
        copy = open_rendition(house, session, present)
        assert copy is not None and after.k is not None and after.document is not None
        place = copy.place(Position(after.document, after.occurrence, after.k))
    assert (after.reference_sha256, after.version) == (present, before.version)
    assert after.tick == given.given_tick == place.tick != before.tick
    assert after.total == copy.summary.total

    # The device that still holds the old file says the same again: that is no reading.
    assert report(house, book_id, former, PLACE, NOW + timedelta(hours=1)) == "echo"


def test_a_file_with_another_text_is_doubted(house: House) -> None:
    book_id, former = book_of(house)
    report(house, book_id, former, PLACE)
    Keeping().run(house, never)
    path = house.settings.books[0] / "oz.epub"
    edited = path.with_suffix(".new")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(edited, "w") as copy:
        for name in source.namelist():
            data = source.read(name)
            if re.search(r"chapter-1\d", name):
                data = re.sub(rb"(?s)<p>.*</p>", b"<p>This chapter was left out.</p>", data)
            copy.writestr(name, data)
    edited.replace(path)
    scan(house)
    again, present = book_of(house)
    assert (again, present == former) == (book_id, False)
    stuck: set[object] = set()
    assert rebase(house, stuck=stuck) == 1
    with house.database.read() as session:
        doubts = session.get_one(Rendition, present).doubts
    assert [doubt for doubt in doubts if "of its text is that of the file it replaced" in doubt]


def test_a_place_that_is_gone_stays_in_the_old_file(house: House) -> None:
    book_id, former = book_of(house)
    report(house, book_id, former, PLACE)
    Keeping().run(house, never)
    edit(house.settings.books[0] / "oz.epub")
    scan(house)
    shutil.rmtree(house.settings.texts)
    house.shelf.close()
    stuck: set[object] = set()
    assert rebase(house, stuck=stuck) == 0
    assert len(stuck) == 1
    _, present = book_of(house)
    with house.database.read() as session:
        progress = session.get_one(Progress, (1, book_id))
        shown = project(house, session, 1, book_id, present, "cfi")
    assert progress.reference_sha256 == former
    assert shown is not None and shown.encoded.status is Status.APPROXIMATE, "the summary knows where it was"
    assert shown.place.tick == pytest.approx(progress.tick, rel=0.05)


def test_what_was_said_before_an_edit_is_still_known_after_it(house: House) -> None:
    """A suspended KOReader pushes where it was, although another device has read on and the file was edited."""
    book_id, former = book_of(house)
    report(house, book_id, former, PLACE)
    with house.database.write() as session:
        add_device(house, session, session.get_one(User, 1), "kosync", "Other")
    later = PLACE.replace("p[20]", "p[30]")
    with house.database.read() as session:
        located = locate(house, session, book_id, former, "xpointer", later)
    with house.database.write() as session:
        other = Report(1, 2, NOW + timedelta(minutes=5), "xpointer", later, located.place, book_id, former, former)
        assert record(session, other).kind == "current"
    Keeping().run(house, never)
    edit(house.settings.books[0] / "oz.epub")
    scan(house)
    rebase(house)
    assert report(house, book_id, former, PLACE, NOW + timedelta(hours=1)) == "echo"


def test_a_request_wakes_the_sweep(house: House) -> None:
    book_id, former = book_of(house)
    woken: list[bool] = []
    house.texts.on_wanted = lambda: woken.append(True)
    with house.database.read() as session:
        locate(house, session, book_id, former, "xpointer", PLACE)
        locate(house, session, book_id, former, "xpointer", PLACE)
    assert woken == [True]
    Keeping().run(house, never)
    assert house.texts.find(former) is not None


def test_what_cannot_be_kept_is_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    book_id, former = book_of(house)
    report(house, book_id, former, PLACE)

    def full(*_: object) -> bool:
        raise OSError("no room")

    monkeypatch.setattr(KeptTexts, "keep", full)
    with pytest.raises(NotKept, match="1 file could not be kept"):
        Keeping().run(house, never)
