"""What a Kobo held before goes into the record (kobo-protocol.md 10)."""

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from appliance.library.kepub_rendition import prepare
from appliance.library.renditions import path_of
from appliance.models import Annotation, Book, BookState, Device, KoboEntitlement, Progress, ReadingSession
from kobo_api.annotations.wire import read_item
from kobo_api.plugged_in.content_id import document_path, file_path
from kobo_api.plugged_in.device_database import _MARK, _VOLUME, _mark, _volume, open_copy
from kobo_api.plugged_in.errors import PluggedInError
from kobo_api.plugged_in.importing import Found, Taken, find_all, take
from kobo_api.plugged_in.matching import By, Match, Unknown
from tests.kobo_api.conftest import Home, open_home
from tests.kobo_api.plugged_in.device_files import Drive, long_spans
from tests.simulators.kobo import Kepub

OZ = "l-frank-baum_the-marvelous-land-of-oz.epub"
SIDELOADED = "file:///mnt/onboard/Baum/Oz.kepub.epub"


class Import:
    """A person's Kobo in a house with one book, and its drive."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.kobo = home, home.kobo(home.person(folder.name))
        self.drive = Drive(folder / "drive")
        with home.database.read() as session:
            self.book = session.exec(select(Book)).one()
        self.rendition = prepare(home.house, self.book.id)
        with home.database.read() as session:
            path = path_of(home.house, session, self.rendition.sha256)
        assert path is not None
        self.path = path
        self.spans = long_spans(Kepub(path))

    def find(self) -> list[Found]:
        with self.home.database.read() as session:
            device = session.get_one(Device, self.kobo.device_id)
        with open_copy(self.drive.database) as database:
            return list(find_all(self.home.house, device, self.drive.folder, database, lambda done, total: None))

    def take(self) -> Taken:
        taken = Taken()
        with self.home.database.read() as session:
            device = session.get_one(Device, self.kobo.device_id)
        for found in self.find():
            if isinstance(found.match, Match):
                take(self.home.house, device, found, taken)
        return taken

    def annotations(self) -> list[Annotation]:
        with self.home.database.read() as session:
            query = select(Annotation).where(Annotation.user_id == self.kobo.user_id)
            return list(session.exec(query.order_by(Annotation.first)))  # type: ignore[arg-type]

    def read(self) -> tuple[Progress, BookState, list[ReadingSession]]:
        user_id = self.kobo.user_id
        with self.home.database.read() as session:
            return (
                session.get_one(Progress, (user_id, self.book.id)),
                session.get_one(BookState, (user_id, self.book.id)),
                list(session.exec(select(ReadingSession).where(ReadingSession.user_id == user_id))),
            )

    def copy_file(self, to: str) -> Path:
        path = self.drive.folder / to
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.path, path)
        return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with open_home(tmp_path_factory.mktemp("home")) as home:
        home.import_books(OZ)
        yield home


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Import:
    return Import(home, tmp_path)


def fill(one: Import, id: str) -> None:
    """Two marks, a bookmark, ink, a deleted mark, a place, and five hours."""
    one.drive.add_book(id, one.book.title, "L. Frank Baum", TimeSpentReading=5 * 3600)
    one.drive.read(id, one.spans[40], 53)
    one.drive.mark(id, one.spans[0])
    one.drive.mark(id, one.spans[5], "a note", Color=9)
    one.drive.mark(id, one.spans[9], kind="dogear")
    one.drive.mark(id, one.spans[11], kind="markup", Text="", ExtraAnnotationData=b"x")
    one.drive.mark(id, one.spans[12], Hidden="true")


def check_taken(one: Import) -> None:
    marks = one.annotations()
    assert [(mark.kind, mark.note) for mark in marks] == [("highlight", ""), ("highlight", "a note"), ("bookmark", "")]
    assert [mark.text for mark in marks[:2]] == [one.spans[0].text, one.spans[5].text]
    assert [mark.colour for mark in marks[:2]] == ["kobo:#B2E1E8", "kobo:#F6F3B3"]
    assert {mark.place_status for mark in marks[:2]} == {"exact"} and marks[2].first is not None
    assert marks[0].created_at.isoformat() == "2026-02-03T19:00:00+00:00"
    progress, state, sessions = one.read()
    assert progress.activity_at.isoformat() == "2026-02-20T21:10:05+00:00" and 0.5 < (progress.fraction or 0) < 1
    assert state.status == "reading" and sum(read.seconds for read in sessions) == 5 * 3600


def synced(one: Import) -> str:
    one.kobo.sync()
    with one.home.database.read() as session:
        id = session.exec(select(KoboEntitlement.id).where(KoboEntitlement.user_id == one.kobo.user_id)).one()
    one.kobo.take(id)
    return id


def known_file(one: Import) -> str:
    one.copy_file("Baum/Oz.kepub.epub")
    return SIDELOADED


def copied(one: Import, level: int = 1) -> str:
    """The same book, packed by another program."""
    path = one.copy_file("Baum/Oz.kepub.epub")
    packed = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level)
    with zipfile.ZipFile(one.path) as source, packed as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return SIDELOADED


def from_elsewhere(one: Import) -> str:
    """Synced from another server, under an id of that server's."""
    copied(one, 9)
    id = "0f4c8b67-2b1e-4c83-9a4e-6cf1d6a90e03"
    shutil.move(one.drive.folder / "Baum/Oz.kepub.epub", one.drive.folder / ".kobo" / "kepub" / id)
    return id


@pytest.mark.parametrize(
    ("arrange", "by"), [(synced, By.SYNC), (known_file, By.FILE), (copied, By.COPY), (from_elsewhere, By.COPY)]
)
def test_everything_comes_over_once(one: Import, arrange: Callable[[Import], str], by: By) -> None:
    fill(one, arrange(one))
    before = one.drive.bytes_of_all()
    (found,) = one.find()
    assert isinstance(found.match, Match) and found.match.by is by
    assert (len(found.marks), found.ink, found.deleted) == (3, 1, 1)
    assert not one.annotations(), "looking changes nothing"
    taken = one.take()
    assert (taken.books, taken.marks, taken.news, taken.unplaced) == (1, 3, 3, 0)
    assert (taken.places, taken.statuses, taken.seconds) == (1, 0, 5 * 3600), "the place makes it being read"
    check_taken(one)
    again = one.take()
    assert asdict(again) | {"counted": 0} == asdict(Taken(books=1, marks=3)) | {"counted": 0}
    check_taken(one)
    assert one.drive.bytes_of_all() == before, "the drive is only read"


def test_a_book_without_its_file_is_found_by_its_name(one: Import) -> None:
    """Marks by their words, the place by its percentage."""
    fill(one, SIDELOADED)
    (found,) = one.find()
    assert isinstance(found.match, Match) and found.match.by is By.TITLE
    taken = one.take()
    assert (taken.news, taken.unplaced, taken.places) == (3, 0, 1)
    assert [mark.text for mark in one.annotations()[:2]] == [one.spans[0].text, one.spans[5].text]
    assert 0.5 < (one.read()[0].fraction or 0) < 0.56


def test_the_kobo_itself_gets_what_its_other_copy_held(one: Import) -> None:
    """It has marks and place in a copy of its own; the one that Bookwake gives it is another."""
    known_file(one)
    fill(one, SIDELOADED)
    id = synced(one)
    one.take()
    state = one.kobo.json("GET", f"/v1/library/{id}/state")[0]
    assert state["CurrentBookmark"]["Location"]["Source"] == one.spans[40].source
    with one.home.database.read() as session:
        before = session.exec(select(Device).where(Device.parent_id == one.kobo.device_id)).one()
    assert before.token_hash is None and before.name.endswith("before Bookwake")


def test_what_is_read_since_is_newer(one: Import) -> None:
    known_file(one)
    one.drive.add_book(SIDELOADED, one.book.title)
    one.drive.read(SIDELOADED, one.spans[0], 50, DateLastRead="2026-02-20T21:10:05Z")
    one.take()
    one.drive.read(SIDELOADED, one.spans[90], 60, DateLastRead="2023-02-20T21:10:05Z")
    assert one.take().places == 0
    one.drive.read(SIDELOADED, one.spans[90], 60, DateLastRead=None, ___SyncTime=None)
    assert one.take().places == 0, "nobody knows when"
    one.drive.read(SIDELOADED, one.spans[95], 61, DateLastRead="2026-02-21T21:10:05Z")
    assert one.take().places == 1


def test_years_ago_stays_years_ago(one: Import) -> None:
    known_file(one)
    one.drive.add_book(
        SIDELOADED, one.book.title, TimeSpentReading=7200, ReadStatus=2, DateLastRead="2019-05-01T10:00:00"
    )
    taken = one.take()
    assert (taken.places, taken.seconds) == (1, 7200)
    progress, state, (sitting,) = one.read()
    assert (progress.activity_at.year, state.status, sitting.started_at.year) == (2019, "finished", 2019)


def test_what_is_no_book_of_the_library_says_why(one: Import) -> None:
    one.drive.add_book("file:///mnt/onboard/a.pdf", "Manual", MimeType="application/pdf", ReadStatus=1)
    one.drive.add_book("file:///mnt/onboard/b.epub", "Another", "Nobody", ReadStatus=2)
    one.drive.add_book("file:///mnt/onboard/../../etc/passwd", "Secret", "Nobody", ReadStatus=2)
    one.drive.add_book("file:///mnt/onboard/c.epub", one.book.title, "Somebody Else", ReadStatus=2)
    one.drive.add_book("file:///mnt/onboard/d.epub", "Never opened")
    assert [found.match for found in one.find()] == [
        Unknown.NOT_HERE,
        Unknown.NOT_EPUB,
        Unknown.NOT_HERE,
        Unknown.NOT_HERE,
    ]


def test_the_newest_stands_in_the_log(one: Import) -> None:
    known_file(one)
    with closing(sqlite3.connect(one.drive.database, isolation_level=None)) as device:
        device.execute("PRAGMA journal_mode = WAL")
        device.execute("BEGIN")
        device.execute("SELECT * FROM content").fetchall()
        fill(one, SIDELOADED)
        assert one.drive.database.with_name("KoboReader.sqlite-wal").stat().st_size
        assert len(one.find()[0].marks) == 3


def test_an_old_database_has_fewer_columns(one: Import, tmp_path: Path) -> None:
    left_out = {"Type", "Color", "ContextString", "TimeSpentReading", "CurrentChapterProgress", "DateModified"}
    one.drive = Drive(tmp_path / "old", left_out)
    known_file(one)
    one.drive.add_book(SIDELOADED, one.book.title)
    one.drive.mark(SIDELOADED, one.spans[0])
    one.drive.mark(SIDELOADED, one.spans[1], "n")
    one.drive.mark(SIDELOADED, one.spans[2], kind="dogear")
    one.take()
    assert [(mark.kind, mark.note) for mark in one.annotations()] == [
        ("highlight", ""),
        ("highlight", "n"),
        ("bookmark", ""),
    ]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"not a database", b"SQLite format 3\0" + b"\xff" * 2000):
        path = tmp_path / "KoboReader.sqlite"
        path.write_bytes(content)
        with pytest.raises(PluggedInError, match="is not the database of a Kobo"), open_copy(path):
            pass
    with pytest.raises(PluggedInError, match="There is no"), open_copy(tmp_path / "none"):
        pass


@pytest.mark.parametrize(
    ("content_id", "path"),
    [
        ("v!OEBPS!text/ch07.xhtml", "OEBPS/text/ch07.xhtml"),
        ("v!!text/ch07.xhtml", "text/ch07.xhtml"),
        ("v!!OEBPS/text/ch07.xhtml#kobo.18.2", "OEBPS/text/ch07.xhtml"),
        ("v!OEBPS!book.xhtml#sec5-2", "OEBPS/book.xhtml"),
        ("v#(6)OEBPS/ch.xhtml", "OEBPS/ch.xhtml"),
        ("OEBPS/ch.xhtml#kobo.1.1", "OEBPS/ch.xhtml"),
        ("w!OEBPS!ch.xhtml", ""),
        ("", ""),
        ("v", ""),
    ],
)
def test_names_of_documents(content_id: str, path: str) -> None:
    assert document_path(content_id, "v") == path


@pytest.mark.parametrize(
    ("id", "path"),
    [
        ("file:///mnt/onboard/Baum/Oz #2.epub", "Baum/Oz #2.epub"),
        ("file:///mnt/onboard/Baum/O%20z.epub", "Baum/O z.epub"),
        ("file:///mnt/onboard/../x", None),
        ("file:///etc/passwd", None),
        ("0f4c8b67", None),
    ],
)
def test_where_files_lie(id: str, path: str | None) -> None:
    assert file_path(id) == path


ANY = st.none() | st.integers() | st.floats() | st.text(max_size=12) | st.binary(max_size=6)
ODD = st.sampled_from(
    ["file:///mnt/onboard/x.epub", "2026-02-20T21:10:05", "span#kobo\\.1\\.2", "OEBPS/a#kobo.1.2", "highlight"]
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    book=st.dictionaries(st.sampled_from(_VOLUME), ANY | ODD), mark=st.dictionaries(st.sampled_from(_MARK), ANY | ODD)
)
def test_any_row_can_be_read(book: dict[str, Any], mark: dict[str, Any]) -> None:
    """A database has whatever types a firmware, or a fault, has put into it."""
    volume = _volume({**dict.fromkeys(_VOLUME), **book})
    assert volume.seconds >= 0 and (volume.percent is None or 0 <= volume.percent <= 100)
    read = _mark({**dict.fromkeys(_MARK), "BookmarkID": "b", **mark}, volume.id)
    if read is not None:
        assert json.loads(read.wire)["id"]
        item = read_item(read.wire)
        assert item is None or item.kind in ("highlight", "bookmark", "markup")
