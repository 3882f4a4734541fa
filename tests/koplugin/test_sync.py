"""The plugin and the server, each in processes of its own, with the browser's API at the other end."""

import itertools
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.koplugin.browser_hand import BrowserHand
from tests.koplugin.conftest import ALICE
from tests.koplugin.plugin_reader import PluginReader, in_book, notes
from tests.server import Server
from tests.webreader.open_reader import query

pytestmark = pytest.mark.slow


@pytest.fixture
def reader(server: Server, ida: str, tmp_path: Path) -> PluginReader:
    return another(server, ida, tmp_path / "one")


def another(server: Server, person: str, folder: Path, *, indexed: bool = False) -> PluginReader:
    reader = PluginReader(folder)
    reader.book = reader.put(ALICE, indexed=indexed)
    reader.pair(server, person)
    return reader


@pytest.fixture
def browser(server: Server, ida: str) -> Iterator[BrowserHand]:
    with server.browser(ida) as client:
        client.headers["accept"] = "application/json"
        yield BrowserHand(client, server, ALICE)


def test_a_highlight_goes_up_with_all_it_has_and_follows_what_becomes_of_it(reader, browser) -> None:
    in_book(reader, 'T.highlight({ text = "a little door about fifteen inches", color = "red", note = "small" })')
    (mark,) = browser.marks()
    assert mark["text"] == "a little door about fifteen inches"
    assert mark["note"] == "small"
    assert mark["status"] == "exact"
    in_book(reader, 'T.setnote(1, "very small")')  # no event
    (mark,) = browser.marks()
    assert mark["note"] == "very small" and "other_notes" not in mark
    in_book(reader, 'T.setcolor(1, "blue") T.setdrawer(1, "underscore")')
    (changed,) = browser.marks()
    assert changed["id"] == mark["id"]
    assert changed["style"] == "underline" and changed["colour"] != mark["colour"]
    in_book(reader, "T.delete(1)")
    assert browser.marks() == []


def test_what_is_made_in_the_browser_comes_and_goes(reader, browser) -> None:
    (places,) = reader.do(
        'T.open(T.args[1]) T.result({T.find({ from = "Down, down, down.", to = "come to an end" })})', reader.book
    )
    text = "Down, down, down. Would the fall never come to an end"
    name = browser.mark(*places, text, note="from the browser", colour="#00aa66")
    (item,) = in_book(reader)
    assert item["text"] == text
    assert (item["note"], item["color"], item["drawer"]) == ("from the browser", "green", "lighten")
    assert [item["pos0"], item["pos1"]] == places
    browser.change(name, note="edited there", style="underline")
    (item,) = in_book(reader)
    assert (item["note"], item["drawer"]) == ("edited there", "underscore")
    assert in_book(reader) == [item]
    (mark,) = browser.marks()
    assert (mark["note"], mark["colour"]) == ("edited there", "#00aa66")  # nothing came back as an edit
    browser.delete(name)
    assert in_book(reader) == {}
    assert in_book(reader) == {}
    assert browser.marks() == []


def test_notes_edited_on_both_sides_both_survive(reader, browser) -> None:
    in_book(reader, 'T.highlight({ text = "Curiouser and curiouser", note = "odd" })')
    (mark,) = browser.marks()
    reader.do(
        'T.offline() T.open(T.args[1]) T.wait(3) T.setnote(1, "odder on the reader") T.close() T.wait(5)', reader.book
    )
    browser.change(mark["id"], note="odder in the browser", base_version=mark["version"])
    (item,) = in_book(reader)
    (mark,) = browser.marks()
    said = {mark["note"], *mark.get("other_notes", [])}
    assert "odder on the reader" in "".join(said) and "odder in the browser" in "".join(said)
    assert item["note"] == mark["note"]
    assert in_book(reader) == [item]
    assert browser.marks() == [mark]


def test_a_bookmark_goes_up_and_its_removal_too(reader, browser) -> None:
    in_book(reader, "T.gotopage(5) T.bookmark()")
    (mark,) = browser.marks()
    assert mark["kind"] == "bookmark"
    in_book(reader, "T.remove_bookmark_from_list(1)")  # no event
    assert browser.marks() == []


def test_reading_goes_on_at_the_same_word(reader, browser) -> None:
    in_book(reader, "T.gotopage(20) T.turn(2)")
    (there,) = reader.do(
        """T.open(T.args[1]) T.wait(3) local d = T.reader().document
        T.result({ xpointer = d:getXPointer(), text = d:getTextFromXPointers(d:getXPointer(), d:getPageXPointer(23)) })
        """,
        reader.book,
    )
    assert "".join(there["text"].split()).startswith(browser.words(20))
    (further,) = reader.do('T.open(T.args[1]) T.result({T.find("a little door about fifteen inches")})', reader.book)
    browser.go(further[0])
    settings = {}
    (place,) = reader.do(
        """plugin().settings:set("newer", "silently") plugin().settings:set("older", "silently")
        T.wait(300) -- the clock of the life before was ahead
        T.open(T.args[1]) T.wait(20) T.result(T.where()) T.close() T.wait(5)""",
        reader.book,
        settings=settings,
    )
    assert place["xpointer"] == further[0]
    assert browser.words(20) == "alittledooraboutfift"
    assert browser.place()["device"] != "KOReader"


def test_status_rating_and_review_go_both_ways(reader, browser) -> None:
    in_book(reader)
    assert browser.state()["version"] == 0
    in_book(reader, 'T.set_state({ status = "complete", rating = 4, review = "good" })')
    state = browser.state()
    assert (state["status"], state["rating"], state["review"]) == ("finished", 8, "good")
    browser._send(
        "PUT",
        "/state",
        {"base_version": state["version"], "operation_id": "browser-1", "status": "abandoned", "rating": 5},
    )
    show = 'T.wait(10) T.result(T.reader().doc_settings:readSetting("summary")) T.close() T.wait(5)'
    summary = reader.do(f"T.open(T.args[1]) T.wait(3) sync() {show}", reader.book)[0]
    assert (summary["status"], summary["rating"], summary["note"]) == ("abandoned", 3, "good")
    in_book(reader)
    assert browser.state()["rating"] == 5  # two and a half stars: showing three is no edit


def test_two_readers_that_spell_places_in_two_ways_share_one_list(server, ida, reader, browser, tmp_path) -> None:
    other = another(server, ida, tmp_path / "two", indexed=True)
    in_book(reader, 'T.highlight({ text = "a little door about fifteen inches", note = "one" })')
    (item,) = in_book(other)
    assert item["pos0"].startswith("/body[1]/DocFragment[")
    in_book(other, 'T.highlight({ text = "Curiouser and curiouser" }) T.setnote(1, "two")')
    items = in_book(reader)
    assert notes(items) == notes(browser.marks())
    assert len(items) == 2
    in_book(other, "T.delete(2) T.delete(1)")
    assert in_book(reader) == {}
    assert browser.marks() == []


def test_the_same_highlight_made_on_two_readers_is_one(server, ida, reader, browser, tmp_path) -> None:
    other = another(server, ida, tmp_path / "two")
    in_book(reader, 'T.highlight({ text = "Curiouser and curiouser", note = "one" })')
    # Offered, not yet there, and made by hand meanwhile.
    other.do(
        """T.offline() T.open(T.args[1]) T.wait(3) T.highlight({ text = "Curiouser and curiouser" })
        T.close() T.wait(5)""",
        other.book,
    )
    assert len(in_book(other)) == 1
    assert len(in_book(reader)) == 1
    assert len(browser.marks()) == 1
    assert "one" in browser.marks()[0]["note"]


def test_a_lost_a_copied_and_an_old_sidecar_take_nothing_away(server, ida, reader, browser, tmp_path) -> None:
    in_book(reader, 'T.highlight({ text = "Curiouser and curiouser", note = "one" })')
    sidecar = reader.book.with_suffix(".sdr") / "metadata.epub.lua"
    old = sidecar.read_bytes()
    in_book(reader, 'T.highlight({ text = "a little door about fifteen inches" }) T.setnote(1, "uno")')
    both = notes(browser.marks())
    assert len(both) == 2
    for content in (None, old):
        for path in sidecar.parent.iterdir():
            path.unlink()
        if content is not None:
            sidecar.write_bytes(content)
        assert notes(in_book(reader)) == both
        assert notes(browser.marks()) == both
    other = another(server, ida, tmp_path / "two")
    copy = other.book.with_suffix(".sdr")
    copy.mkdir()
    (copy / sidecar.name).write_bytes(sidecar.read_bytes())
    assert notes(in_book(other)) == both
    in_book(other, "T.delete(1)")
    assert len(browser.marks()) == 1
    assert len(in_book(reader)) == 1


PORTALS = [
    b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Welcome to the hotel</html>",
    b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1/login\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.0 401 Unauthorized\r\n\r\nno",
    b"HTTP/1.0 500 Oops\r\n\r\n",
    b'HTTP/1.0 200 OK\r\nContent-Length: 9999\r\n\r\n{"answers": [',
    b"",
]


@contextmanager
def portal() -> Iterator[str]:
    """Something that is no Bookwake, and answers in one odd way after the other."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while line := self.rfile.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.rfile.read(length)
            self.wfile.write(next(answers))

    answers = itertools.cycle(PORTALS)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{other.server_address[1]}"
        other.shutdown()


def test_a_captive_portal_is_no_server(reader, browser) -> None:
    """Whatever answers in the server's place, nothing is lost and nothing believed."""
    with portal() as address:
        reader.do(
            f"""
            local core = require("bookwake_core").get()
            local address = core.device.record.address
            T.open(T.args[1]) T.wait(3)
            T.highlight({{ text = "Curiouser and curiouser" }})
            plugin():capture()
            core.device:set({{ address = "{address}" }})
            for _ = 1, {2 * len(PORTALS)} do
                local result
                core.sync:now({{ reason = "person", on_done = function(done) result = done end }})
                T.waitfor(function() return result end, 300, "an error")
                assert(result.error and result.error.class ~= "unpaired", "believed it")
            end
            assert(core.outbox:count() >= 1)
            assert(core.device:is_paired() and not core.device.record.unpaired)
            core.device:set({{ address = address }})
            core.scheduler:reset()
            sync()
            T.close()
            T.wait(5)
            """,
            reader.book,
        )
    assert len(browser.marks()) == 1


def test_a_revoked_reader_stops_and_keeps_everything(server, ida, reader, browser, tmp_path) -> None:
    in_book(reader)
    (device,) = query(server, "SELECT max(id) FROM device WHERE kind = 'koreader'")[0]
    server.json("device", "revoke", str(device))
    (result,) = reader.do(
        """T.open(T.args[1]) T.wait(3) T.highlight({ text = "Curiouser and curiouser" })
        local result
        plugin():capture()
        plugin().sync:now({ reason = "person", on_done = function(done) result = done end })
        T.waitfor(function() return result end, 120, "a sync")
        T.result({ class = result.error and result.error.class, pending = plugin().state:pending().total })""",
        reader.book,
    )
    assert result["class"] == "unpaired" and result["pending"] >= 1
    reader.pair(server, ida)
    in_book(reader)
    assert len(browser.marks()) == 1
