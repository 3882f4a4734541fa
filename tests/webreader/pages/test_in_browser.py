"""The pages in a real browser: on a phone and a desk, by keyboard, without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import DESKTOP, PHONE, chromium, signed_in
from tests.server import PASSWORD, Server, running_server

# What a screen reader needs, and what a layout that broke would show.
FAULTS = """() => {
    const faults = []
    const named = element => (element.labels?.length || element.ariaLabel || element.textContent.trim()
        || element.type === 'hidden')
    if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1')
    if (!document.documentElement.lang) faults.push('no language')
    if (document.querySelectorAll('main, header.top').length !== 2) faults.push('landmarks')
    for (const element of document.querySelectorAll('input, button, a, summary'))
        if (!named(element) && !element.ariaHidden) faults.push('no name: ' + element.outerHTML)
    // Who speaks to the machine says what stands there.
    for (const element of document.querySelectorAll('button[aria-label], a[aria-label], summary[aria-label]'))
        if (!element.ariaLabel.includes(element.textContent.trim())) faults.push('other name: ' + element.outerHTML)
    let level = 1
    for (const { tagName } of document.querySelectorAll('h1, h2, h3, h4')) {
        if (tagName[1] - level > 1) faults.push(`${tagName} after h${level}`)
        level = Number(tagName[1])
    }
    for (const image of document.images) {
        if (!image.hasAttribute('alt')) faults.push('no alt: ' + image.src)
        if (image.complete && !image.naturalWidth) faults.push('no picture: ' + image.src)
    }
    const ids = [...document.querySelectorAll('[id]')].map(element => element.id)
    if (new Set(ids).size !== ids.length) faults.push('ids repeat: ' + ids)
    const wide = document.documentElement.scrollWidth - innerWidth
    if (wide > 0) faults.push('wider than the window by ' + wide)
    return faults
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_whole_and_says_what_is_what(server: Server, browser: Browser, viewport: dict[str, int]):
    page = signed_in(browser, server, "Ida", viewport=viewport)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: said.append(f"failed: {request.url}"))
    book = page.locator(".wall a").first.get_attribute("href")
    for path in (
        "/",
        str(book),
        "/?q=oz",
        "/?q=nothing+of+the+kind",
        "/devices",
        "/devices/files",
        "/settings",
        "/shelves",
    ):
        page.goto(server.url + path, wait_until="networkidle")
        assert page.evaluate(FAULTS) == [], path
    page.goto(server.url + "/devices")
    for kind in ("Add a Kobo", "Show server and password"):
        if kind != "Add a Kobo":
            page.get_by_role("link", name="Add a KOReader").click()
            page.get_by_role("heading", name="Add a KOReader").wait_for()
            assert page.evaluate(FAULTS) == [], "Add a KOReader"
        page.get_by_role("button", name=kind).click()
        done = page.get_by_role("link", name="Done")
        done.wait_for()
        assert page.evaluate(FAULTS) == [], kind
        done.click()
        page.get_by_role("heading", name="Your devices").wait_for()
    assert said == []
    page.goto(server.url + "/nothing", wait_until="networkidle")
    assert page.evaluate(FAULTS) == []
    page.context.close()


def test_everything_works_without_scripts(server: Server, browser: Browser):
    page = signed_in(browser, server, "Ben", java_script_enabled=False)
    page.get_by_role("link", name="Devices").click()
    page.get_by_label("Its name").first.fill("Without scripts")
    page.get_by_role("button", name="Add a Kobo").click()
    assert "api_endpoint=http" in page.locator("pre").inner_text()
    page.get_by_role("link", name="Done").click()
    row = page.locator(".rows > li", has_text="Without scripts")
    row.get_by_text("Rename", exact=True).first.click()
    row.get_by_label("New name").fill("Renamed")
    row.get_by_role("button", name="Rename").click()
    row = page.locator(".rows > li", has_text="Renamed")
    row.get_by_text("Remove", exact=True).first.click()
    row.get_by_role("button", name="Remove").click()
    page.locator(".rows > li", has_text="Renamed").wait_for(state="detached")
    page.get_by_role("link", name="Library").click()
    page.get_by_label("Title, author or series").fill("oz")
    page.keyboard.press("Enter")
    page.locator(".wall a").first.click()
    page.get_by_role("heading", name="The Marvelous Land of Oz").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.context.close()


def test_the_keyboard_reaches_the_content_at_once(server: Server, browser: Browser):
    page = signed_in(browser, server, "Ben")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    for _ in range(6):
        page.keyboard.press("Tab")
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", focused(page)
    page.context.close()


def focused(page: Page) -> str:
    return str(page.evaluate("() => document.activeElement.textContent.trim()"))


def test_setting_up_in_a_browser_ends_in_the_library(browser: Browser):
    with running_server() as server:
        page = browser.new_page()
        page.goto(server.url)
        page.get_by_label("Set-up code").fill(server.setup_code())
        page.get_by_label("Your name").fill("Ida")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password again").fill(PASSWORD)
        page.get_by_role("button", name="Create and sign in").click()
        page.get_by_role("button", name="Add the sample book").click()
        page.locator(".wall a").click()
        page.get_by_role("heading", name="Alice").wait_for()
        page.context.close()
