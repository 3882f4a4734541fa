"""Bookmarks in the reader, in a real browser, and those of other readers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import PHONE
from tests.server import BOOKS, Server, eventually, running_server
from tests.webreader.open_reader import OpenReader, books, query

pytestmark = pytest.mark.slow

NOVEL = "l-frank-baum_the-marvelous-land-of-oz.epub"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / NOVEL]) as server:
        server.add_user("Ida")
        yield server


@pytest.fixture
def person() -> str:
    return "Ida"


def living(server: Server) -> list[tuple[str, int, int]]:
    return query(server, "SELECT kind, first, last FROM annotation WHERE deleted_at IS NULL ORDER BY first")


def test_a_page_is_bookmarked_found_again_and_cleared(page: Page, server: Server) -> None:
    reader = OpenReader(page, server, books(server)[NOVEL]).open()
    reader.jump("Tip Manufactures a Pumpkinhead")
    reader.turn(2)
    here = reader.cfi
    ribbon = page.locator("#bookmark")
    expect(ribbon).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("b")
    expect(ribbon).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#ribbon")).to_be_visible()
    eventually(lambda: len(living(server)) == 1)
    [(kind, first, last)] = living(server)
    assert (kind, first) == ("bookmark", last)
    assert reader.cfi == here, "a bookmark moves nobody"

    reader.turn()
    expect(ribbon).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("ArrowLeft")
    expect(ribbon).to_have_attribute("aria-pressed", "true")

    reader.settle()
    reader.wait_saved()

    # In another window size it is on the page that has its words.
    page.set_viewport_size(PHONE)
    reader.open()
    expect(ribbon).to_have_attribute("aria-pressed", "true")
    reader.turn(3)
    expect(ribbon).to_have_attribute("aria-pressed", "false")

    # The list shows the words it stands before, and leads there.
    page.click("#open-marks")
    item = page.locator("#marks li .go", has_text="Bookmark")
    assert len(item.locator(".quote").inner_text()) > 20
    item.click()
    expect(ribbon).to_have_attribute("aria-pressed", "true")

    ribbon.click()
    expect(ribbon).to_have_attribute("aria-pressed", "false")
    eventually(lambda: living(server) == [])
    page.click("#notice >> text=Undo")
    expect(ribbon).to_have_attribute("aria-pressed", "true")
    eventually(lambda: living(server) == [("bookmark", first, last)])
