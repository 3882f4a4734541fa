"""The page of a book: how somebody got where they are, undo, what they think of it. All without scripts."""

import re
from html import unescape
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.chromium import chromium, signed_in
from tests.server import Server, running_server
from tests.webreader.pages.test_library import OZ, book_path, digest

TITLE = "The Marvelous Land of Oz"


class Reader:
    """A KOReader with the stock plugin."""

    def __init__(self, server: Server, user: str, name: str) -> None:
        self.login = server.add_device(user, "kosync", f"{name} login")
        self.auth = (self.login["username"], self.login["password"])
        self.name = name

    def push(self, document: int, percentage: float) -> None:
        answer = httpx.put(
            self.login["server"] + "/syncs/progress",
            auth=self.auth,
            json={
                "document": digest(),
                "progress": f"/body/DocFragment[{document}]/body/section/p[2]/text().0",
                "percentage": percentage,
                "device": self.name,
                "device_id": self.name * 8,
            },
        )
        assert answer.status_code == 200

    def pull(self) -> dict:
        return httpx.get(f"{self.login['server']}/syncs/progress/{digest()}", auth=self.auth).json()


@pytest.fixture(scope="module")
def server():
    with running_server(books=[OZ]) as server:
        server.add_user("Ben", admin=True)
        yield server


@pytest.fixture
def ida(server: Server, request) -> str:
    """Somebody who has read nothing yet."""
    name = f"Ida {abs(hash(request.node.name)) % 10**9}"
    server.add_user(name)
    return name


def forms(page: str) -> dict[str, dict[str, str]]:
    """The hidden fields of each form, by its address."""
    found = {}
    for address, inside in re.findall(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL):
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside)
        found[unescape(address)] = {name: unescape(value) for name, value in fields}
    return found


def words(page: str) -> str:
    """What a person sees."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def entry_of(page: str, nth: int) -> str:
    """The address of the n-th way back on the page."""
    return [address for address in forms(page) if "/back/" in address][nth]


def test_a_wrong_jump_is_undone_for_every_device_by_one_button(server: Server, ida: str):
    boox, tolino = Reader(server, ida, "Boox"), Reader(server, ida, "Tolino")
    boox.push(10, 0.30)
    right = boox.pull()["progress"]
    tolino.push(20, 0.80)
    assert boox.pull()["progress"] != right
    with server.browser(ida) as browser:
        path = book_path(browser, TITLE)
        page = browser.get(path).text
        assert "How you got here" in page and page.count("you are here") == 1
        back = entry_of(page, 0)
        answer = browser.submit(back, **forms(page)[back])
        assert answer.status_code == 303, answer.text
        page = browser.get(answer.headers["location"]).text
        assert "You are back there." in page and "You put this place back." in page
        # The same form sent again by a slow connection counts once.
        count = page.count("You put this place back.")
        browser.submit(back, **forms(browser.get(path).text)[back])
        assert browser.get(path).text.count("You put this place back.") == count
    for reader in (boox, tolino):
        given = reader.pull()
        assert given["progress"] == right and given["device"] not in ("Boox", "Tolino"), "news for both"


def test_a_suggestion_stands_on_top_and_is_gone_to(server: Server, ida: str):
    boox = Reader(server, ida, "Boox")
    boox.push(20, 0.80)
    Reader(server, ida, "Old").push(6, 0.20)
    with server.browser(ida) as browser:
        path = book_path(browser, TITLE)
        page = browser.get(path).text
        assert page.index("Old was at") < page.index("Where you are")
        assert "far behind the place that counts" in page and page.count("Waits for you.") == 1
        go = entry_of(page, 0)
        browser.submit(go, **forms(page)[go])
        page = browser.get(path).text
        assert "Old was at" not in page and "Waits for you." not in page
    assert "DocFragment[6]" in boox.pull()["progress"]


def test_nobody_goes_back_in_the_book_of_another(server: Server, ida: str):
    Reader(server, ida, "Boox").push(10, 0.30)
    with server.browser(ida) as browser:
        page = browser.get(book_path(browser, TITLE) + "?everything=true").text
        assert "The first that was heard of this book." in page
        path = book_path(browser, TITLE)
    with server.browser("Ben") as browser:
        assert "first that was heard" not in browser.get(path).text
        for entry in ("1", "2", "999999"):
            assert browser.submit(f"{path}/back/{entry}").status_code == 404
        assert browser.submit("/book/nothing/back/1").status_code == 404
        assert browser.submit("/book/nothing/state", status="finished").status_code == 404


def test_rating_a_book_does_not_set_its_status(server: Server, ida: str):
    Reader(server, ida, "Boox").push(10, 0.30)
    with server.browser(ida) as browser:
        path = book_path(browser, TITLE)

        def save(**fields: str) -> str:
            hidden = forms(browser.get(path).text)[path + "/state"]
            values = {"status": hidden["was_status"], "rating": hidden["was_rating"], "review": ""}
            answer = browser.submit(path + "/state", **{**hidden, **values, **fields})
            assert answer.status_code == 303
            return browser.get(path).text

        page = save(rating="7")
        assert '<option value="7" selected>3½ stars' in page and "It follows your reading" in page
        assert "Rated 3½ stars." in words(page)
        page = save(status="abandoned", review="Tin, mostly.\nAnd <b>straw</b>.")
        assert "You set this yourself" in page and '<option value="abandoned" selected>' in page
        assert "Tin, mostly.\nAnd &lt;b&gt;straw&lt;/b&gt;." in page
        assert '<option value="7" selected>' in page
        assert "Marked as given up. Review written." in words(page)
        follow = path + "/state/follow"
        assert f'formaction="{follow}"' in page
        assert browser.submit(follow, **forms(page)[path + "/state"]).status_code == 303
        page = browser.get(path).text
        assert "It follows your reading" in page and follow not in page
        page = save(status="abandoned", review="Tin, mostly.\nAnd <b>straw</b>.")
        page = save(rating="99", status="nonsense", review="Tin, mostly.\nAnd <b>straw</b>.")
        assert '<option value="7" selected>' in page and '<option value="abandoned" selected>' in page


def test_the_api_says_and_takes_what_a_person_thinks(server: Server, ida: str):
    with server.browser(ida) as browser:
        book = book_path(browser, TITLE).split("/")[-1]
        url = f"/api/books/{book}/state"
        state = browser.get(url).json()
        assert state == {"version": 0, "status": "unread", "status_by": "automatic", "rating": 0, "review": ""}
        change = {"base_version": 0, "operation_id": "operation-1", "rating": 9, "status": "finished"}
        headers = browser.csrf
        answer = browser.put(url, json=change, headers=headers).json()
        assert answer["outcome"] == "current" and answer["state"]["status_by"] == "person"
        assert browser.put(url, json=change, headers=headers).json()["outcome"] == "duplicate"
        assert browser.get(url).json() == answer["state"]
        for wrong in (
            {"rating": 11},
            {"status": "loved"},
            {"review": "x" * 20_001},
            {"stars": 5},
            {"base_version": -1},
        ):
            bad = {**change, "operation_id": "operation-2", **wrong}
            assert browser.put(url, json=bad, headers=headers).status_code == 400
        assert browser.get("/api/books/nothing/state").status_code == 404
        missing = browser.put("/api/books/nothing/state", json=change, headers=headers)
        assert missing.status_code == 404
    with server.browser("Ben") as browser:
        assert browser.get(url).json()["rating"] == 0
    assert httpx.get(server.url + url).status_code in (401, 303)


def test_highlights_and_reading_time_are_listed(server: Server, ida: str):
    Reader(server, ida, "Boox").push(10, 0.30)
    with server.browser(ida) as browser:
        path = book_path(browser, TITLE)
        book = path.split("/")[-1]
        headers = browser.csrf
        sha256 = browser.get(f"/api/books/{book}/progress").json()["sha256"]
        cfi = browser.get(f"/api/books/{book}/progress").json()["cfi"]
        place = cfi.removesuffix(")")
        parent, _, last = place.rpartition("/")
        start, end = f"/{last.split(':')[0]}:0", f"/{last.split(':')[0]}:12"
        made = {
            "do": "create",
            "id": str(uuid4()),
            "operation_id": str(uuid4()),
            "range": f"{parent},{start},{end})",
            "text": "some words",
            "note": "Look <here>",
            "colour": "#a5d6a7",
        }
        acts = {"sha256": sha256, "operations": [made]}
        answer = browser.post(f"/api/books/{book}/annotations", json=acts, headers=headers)
        assert "current" in answer.text, answer.text
        stretch = {"started_at": "2026-03-01T10:00:00Z", "seconds": 600, "operation_id": str(uuid4())}
        assert browser.put(f"/api/books/{book}/reading-time", json=stretch, headers=headers).status_code == 200
        page = browser.get(path).text
        assert "Look &lt;here&gt;" in page and "in-green" in page and "Green" in page
        assert "10 min in 1 session." in words(page)


@pytest.mark.parametrize(
    "query", ["before=0", "before=-1", "before=x", "everything=maybe", f"before={10**18}", "done=%00"]
)
def test_no_query_breaks_the_page(server: Server, ida: str, query: str):
    with server.browser(ida) as browser:
        answer = browser.get(f"{book_path(browser, TITLE)}?{query}")
        assert answer.status_code in (200, 400)
        assert urlsplit(str(answer.url)).query == query or answer.status_code == 200


def test_a_highlight_leads_into_the_reader_to_its_words(server: Server, ida: str):
    with server.browser(ida) as browser:
        path = book_path(browser, TITLE)
        book, headers = path.split("/")[-1], browser.csrf
        sha256 = browser.get(f"/api/books/{book}/progress").json()["sha256"]
        made = {
            "do": "create",
            "id": str(uuid4()),
            "operation_id": str(uuid4()),
            "range": "epubcfi(/6/24!/4/2/8,/1:0,/1:6)",
            "text": "some words",
        }
        acts = {"sha256": sha256, "operations": [made]}
        answer = browser.post(f"/api/books/{book}/annotations", json=acts, headers=headers)
        assert "current" in answer.text, answer.text
    with chromium() as browser:
        page = signed_in(browser, server, ida)
        page.goto(server.url + path)
        page.get_by_role("link", name="Open there").click()
        page.wait_for_function("() => document.getElementById('page')?.dataset.place?.startsWith('epubcfi(/6/24!')")
        assert "#" not in page.url
        page.context.close()
