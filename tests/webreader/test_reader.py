"""What a person does in the reader, in a real browser, and what the server learns of it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from appliance.positions import OpenBook
from appliance.reading.book_state.rule import FINISHED
from tests.chromium import DESKTOP, PHONE, signed_in
from tests.server import BOOKS, PASSWORD, Server, running_server
from tests.webreader.open_reader import OpenReader, books, journal, query

# Each test is the visit of a person, with its pauses; together they take minutes.
pytestmark = pytest.mark.slow

NOTES = "pandoc-mathml_introduction-to-mathematics.epub"
NOVEL = "l-frank-baum_the-marvelous-land-of-oz.epub"
NAMES = [NOVEL, "ebooklib_kokoro-vertical-ruby.epub", "regime-anticancer-arabic.epub", "calibre-docx_alice.epub"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / name for name in [*NAMES, NOTES]]) as server:
        yield server


@pytest.fixture
def reader(page: Page, server: Server) -> OpenReader:
    return OpenReader(page, server, books(server)[NOVEL]).open()


def words_at(name: str, cfi: str, count: int) -> str:
    """What the server takes to stand at a place."""
    book = OpenBook.open(BOOKS / name, "0" * 64)
    place = book.decode_cfi(cfi)
    assert place.position is not None, cfi
    return book.quote(place.position, after=count).suffix


def inked(text: str) -> str:
    return re.sub(r"[\t\n\f\r ]", "", text)


def test_opening_resizing_and_settings_write_nothing(server: Server, reader: OpenReader) -> None:
    reader.turn(12)
    reader.wait_saved()
    before = journal(server)
    stored = reader.progress()
    assert before and stored["cfi"] == reader.cfi
    for size in (DESKTOP, PHONE, DESKTOP, PHONE):
        reader.page.set_viewport_size(size)
        reader.open()
        reader.page.wait_for_timeout(300)
    for size in (DESKTOP, {"width": 780, "height": 390}, PHONE):
        reader.page.set_viewport_size(size)
        reader.settle()
    reader.page.click("#open-appearance")
    for button in ("#larger", "#larger", "#smaller", ".theme.dark", ".theme.sepia"):
        reader.page.click(button)
        reader.settle()
    reader.page.keyboard.press("Escape")
    reader.page.click("#open-contents")
    reader.page.keyboard.press("Escape")
    reader.page.wait_for_timeout(2500)
    reader.page.goto(f"{server.url}/sign-in")
    assert journal(server) == before
    assert query(server, "SELECT version FROM progress ORDER BY version DESC LIMIT 1")[0][0] >= 1
    reader.open()
    assert reader.progress() == stored


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_place_is_the_first_word_that_shows_and_survives_a_reload(reader: OpenReader, viewport: dict[str, int]) -> None:
    reader.page.set_viewport_size(viewport)
    reader.settle()
    reader.turn(9)
    seen = []
    for _ in range(5):
        reader.turn()
        top, cfi = reader.top(60), reader.cfi
        # A page may begin inside a word, which belongs to the page before.
        stands = words_at(NOVEL, cfi, 20)
        assert stands in inked(top), (top, cfi)
        assert len(inked(top)) - len(inked(top).partition(stands)[2]) <= 20 + 14
        seen.append((top, cfi))
    assert len(set(seen)) == 5
    reader.wait_saved()
    stored = reader.progress()
    assert stored["cfi"] == reader.cfi and stored["status"] == "exact" and stored["here"]
    reader.open()
    assert (reader.top(60), reader.cfi) == seen[-1]
    assert words_at(NOVEL, stored["cfi"], 20) in inked(reader.top(60))


@pytest.mark.parametrize("name", NAMES[1:])
def test_vertical_right_to_left_and_long_documents(page: Page, server: Server, name: str) -> None:
    reader = OpenReader(page, server, books(server)[name]).open()
    seen = [reader.cfi]
    for _ in range(8):
        reader.turn()
        seen.append(reader.cfi)
    assert len(set(seen)) == len(seen)
    book = OpenBook.open(BOOKS / name, "0" * 64)
    ticks = [book.decode_cfi(cfi).tick or 0 for cfi in seen]
    assert ticks == sorted(ticks)
    reader.wait_saved()
    reader.open()
    assert reader.cfi == seen[-1]
    reader.turn(key="PageUp")
    assert reader.cfi == seen[-2]


def test_word_is_on_the_page_after_opening_at_another_width(server: Server, reader: OpenReader) -> None:
    reader.turn(11)
    reader.wait_saved()
    words = words_at(NOVEL, reader.progress()["cfi"], 15)
    for size in (PHONE, {"width": 820, "height": 1100}):
        reader.page.set_viewport_size(size)
        reader.open()
        assert words in inked(reader.top(3000))


def test_leaving_at_once_loses_nothing(server: Server, reader: OpenReader) -> None:
    reader.turn(4)
    cfi = reader.cfi
    reader.page.goto(f"{server.url}/sign-in")
    reader.open()
    assert reader.progress()["cfi"] == cfi == reader.cfi


def test_without_network_the_place_waits(reader: OpenReader) -> None:
    reader.turn(6)
    reader.wait_saved()
    reader.page.context.set_offline(True)
    reader.page.keyboard.press("PageUp")
    reader.settle()
    reader.page.keyboard.press("PageUp")
    reader.settle()
    reader.page.locator("#saving", has_text="Not saved yet").wait_for()
    cfi = reader.cfi
    reader.page.context.set_offline(False)
    reader.wait_saved()
    assert reader.progress()["cfi"] == cfi


def test_page_closed_without_network_is_sent_at_the_next_visit(reader: OpenReader) -> None:
    reader.turn(6)
    reader.wait_saved()
    refuse = lambda route: route.abort() if route.request.method == "PUT" else route.fallback()  # noqa: E731
    reader.page.route("**/progress", refuse)
    reader.turn(1)
    cfi = reader.cfi
    reader.page.reload()
    reader.page.unroute("**/progress", refuse)
    reader.open()
    assert reader.progress()["cfi"] == cfi == reader.cfi


def test_contents_links_and_keys(server: Server, reader: OpenReader) -> None:
    reader.jump("His Majesty the Scarecrow")
    assert inked(reader.top(300)).casefold().startswith("vii") or "Majesty" in reader.top(300)
    assert reader.page.inner_text("#chapter") == "His Majesty the Scarecrow"
    reader.wait_saved()
    assert journal(server)[-1][:2] in (("current", "jumped"), ("current", "first-report"))
    jumped = reader.cfi
    reader.page.click("#notice >> text=Go back")
    reader.wait_moved(jumped)
    assert reader.cfi != jumped
    for key, other in (("ArrowRight", "ArrowLeft"), ("Space", "Shift+Space"), ("PageDown", "PageUp")):
        start = reader.cfi
        reader.turn(key=key)
        assert reader.cfi != start
        reader.turn(key=other)
        assert reader.cfi == start


CLICK_NOTE = """() => {
    const [{ doc }] = document.querySelector('foliate-view').renderer.getContents()
    const a = [...doc.querySelectorAll('a')].find(a =>
        a.getAttributeNS('http://www.idpf.org/2007/ops', 'type') === 'noteref')
    a?.click()
    return Boolean(a)
}"""


def test_notes_open_in_a_window(page: Page, server: Server) -> None:
    reader = OpenReader(page, server, books(server)[NOTES]).open()
    before = journal(server)
    for _ in range(20):
        if page.evaluate(CLICK_NOTE):
            break
        page.evaluate("document.querySelector('foliate-view').renderer.nextSection()")
        reader.settle()
    else:
        raise AssertionError("the book has no notes")
    page.locator("#note[open]").wait_for()
    note = page.inner_text("#note .text")
    assert len(note) > 10
    page.wait_for_timeout(2300)
    assert journal(server) == before
    page.click("#go-to-note")
    reader.settle()
    assert inked(note)[:20] in inked(reader.top(3000))
    reader.wait_saved()
    assert len(journal(server)) == len(before) + 1


def test_taps_and_swipes(browser: Browser, server: Server, person: str) -> None:
    page = signed_in(browser, server, person, viewport=PHONE, has_touch=True, is_mobile=True)
    reader = OpenReader(page, server, books(server)[NOVEL]).open()
    reader.turn(7)
    reader.wait_saved()
    before = journal(server)
    start = reader.cfi
    page.touchscreen.tap(195, 400)
    reader.settle()
    page.wait_for_timeout(2500)
    assert reader.cfi == start and journal(server) == before
    page.touchscreen.tap(370, 400)
    page.wait_for_timeout(400)
    reader.settle()
    after = reader.cfi
    assert after != start
    page.touchscreen.tap(20, 400)
    page.wait_for_timeout(400)
    reader.settle()
    assert reader.cfi == start
    swipe(page, 340, 60)
    page.wait_for_timeout(600)
    reader.settle()
    assert reader.cfi == after
    reader.wait_saved()
    assert reader.progress()["cfi"] == after
    # Over the end of a chapter, where the paginator goes on by itself.
    chapter = page.inner_text("#chapter")
    for _ in range(40):
        swipe(page, 340, 60)
        page.wait_for_timeout(400)
        reader.settle()
        if page.inner_text("#chapter") != chapter:
            break
    assert page.inner_text("#chapter") != chapter
    reader.wait_saved()
    assert reader.progress()["cfi"] == reader.cfi
    assert words_at(NOVEL, reader.cfi, 10) in inked(reader.top(60))
    page.context.close()


def swipe(page: Page, start: int, end: int) -> None:
    """A finger over the page, as the browser's own protocol makes it."""
    touch = page.context.new_cdp_session(page)
    point: Any = {"x": start, "y": 400}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    for step in range(1, 9):
        point = {"x": start + (end - start) * step / 8, "y": 400}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        page.wait_for_timeout(16)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


NOWHERE = [
    "epubcfi(/6/16!/4/2/999/1:5)",
    "epubcfi(/6/16!/4/2/2/1:99999)",
    "epubcfi(/6/9998!/4/2)",
    "epubcfi(/6/16",
    "",
]


def test_a_locator_that_cannot_be_resolved(server: Server, reader: OpenReader) -> None:
    before = journal(server)
    page = reader.page
    for cfi in NOWHERE:
        told = {"version": 7, "sha256": "", "cfi": cfi or None, "status": "exact", "reason": "", "fraction": 0.11}
        body = {**told, "device": "Kobo", "here": False, "at": None}
        page.route("**/progress", lambda route, _request, body=body: route.fulfill(json=body))
        reader.open()
        assert "not found in this file" in page.inner_text("#notice"), cfi
        percent = int(page.inner_text("#percent").split()[0])
        assert 7 <= percent <= 13, cfi
        assert reader.top(20), cfi
        page.wait_for_timeout(2300)
        page.unroute_all()
    assert journal(server) == before


def test_another_reader_went_on(browser: Browser, server: Server, person: str, reader: OpenReader) -> None:
    reader.turn(7)
    reader.wait_saved()
    other = OpenReader(signed_in(browser, server, person), server, reader.book_id).open()
    assert other.cfi == reader.cfi
    other.jump("A Nickel-Plated Emperor")
    other.turn(1)
    other.wait_saved()
    there = other.progress()["cfi"]

    # Seen again, the page asks; nothing moves by itself.
    here = reader.cfi
    reader.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    notice = reader.page.locator("#notice")
    notice.locator("text=is further on").wait_for()
    assert reader.cfi == here
    before = journal(server)
    notice.locator("text=Go there").click()
    reader.settle()
    reader.page.wait_for_timeout(2300)
    assert reader.cfi == there
    assert journal(server) == before

    # The other turns on again; this page turns without having looked. Far back, the server asks before it moves all.
    reader.jump("Tip Manufactures a Pumpkinhead")
    reader.wait_saved()
    other.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    other.page.locator("#notice >> text=Stay here").click()
    other.jump("A Nickel-Plated Emperor")
    other.wait_saved()
    reader.turn()
    reader.wait_saved()
    assert journal(server)[-1][:2] == ("suggestion", "stale-view")
    notice.locator("text=is further on").wait_for()
    notice.locator("text=Stay here").click()
    reader.page.wait_for_timeout(2300)
    reader.wait_saved()
    assert journal(server)[-1][:2] == ("current", "jumped")
    assert reader.progress()["cfi"] == reader.cfi
    other.page.context.close()


def test_a_chapter_that_cannot_be_loaded_says_so_and_changes_nothing(server: Server, reader: OpenReader) -> None:
    reader.turn(6)
    reader.wait_saved()
    before = journal(server)
    refuse = lambda route: route.abort()  # noqa: E731
    reader.page.route("**/document/**", refuse)
    reader.page.keyboard.press("c")
    here = reader.cfi
    reader.page.click("#contents >> text=A Nickel-Plated Emperor")
    reader.wait_moved(here)
    assert "The server cannot be reached" in reader.top(400)
    reader.page.wait_for_timeout(2300)
    assert journal(server) == before
    reader.page.unroute("**/document/**", refuse)
    reader.turn()
    assert "The server cannot be reached" not in reader.top(400)


def test_what_one_person_left_unsent_is_not_sent_as_another(browser: Browser, server: Server, person: str) -> None:
    page = signed_in(browser, server, person)
    page.route("**/progress", lambda route: route.abort() if route.request.method == "PUT" else route.fallback())
    reader = OpenReader(page, server, books(server)[NOVEL]).open()
    reader.turn(7)
    server.add_user(f"{person}'s guest")
    page.context.clear_cookies()
    page.unroute_all()
    page.goto(f"{server.url}/sign-in")
    page.fill("[name=name]", f"{person}'s guest")
    page.fill("[name=password]", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    before = journal(server)
    reader.open()
    assert reader.progress()["version"] == 0
    assert journal(server) == before
    page.context.close()


def test_a_book_that_is_not_there(page: Page, server: Server) -> None:
    answer = page.goto(f"{server.url}/read/00000000-0000-0000-0000-000000000000")
    assert answer is not None and answer.status == 404


def test_the_last_page_finishes_the_book(page: Page, server: Server) -> None:
    """It begins before 99 % of the text, and is the end all the same."""
    book_id = books(server)["regime-anticancer-arabic.epub"]
    reader = OpenReader(page, server, book_id).open()
    for _ in range(60):
        reader.turn()
        if page.evaluate("document.querySelector('foliate-view').renderer.atEnd"):
            break
    reader.wait_saved()
    statement = "SELECT status FROM bookstate WHERE book_id = ? AND user_id = (SELECT max(id) FROM user)"
    assert query(server, statement, book_id) == [("finished",)]
    assert reader.progress()["fraction"] < FINISHED
