"""A file that is replaced by the very one of the library, or turns out to be another book than it was taken for: what
was marked and read in it goes along."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from tests.koplugin.browser_hand import BrowserHand
from tests.koplugin.conftest import ALICE, OTHER
from tests.koplugin.plugin_reader import PluginReader, in_book, notes
from tests.server import Server
from tests.simulators.kosync import partial_md5
from tests.webreader.open_reader import books

pytestmark = pytest.mark.slow

# A person says on the reader which book a file is.
LINK = """
local answered, problem
plugin().server:ask({ path = "link", body = { file = T.args[2], book = T.args[3] }, on_done = function(answer, err)
    answered, problem = answer or false, err
end })
T.waitfor(function() return answered ~= nil end, 60, "an answer")
assert(answered, problem and problem.message)
T.open(T.args[1]) T.wait(3)
"""


MARK = """
T.highlight({ text = "Curiouser and curiouser", note = "odd" })
T.gotopage(20) T.turn(2)
"""


@pytest.fixture
def reader(server: Server, ida: str, tmp_path: Path) -> PluginReader:
    """With a copy of the book that has other bytes, as another program would write it."""
    copy = tmp_path / ALICE.name
    with ZipFile(ALICE) as theirs, ZipFile(copy, "w", ZIP_STORED) as ours:
        for one in theirs.infolist():
            ours.writestr(one.filename, theirs.read(one))
        ours.writestr("by.txt", tmp_path.name)
    reader = PluginReader(tmp_path / "reader")
    reader.book = reader.put(copy)
    reader.pair(server, ida)
    return reader


@pytest.fixture
def browsers(server: Server, ida: str) -> Iterator[list[BrowserHand]]:
    """In the one book and in the other."""
    with ExitStack() as stack:
        client = stack.enter_context(server.browser(ida))
        client.headers["accept"] = "application/json"
        yield [BrowserHand(client, server, book) for book in (ALICE, OTHER)]


def linked(reader: PluginReader, server: Server, book: Path, lua: str = ""):
    """Say that the file is a book, open it, do something, sync, and tell what is in it."""
    done = "sync() T.result(items()) T.close() T.wait(5)"
    return reader.do(f"{LINK} {lua} {done}", reader.book, partial_md5(reader.book), books(server)[book.name])[-1]


@pytest.mark.parametrize("way", ["replaced by it", "taken into the library"])
def test_a_copy_that_becomes_the_very_book(
    reader: PluginReader, server: Server, browsers: list[BrowserHand], way: str
) -> None:
    browser = browsers[0]
    in_book(reader, MARK)
    (mark,), place = browser.marks(), browser.place()
    (places,) = reader.do('T.open(T.args[1]) T.result({T.find({ from = "Down, down", to = "an end" })})', reader.book)
    browser.mark(*places, "Down, down, down. Would the fall never come to an end", note="from the browser")
    assert len(in_book(reader)) == 1, "nobody knows where it would be in a copy"
    if way == "replaced by it":
        reader.put(ALICE)
    else:
        shutil.copy(reader.book, server.books / "copy.epub")
        server.scan()
    assert sorted(notes(in_book(reader)).values()) == ["from the browser", "odd"]
    now = browser.marks()
    assert sorted(notes(now).values()) == ["from the browser", "odd"]
    assert mark["id"] in {one["id"] for one in now}
    assert browser.place()["cfi"] == place["cfi"]


def test_a_file_that_was_taken_for_another_book(
    reader: PluginReader, server: Server, browsers: list[BrowserHand]
) -> None:
    right, wrong = browsers
    said = {"Curiouser and curiouser": "odd"}
    linked(reader, server, OTHER, MARK)
    assert notes(wrong.marks()) == said and right.marks() == []
    assert notes(linked(reader, server, ALICE)) == said
    assert notes(right.marks()) == said and wrong.marks() == []
    assert right.place()["fraction"] > 0
