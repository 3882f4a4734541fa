import hashlib
import re
from html import unescape

import httpx
import pytest

from tests.server import BOOKS, Browser, Server

OZ = BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub"


def book_path(browser: Browser, title: str) -> str:
    """The page of the book with that title, as the library links to it."""
    found = re.search(rf'<a href="(/book/[^"]+)">(?:(?!</a>).)*{re.escape(title)}', browser.get("/").text, re.DOTALL)
    assert found, title
    return found[1]


def digest() -> str:
    """KOReader's digest of `OZ` (koreader.md 2.1)."""
    data = OZ.read_bytes()
    samples = (data[at : at + 1024] for at in (0, *(1024 << 2 * i for i in range(11))) if at < len(data))
    return hashlib.md5(b"".join(samples)).hexdigest()


def test_the_wall_shows_every_book_with_its_cover(server: Server):
    with server.browser("Ben") as browser:
        page = browser.get("/").text
        assert re.findall(r'class="title">([^<]+)<', page).index("The Marvelous Land of Oz") > 0
        pictures = set(re.findall(r'src="(/book/[^"]+)"', page))
        assert len(pictures) == 4
        for address in pictures:
            answer = browser.get(address)
            assert answer.headers["content-type"] == "image/jpeg" and answer.content[:2] == b"\xff\xd8"
            assert "immutable" in answer.headers["cache-control"] and "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("words", "found"),
    [("MARVELOUS oz", 1), ("baum", 1), ("regime", 1), ("régime anti", 1), ("oz nothing", 0), ("%", 0), ("'; --", 0)],
)
def test_search_ignores_case_and_accents(server: Server, words: str, found: int):
    with server.browser("Ben") as browser:
        page = browser.get("/", params={"q": words}).text
        assert page.count('class="title"') == found
        assert words in unescape(page)


@pytest.mark.parametrize("query", ["p=0", "p=-3", "p=999999999", "q=" + "x" * 5000, "q=%00", "p=2&q=oz"])
def test_no_query_breaks_the_library(server: Server, query: str):
    with server.browser("Ben") as browser:
        assert browser.get(f"/?{query}").status_code == 200


def test_a_query_that_is_no_number_is_refused_kindly(server: Server):
    with server.browser("Ben") as browser:
        answer = browser.get("/?p=many")
        assert answer.status_code == 400 and "<h1>This request cannot be understood</h1>" in answer.text


def test_the_book_page_tells_what_it_is_and_downloads_its_bytes(server: Server):
    with server.browser("Ben") as browser:
        path = book_path(browser, "The Marvelous Land of Oz")
        page = browser.get(path).text
        for said in ("L. Frank Baum", "Oz</a>, book 2", "Standard Ebooks", f'href="/read/{path.split("/")[-1]}"'):
            assert said in unescape(page), said
        assert "You have not begun this book." in page
        answer = browser.get(path + "/download")
        assert answer.content == OZ.read_bytes()
        assert answer.headers["content-type"] == "application/epub+zip"
        assert answer.headers["content-disposition"].startswith("attachment")


def test_reading_appears_on_the_shelf_and_on_the_book_page(server: Server):
    kosync = server.add_device("Ida", "kosync", "Tablet")
    answer = httpx.put(
        kosync["server"] + "/syncs/progress",
        auth=(kosync["username"], kosync["password"]),
        json={
            "document": digest(),
            "progress": "/body/DocFragment[10]/body",
            "percentage": 0.3,
            "device": "Boox",
            "device_id": "A" * 32,
        },
    )
    assert answer.status_code == 200
    with server.browser("Ida") as browser:
        library = browser.get("/").text
        assert "Continue reading" in library and "Read on" in library
        page = browser.get(book_path(browser, "The Marvelous Land of Oz")).text
        table = page[page.index("<table") : page.index("</table")]
        assert "Boox" in table and "read here last" in table and re.search(r"\d+\s%", table)
        assert ">Read on<" in page
    with server.browser("Ben") as browser:
        assert "Continue reading" not in browser.get("/").text
        assert "Boox" not in browser.get(book_path(browser, "The Marvelous Land of Oz")).text


def test_static_files_are_kept_for_ever_and_only_those_are_served(server: Server):
    with server.browser() as browser:
        page = browser.get("/sign-in").text
        style = re.search(r'href="(/static/[0-9a-f]{12}/bookwake.css)"', page)
        assert style
        answer = browser.get(style[1])
        assert answer.headers["content-type"].startswith("text/css")
        assert "immutable" in answer.headers["cache-control"]
        assert browser.head(style[1]).status_code == 200
        for escape in ("/../caller.py", "/%2e%2e/caller.py", "/..%2fcaller.py", "/.vendor", "//etc/passwd"):
            assert browser.get(style[1].replace("/bookwake.css", escape)).status_code == 404
