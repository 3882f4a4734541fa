"""The pages of shelves, and of what goes to a Kobo: by forms, without scripts."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.server import BOOKS, Browser, Server, running_server
from tests.webreader.pages.test_book import words

NAMES = ["l-frank-baum_the-marvelous-land-of-oz.epub", "libreoffice_flying-dutchman.epub", "minimal-v2.epub"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / name for name in NAMES]) as server:
        yield server


@pytest.fixture
def ida(server: Server, request: pytest.FixtureRequest) -> Iterator[Browser]:
    server.add_user(request.node.name)
    with server.browser(request.node.name) as browser:
        yield browser


def page(browser: Browser, path: str) -> str:
    answer = browser.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


def book(browser: Browser, title: str) -> str:
    found = re.search(
        rf'href="(/book/[^"/]+)">[^<]*<span class="cover">(?:(?!</a>).)*{title}', page(browser, "/"), re.S
    )
    assert found
    return found[1]


def titles(browser: Browser, shelf: str) -> list[str]:
    return re.findall(r'<h2><a href="/book/[^"]+">([^<]+)</a></h2>', page(browser, shelf))


def test_a_shelf_from_the_page_of_a_book(ida: Browser) -> None:
    oz, dutchman = book(ida, "Oz"), book(ida, "Dutchman")
    answer = ida.submit("/shelves", name="  Winter   reading ", book=oz.removeprefix("/book/"))
    assert answer.headers["location"] == f"{oz}?done=shelved#shelves"
    [shelf] = re.findall(r'href="(/shelves/[^"]+)">Winter reading<', page(ida, oz))
    assert ida.submit(f"{dutchman}/shelf", shelf=shelf.removeprefix("/shelves/")).status_code == 303
    assert titles(ida, shelf) == ["The Marvelous Land of Oz", "The Flying Dutchman"]
    ida.submit(f"{shelf}/books/{dutchman.removeprefix('/book/')}", act="up")
    assert titles(ida, shelf) == ["The Flying Dutchman", "The Marvelous Land of Oz"]
    ida.submit(f"{shelf}/books/{oz.removeprefix('/book/')}", act="remove")
    assert titles(ida, shelf) == ["The Flying Dutchman"]
    ida.submit(f"{shelf}/rename", name="Sea")
    assert "Sea 1" in words(page(ida, shelf))
    ida.submit(f"{shelf}/delete")
    gone = ida.get(shelf, headers={"Accept": "text/html"})
    assert gone.status_code == 400 and "look at the list of shelves" in gone.text
    ida.submit(f"{shelf}/restore")
    assert titles(ida, shelf) == ["The Flying Dutchman"]


@pytest.mark.parametrize("name", ["", "x" * 101, "sea"], ids=["none", "long", "taken"])
def test_a_name_that_cannot_be_had_is_refused_with_a_sentence(server: Server, name: str) -> None:
    user = f"Names {len(name)}"
    server.add_user(user)
    with server.browser(user) as ida:
        ida.submit("/shelves", name="Sea")
        answer = ida.submit("/shelves", name=name)
        assert answer.status_code == 400 and re.search("Type one|Choose", words(answer.text))
        assert len(re.findall(r'href="/shelves/', page(ida, "/shelves"))) == 1


def test_what_goes_to_a_kobo(server: Server, ida: Browser, request: pytest.FixtureRequest) -> None:
    device = server.add_device(request.node.name, "kobo", "Clara")
    oz = book(ida, "Oz").removeprefix("/book/")
    ida.submit("/shelves", name="Sea", book=oz)
    [shelf] = re.findall(r'href="/shelves/([^"]+)">Sea<', page(ida, "/shelves"))
    here = f"/devices/{device['device']}"
    assert "has not synced yet" in page(ida, here)
    ida.submit(f"{here}/choice", what="chosen", **{f"shelf:{shelf}": "on", "shelf:somebody-elses": "on"})
    events = httpx.get(device["api_endpoint"] + "/v1/library/sync").json()
    assert [kind for event in events for kind in event] == ["NewEntitlement", "NewTag"]
    assert "Listed, not fetched" in page(ida, here) and "The Flying Dutchman" not in page(ida, here)
    dutchman = book(ida, "Dutchman")
    assert "Not chosen for it." in page(ida, dutchman)
    ida.submit(f"{here}/books/{dutchman.removeprefix('/book/')}", act="send", back="book")
    assert "is offered at the next sync" in page(ida, dutchman)
    assert "The Flying Dutchman" in page(ida, f"{here}?only=due")
    ida.submit(f"{here}/books/{oz}", act="withdraw")
    assert "The book leaves it." in page(ida, f"/book/{oz}")


def test_only_a_kobo_has_such_a_page(server: Server, ida: Browser) -> None:
    browser = re.search(r"/devices/(\d+)/rename", page(ida, "/devices"))
    assert browser
    assert ida.get(f"/devices/{browser[1]}").status_code == 404
