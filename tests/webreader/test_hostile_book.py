"""A hostile book in a real browser: no script of it runs, and no request leaves."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import signed_in
from tests.server import BOOKS, Server, running_server
from tests.webreader import hostile
from tests.webreader.open_reader import OpenReader, books

pytestmark = pytest.mark.slow


class Beacon(BaseHTTPRequestHandler):
    """Answers every request with a script that reports it, and remembers the request."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(b"top.pwned('remote')")

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def beacon() -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []
    handler = type("Counting", (Beacon,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", seen
        http.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(beacon: tuple[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    book = tmp_path_factory.mktemp("hostile") / "hostile.epub"
    book.write_bytes(hostile.epub(beacon[0]))
    with running_server(books=[book, BOOKS.parent / "broken" / "script-in-content.epub"]) as server:
        server.add_user("Ida")
        yield server


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    page = signed_in(browser, server, "Ida")
    # In every window and frame, before anything of a page runs.
    page.add_init_script("window.ran = window.ran ?? []; window.pwned = what => top.ran.push(what ?? 'something')")
    yield page
    page.context.close()


def as_it_came(origin: str) -> bytes:
    """The hostile page before it is neutralised, without the redirect, which would hide the rest."""
    page = hostile.PAGE.replace(b"evil.example", origin.split("//")[1].encode())
    return page.replace(b'<meta http-equiv="refresh"', b'<meta name="no-refresh"')


def watch(page: Page, server: Server) -> list[str]:
    """Every request that is not to our server."""
    strangers: list[str] = []
    ours = (server.url, "blob:", "data:", "about:")
    page.context.on("request", lambda request: request.url.startswith(ours) or strangers.append(request.url))
    return strangers


CLICK_LINKS = """() => {
    const [{ doc }] = document.querySelector('foliate-view').renderer.getContents()
    for (const a of doc.querySelectorAll('a, button, input'))
        a.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))
    for (const image of doc.querySelectorAll('img')) image.dispatchEvent(new Event('error'))
    return [...doc.querySelectorAll('*')].length
}"""


@pytest.mark.parametrize("name", ["hostile.epub", "script-in-content.epub"])
def test_nothing_runs_and_nothing_leaves(page: Page, server: Server, beacon: tuple[str, list[str]], name: str) -> None:
    strangers = watch(page, server)
    reader = OpenReader(page, server, books(server)[name]).open()
    for _ in range(6):
        assert page.evaluate(CLICK_LINKS) > 3
        page.wait_for_timeout(100)
        # Not `reader.turn()`, which waits long for another page: at the end of the book there is none.
        page.keyboard.press("PageDown")
        page.wait_for_timeout(400)
        reader.settle()
    assert page.evaluate("window.ran") == []
    for frame in page.frames:
        assert not frame.evaluate("window.ran.length")
    assert strangers == []
    assert beacon[1] == []
    assert [other.url for other in page.context.pages if other is not page] == []


def test_the_policy_alone_holds_too(
    page: Page, server: Server, beacon: tuple[str, list[str]], request: pytest.FixtureRequest
) -> None:
    """The second layer, without the first: documents as hostile as they came."""
    strangers: list[str] = []
    page.route(
        "**/document/text/ch1.xhtml",
        lambda route: route.fulfill(
            body=as_it_came(beacon[0]),
            content_type="application/xhtml+xml",
        ),
    )
    beacon[1].clear()
    reader = OpenReader(page, server, books(server)["hostile.epub"]).open()
    page.evaluate("document.querySelector('foliate-view').renderer.goTo({ index: 0 })")
    assert page.evaluate(
        "document.querySelector('foliate-view').renderer.getContents()[0].doc.querySelector('script') !== null"
    )
    page.evaluate(CLICK_LINKS)
    page.wait_for_timeout(800)
    assert page.evaluate("window.ran") == []
    assert beacon[1] == [] and strangers == []
    assert reader.page.url.startswith(server.url)


def test_external_links_are_asked_about(page: Page, server: Server, beacon: tuple[str, list[str]]) -> None:
    OpenReader(page, server, books(server)["hostile.epub"]).open()
    page.evaluate("document.querySelector('foliate-view').renderer.goTo({ index: 0 })")
    page.evaluate("document.querySelector('foliate-view').renderer.getContents()[0].doc.getElementById('l4').click()")
    page.locator("#notice >> text=This link leaves the book").wait_for()
    assert beacon[1] == []
    page.click("#notice >> text=Stay")
    assert len(page.context.pages) == 1


def test_an_entry_opened_by_itself_can_do_nothing(page: Page, server: Server) -> None:
    strangers = watch(page, server)
    manifest = page.request.get(f"{server.url}/api/books/{books(server)['hostile.epub']}/manifest").json()
    for path in ("document/text/ch1.xhtml", "document/text/page.svg", "entry/text/page.svg", "entry/style/local.css"):
        answer = page.goto(f"{server.url}/books/{manifest['sha256']}/1/{path}")
        assert answer is not None and answer.status == 200
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        page.wait_for_timeout(100)
        assert page.evaluate("window.ran") == []
    assert strangers == []
    for path in ("entry/text/evil.js", "entry/book.opf", "document/text/evil.js", "document/../../../etc/passwd"):
        answer = page.request.get(f"{server.url}/books/{manifest['sha256']}/1/{path}")
        assert answer.status == 404 or "javascript" not in answer.headers["content-type"], path
        assert "root:" not in answer.text()


def test_hostile_fixture_is_hostile(browser: Browser, beacon: tuple[str, list[str]], tmp_path: Path) -> None:
    """Opened as it is, the page runs scripts and sends requests: the counters above can count."""
    beacon[1].clear()
    file = tmp_path / "hostile.xhtml"
    file.write_bytes(as_it_came(beacon[0]))
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("window.ran = window.ran ?? []; window.pwned = what => window.ran.push(what)")
    page.goto(file.as_uri(), wait_until="commit")
    page.wait_for_timeout(1500)
    ran = page.evaluate("window.ran")
    assert len(set(ran)) >= 5, ran
    assert len(set(beacon[1])) >= 15, beacon[1]
    context.close()
