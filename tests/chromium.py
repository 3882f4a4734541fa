"""Debian's Chromium, driven by Playwright, as a person of the household uses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests import needs
from tests.server import PASSWORD, Server

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1200, "height": 800}
PHONE = {"width": 390, "height": 780}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without windows; skips the test where Chromium is not installed."""
    path = needs.chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, server: Server, name: str, password: str = PASSWORD, **options: Any) -> Page:
    """A page of a new browser profile, signed in. `options`: of Playwright's `new_context`, such as the viewport."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    page = context.new_page()
    page.goto(f"{server.url}/sign-in")
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return page
