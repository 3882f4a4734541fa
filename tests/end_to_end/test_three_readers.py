"""A Kobo, a KOReader with the plugin and a browser hold the same highlights, through real processes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.koplugin.browser_hand import BrowserHand
from tests.koplugin.plugin_reader import PluginReader
from tests.server import BOOKS, Server, running_server
from tests.simulators.kobo import Kobo

OZ = BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub"
TITLE = "Marvelous Land"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[OZ]) as server:
        server.add_user("Ida")
        yield server


@pytest.fixture
def kobo(server: Server, tmp_path: Path) -> Iterator[Kobo]:
    device = server.add_device("Ida", "kobo")
    with Kobo(device["api_endpoint"], tmp_path / "kobo") as kobo:
        kobo.sync()
        kobo.download(TITLE)
        with server.browser("Ida") as browser:
            browser.submit(f"/devices/{device['device']}/notes", pushes="yes")
        yield kobo


@pytest.fixture
def koreader(server: Server, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Opens the book, does something, syncs; what is in the book then."""
    reader = PluginReader(tmp_path / "card")
    book = reader.put(OZ)
    reader.pair(server, "Ida")

    def live(lua: str = "", online: bool = True) -> list[dict[str, Any]]:
        syncs = "sync() sync()" if online else ""
        before = "" if online else "T.offline()"
        items = reader.do(
            f"{before} T.open(T.args[1]) T.wait(3) {lua} {syncs} T.result(items()) T.close() T.wait(5)", book
        )[-1]
        return list(items)

    return live


@pytest.fixture
def browser(server: Server) -> Iterator[BrowserHand]:
    with server.browser("Ida") as client:
        client.headers["accept"] = "application/json"
        yield BrowserHand(client, server, OZ)


def deleted_elsewhere(kobo: Kobo) -> None:
    """What the Kobo has now will be deleted by a person on another reader; it loses nothing else."""
    kobo.annotations.gone |= set(kobo.book(TITLE).notes)


def on_kobo(kobo: Kobo) -> dict[str, dict[str, Any]]:
    """Its highlights by their words, after a sync; each must be where its file has them."""
    kobo.sync()
    kobo.exchange_notes(TITLE)
    book = kobo.book(TITLE)
    kobo.annotations.get(book)
    kobo.annotations.check_places(book, kobo.file(TITLE))
    return {plain(note["highlightedText"]): note for note in book.notes.values()}


def plain(text: str) -> str:
    return " ".join(text.split())


def test_a_highlight_goes_round_and_a_deletion_too(kobo: Kobo, koreader, browser: BrowserHand) -> None:
    (item,) = koreader('T.highlight({ text = "Country of the Gillikins", note = "where Tip lives" })')
    assert on_kobo(kobo)[item["text"]]["noteText"] == "where Tip lives"
    (mark,) = browser.marks()
    assert (mark["text"], mark["note"], mark["status"]) == (item["text"], "where Tip lives", "exact")

    deleted_elsewhere(kobo)
    browser.delete(mark["id"])
    for _ in range(2):
        assert on_kobo(kobo) == {}
        assert koreader() == []
    assert browser.marks() == []


def test_notes_edited_offline_on_two_readers_both_survive(kobo: Kobo, koreader, browser: BrowserHand) -> None:
    (item,) = koreader('T.highlight({ text = "old Mombi", note = "first" })')
    note = on_kobo(kobo)[item["text"]]
    koreader('T.setnote(1, "said by KOReader")', online=False)
    kobo.annotations.edit(kobo.book(TITLE), note["id"], kobo.stamp(), note="said by the Kobo")
    on_kobo(kobo)
    (item,) = koreader()
    (mark,) = browser.marks()
    said = [mark["note"], *mark.get("other_notes", [])]
    assert any("said by KOReader" in one for one in said) and any("said by the Kobo" in one for one in said)
    assert item["note"] == mark["note"] == on_kobo(kobo)[item["text"]]["noteText"]
    deleted_elsewhere(kobo)
    browser.delete(mark["id"])
    assert koreader() == [] and on_kobo(kobo) == {}


def test_what_a_kobo_marks_is_in_koreader_at_the_same_words(kobo: Kobo, koreader, browser: BrowserHand) -> None:
    file = kobo.file(TITLE)
    spans = [span for document in file.documents for span in document.spans if len(span.text) > 40]
    kobo.annotations.add(kobo.book(TITLE), spans[30], "marked on the Kobo", kobo.stamp())
    on_kobo(kobo)
    (item,) = koreader()
    assert plain(item["text"]) == plain(spans[30].text)
    assert item["note"] == "marked on the Kobo"
    deleted_elsewhere(kobo)
    assert koreader("T.delete(1)") == []
    assert on_kobo(kobo) == {}
    assert browser.marks() == []
