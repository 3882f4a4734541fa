"""A book is edited in the library while devices hold the old file: everybody stays at the same word.

Against a real server process: a Kobo and a KOReader with the file as it was, a KOReader with the file as it is now,
and the web reader's API, which serves the present file. The devices resolve what they are told by code of their own.
"""

import shutil
import zipfile
from pathlib import Path

import pytest

from appliance.positions import OpenBook
from tests.end_to_end.test_main_job import ink, same_start
from tests.server import BOOKS, eventually, running_server
from tests.simulators.kobo import Kobo
from tests.simulators.kosync import KOReader
from tests.webreader.open_reader import books, query

OZ = BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub"
NEW = "<p>This paragraph was put in by somebody who edited the book.</p>"

pytestmark = pytest.mark.slow


def edited(path: Path, target: Path) -> Path:
    """As an editor of EPUBs would: every chapter has a new paragraph at its start, and plain punctuation."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith(".xhtml") and "chapter" in name:
                text = data.decode().replace("“", '"').replace("”", '"').replace("’", "'")
                data = text.replace("<p>", f"{NEW}<p>", 1).encode()
            copy.writestr(name, data)
    return target


class Browser:
    """The web reader's API, with the CFI read in the present file by an index of its own."""

    def __init__(self, session, book_id: str, present: Path) -> None:
        self.session, self.book_id = session, book_id
        self.book = OpenBook.open(present, "present")

    def progress(self) -> dict:
        return self.session.get(f"/api/books/{self.book_id}/progress").json()

    def words(self) -> str:
        place = self.book.decode_cfi(self.progress()["cfi"])
        assert place.position is not None
        return plain(self.book.quote(place.position, 0, 60).suffix)


def plain(text: str) -> str:
    return ink(text).replace("“", '"').replace("”", '"').replace("’", "'")


@pytest.fixture
def server():
    with running_server(books=[OZ]) as server:
        server.add_user("Ida")
        yield server


def kept(server) -> int:
    folder = server.data / "texts"
    return len(list(folder.glob("*.epub"))) if folder.is_dir() else 0


def koreader_of(server, login, device: str) -> KOReader:
    reader = KOReader(
        login["server"],
        login["username"],
        login["password"],
        device_id=device * 32,
        forward="silent",
        backward="silent",
    )
    reader.login()
    return reader


def test_everybody_stays_at_the_same_word(server, tmp_path):
    login = server.add_device("Ida", "kosync")
    [(book_id, title)] = query(server, "SELECT id, title FROM book")
    assert books(server)[OZ.name] == book_id
    former = koreader_of(server, login, "A")
    former.open(OZ)
    former.read_words(9000)
    former.close()
    expected = ink(former.text(40))
    with Kobo(server.add_device("Ida", "kobo")["api_endpoint"], tmp_path / "kobo") as kobo:
        kobo.sync()
        kobo.download(title)
        kobo.sync()
        kobo.open(title)
        kobo.close()
        eventually(lambda: kept(server) == 2)  # the EPUB and its KEPUB

        present = edited(OZ, tmp_path / "edited.epub")
        (server.books / OZ.name).write_bytes(present.read_bytes())
        server.scan()
        assert query(server, "SELECT count(*) FROM book") == [(1,)]
        assert query(server, "SELECT count(*) FROM rendition WHERE kind = 'epub'") == [(2,)]
        server.restart()

        with server.browser("Ida") as session:
            # What was read in the old file is shown in the new one.
            browser = Browser(session, book_id, present)
            assert same_start(browser.words(), plain(expected))

            # A Kobo reads on in the KEPUB of the old file, and leads the web reader and a KOReader with the new one.
            kobo.open(title)
            kobo.turn_pages(3)
            top = kobo.reader.top
            kobo.close()
            assert top is not None
            expected = plain(_from(kobo, title, top))
            assert same_start(browser.words(), expected)
            latter = koreader_of(server, server.add_device("Ida", "kosync"), "B")
            latter.open(present)
            assert not latter.messages, latter.messages
            assert same_start(plain(latter.text(40)), expected), latter.log

            # Reading on in the new file leads the old one, which goes on holding what it holds, and the other way.
            latter.read_words(1500)
            latter.close()
            expected = plain(latter.text(40))
            assert same_start(browser.words(), expected)
            former.wait(3600)
            former.open(OZ)
            assert not former.messages, former.messages
            assert same_start(plain(former.text(40)), expected), former.log[-3:]
            former.read_words(700)
            former.close()
            assert same_start(browser.words(), plain(former.text(40)))
            assert browser.progress()["status"] in ("exact", "recovered")

        # The very last copy of the old file is gone; a restored backup knows its text all the same.
        server.cli("backup")
        server.stop()
        shutil.rmtree(server.data / "texts")
        [backup] = (server.data / "backups").glob("*.sqlite3")
        assert server.cli("restore", str(backup)).returncode == 0
        assert kept(server) >= 2
        server.start()
        with server.browser("Ida") as session:
            browser.session = session
            assert same_start(browser.words(), plain(former.text(40)))
        former.wait(3600)
        former.read_words(100)
        former.close()
    assert "Traceback" not in server.log


def _from(kobo: Kobo, title: str, span) -> str:
    file = kobo.file(title)
    document = next(document for document in file.documents if document.source == span.source)
    return ink("".join(document.words[span.word : span.word + 60]))
