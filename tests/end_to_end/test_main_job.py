"""The main job: wherever somebody stops, the others go on at the same word.

A simulated Kobo, a simulated stock KOReader and the real web reader in Chromium, around a real server process. Each of
them names places by code of its own (the Kobo by the spans of the file it downloaded, KOReader by an engine written for
the simulator, Chromium by what it paints), so that nothing here checks the server's translation with itself.
"""

import re
from dataclasses import dataclass

import pytest

from tests.chromium import chromium, signed_in
from tests.server import BOOKS, Server, running_server
from tests.simulators.kobo import Kobo, Span
from tests.simulators.kosync import KOReader
from tests.webreader.open_reader import OpenReader, books, query

pytestmark = pytest.mark.slow

# From six makers: Standard Ebooks, calibre (from a DOCX), Project Gutenberg, LibreOffice, the IDPF and FanFicFare.
NAMES = [
    "l-frank-baum_the-marvelous-land-of-oz",
    "calibre-docx_alice",
    "ebookmaker-epub2_pride-and-prejudice",
    "libreoffice_flying-dutchman",
    "childrens-literature",
    "fanficfare_test-story-1",
]

# The text that shows at the place a CFI means, and whether that is on the page: asked of the page itself.
_AT_CFI = """(cfi) => {
    const view = document.querySelector('foliate-view')
    const { index, anchor } = view.book.resolveCFI(cfi)
    const { doc, index: shown } = view.renderer.getContents()[0]
    if (index !== shown) return null
    const range = anchor(doc).cloneRange()
    const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT)
    walker.currentNode = range.startContainer
    let text = range.startContainer.data.slice(range.startOffset)
    range.setEnd(range.startContainer, range.startOffset + 1)
    const box = range.getBoundingClientRect()
    const frame = doc.defaultView.frameElement.getBoundingClientRect()
    const page = view.getBoundingClientRect()
    while (text.length < 200 && walker.nextNode()) text += walker.currentNode.data
    const x = box.left + frame.left
    return { text, visible: x >= page.left - 1 && x < page.right && box.top + frame.top < page.bottom }
}"""


def ink(text: str) -> str:
    """Text without what engines disagree about."""
    return re.sub(r"[\s\u00ad\u200b\ufeff\u2060]+", "", text)


@dataclass
class Readers:
    """One person's three readers with one book open to each."""

    server: Server
    kobo: Kobo
    koreader: KOReader
    browser: OpenReader
    title: str
    file: str

    # Where each of them is, as ink from its place on.

    def kobo_span(self) -> Span:
        span = self.kobo.reader.top
        assert span is not None
        return span

    def kobo_ink_from(self, span: Span) -> str:
        """The text of the Kobo's file from a span on, over the end of its document if need be."""
        file = self.kobo.file(self.title)
        number = next(n for n, document in enumerate(file.documents) if document.source == span.source)
        words = file.documents[number].words[span.word :] + [
            w for d in file.documents[number + 1 :][:2] for w in d.words
        ]
        return ink("".join(words))

    def koreader_ink(self, words: int = 60) -> str:
        return ink(self.koreader.text(words))

    # What each direction has to show.

    def koreader_follows(self, expected: str) -> None:
        """KOReader pulls, jumps there and shows the expected text first."""
        self.koreader.wait(3600)
        self.koreader.open(BOOKS / self.file)
        assert not self.koreader.messages, self.koreader.messages
        assert same_start(self.koreader_ink(), expected), (
            self.koreader.text(12),
            expected[:60],
            self.koreader.log[-3:],
        )

    def browser_follows(self, expected: str) -> None:
        """The browser opens on the page that holds the expected word, and its place is that word."""
        self.browser.open()
        place = self.browser.progress()
        assert place["status"] == "exact", place
        at = self.browser.page.evaluate(_AT_CFI, place["cfi"])
        assert at is not None and at["visible"], (place, at)
        assert same_start(ink(at["text"]), expected), (at["text"][:60], expected[:60])

    def kobo_follows(self, expected: str) -> None:
        """The next sync names a span that the Kobo's file has, and the expected word is in it; opening the book, the
        Kobo asks, and goes there; closing it again without reading moves nobody."""
        events = self.kobo.sync()
        id = self.kobo.book(self.title).id
        states = [event["ChangedReadingState"]["ReadingState"] for event in events if "ChangedReadingState" in event]
        [state] = [state for state in states if state["EntitlementId"] == id]
        location = state["CurrentBookmark"]["Location"]
        span = self.kobo.file(self.title).span(location["Source"], location["Value"])
        assert span is not None, location
        assert expected[:24] in self.kobo_ink_from(span)[: len(ink(span.text)) + 23], (span, expected[:60])
        asked = len(self.kobo.dialogs)
        self.kobo.open(self.title)
        assert len(self.kobo.dialogs) == asked + 1, "the Kobo was not asked to go to the last page read"
        assert self.kobo.reader.shows(span)
        before = self.browser.progress()["cfi"]
        self.kobo.close()
        assert self.browser.progress()["cfi"] == before

    # What each of them does.

    def read_on_kobo(self, pages: int) -> str:
        self.kobo.open(self.title)
        self.kobo.turn_pages(pages)
        expected = self.kobo_ink_from(self.kobo_span())
        self.kobo.close()
        return expected

    def read_in_koreader(self, words: int) -> str:
        self.koreader.read_words(words)
        self.koreader.close()
        return self.koreader_ink()

    def read_in_browser(self, pages: int) -> str:
        self.browser.turn(pages)
        self.browser.wait_saved()
        return ink(self.browser.top(120))


def same_start(one: str, other: str) -> bool:
    """Whether two readers show the same characters from their places on."""
    length = min(len(one), len(other), 40)
    return length >= 12 and one[:length] == other[:length]


@pytest.fixture(scope="module")
def server():
    with running_server(books=[BOOKS / f"{name}.epub" for name in NAMES]) as server:
        server.add_user("Ida")
        yield server


@pytest.fixture(scope="module")
def kobo(server, tmp_path_factory):
    with Kobo(server.add_device("Ida", "kobo")["api_endpoint"], tmp_path_factory.mktemp("kobo")) as kobo:
        kobo.sync()
        yield kobo


@pytest.fixture(scope="module")
def page(server):
    with chromium() as browser:
        yield signed_in(browser, server, "Ida")


@pytest.fixture(scope="module")
def everybody(server, kobo, page):
    """The readers of each book, ready to begin."""
    ids = books(server)
    readers = {}
    for name in NAMES:
        [(title,)] = query(server, "SELECT title FROM book WHERE id = ?", ids[f"{name}.epub"])
        kobo.download(title)
        login = server.add_device("Ida", "kosync")
        koreader = KOReader(login["server"], login["username"], login["password"], forward="silent")
        koreader.login()
        browser = OpenReader(page, server, ids[f"{name}.epub"])
        readers[name] = Readers(server, kobo, koreader, browser, title, f"{name}.epub")
    return readers


@pytest.fixture(scope="module", params=["at first", "after a restart"])
def time(request, server):
    if request.param != "at first":
        server.restart()
    return request.param


@pytest.mark.parametrize("name", NAMES)
def test_wherever_somebody_stops_the_others_go_on_at_the_same_word(everybody, time, name):
    readers = everybody[name]
    pages = sum(document.pages for document in readers.kobo.file(readers.title).documents)

    expected = readers.read_on_kobo(pages * 2 // 5 if time == "at first" else 2)
    readers.koreader_follows(expected)
    readers.browser_follows(expected)

    expected = readers.read_in_koreader(200)
    readers.browser_follows(expected)
    readers.kobo_follows(expected)

    expected = readers.read_in_browser(2)
    readers.koreader_follows(expected)
    readers.kobo_follows(expected)

    assert "Traceback" not in readers.server.log
