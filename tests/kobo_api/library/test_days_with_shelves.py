"""The library side of Kobos, from end to end: the simulator against a real server process.

Each test names the section of docs/reference/kobo-protocol.md that it proves.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import httpx
import pytest

from tests.end_to_end.test_edited_in_place import edited, plain
from tests.library.making import titled
from tests.server import BOOKS, Browser, Server, running_server
from tests.simulators.kobo import Kobo, Violation

MANY = 300
OZ = BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        books = [OZ]
        for number in range(MANY - 1):
            text = f"<h1>Tale {number:03}</h1><p>{'The lamp burned low. ' * 30} Number {number * 7919}.</p>"
            path = Path(folder) / f"tale-{number:03}.epub"
            path.write_bytes(titled(f"Tale {number:03}", text=text, author=f"Author {number % 9}"))
            books.append(path)
        with running_server(books=books) as server:
            yield server


class Owner:
    """A person with devices, at the web pages. Their devices get the shelf “Mine” (Tales 000 to 004, Oz) alone."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder, self.name = server, folder, f"Ida of {folder.name}"
        server.add_user(self.name)
        self.devices: list[dict[str, object]] = []

    def kobo(self, name: str = "Kobo", *, mine: bool = True, **options: object) -> Kobo:
        device = self.server.add_device(self.name, "kobo", name)
        self.devices.append(device)
        if mine:
            self.choose(device["device"], "Mine")
        return Kobo(device["api_endpoint"], self.folder / name, **options)  # type: ignore[arg-type]

    def choose(self, device: object, *names: str, everything: bool = False) -> None:
        for name in names:
            if name not in self.shelves() and name == "Mine":
                self.shelf("Mine", *(f"Tale {number:03}" for number in range(5)), "The Marvelous Land of Oz")
        fields = {f"shelf:{self.shelves()[name]}": "on" for name in names}
        self.submit(f"/devices/{device}/choice", what="everything" if everything else "chosen", **fields)

    def shelf(self, name: str, *titles: str) -> None:
        answer = self.submit("/shelves", name=name)
        for title in titles:
            self.submit(f"{answer.headers['location'].partition('?')[0]}/books/{self.book(title)}", act="add")

    def put(self, shelf: str, title: str, act: str = "add") -> None:
        self.submit(f"/shelves/{self.shelves()[shelf]}/books/{self.book(title)}", act=act)

    def shelves(self) -> dict[str, str]:
        page = self.get("/shelves").text.partition("Deleted")[0]
        return {name: id for id, name in re.findall(r'<a href="/shelves/([^"]+)">([^<]+)</a>', page)}

    def on(self, shelf: str) -> list[str]:
        page = self.get(f"/shelves/{self.shelves()[shelf]}").text
        return re.findall(r'<h2><a href="/book/[^"]+">([^<]+)</a></h2>', page)

    def book(self, title: str) -> str:
        return str(self.one("SELECT id FROM book WHERE title = ?", title))

    def one(self, query: str, *arguments: object) -> object:
        with closing(connect(self.server.data / "bookwake.sqlite3")) as database:
            return database.execute(query, arguments).fetchone()[0]

    def get(self, path: str) -> httpx.Response:
        answer = self.browser.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer

    def submit(self, path: str, **fields: str) -> httpx.Response:
        answer = self.browser.submit(path, **fields)
        assert answer.status_code == 303, answer.text
        return answer

    browser: Browser


@pytest.fixture
def owner(server: Server, tmp_path: Path) -> Iterator[Owner]:
    owner = Owner(server, tmp_path)
    with server.browser(owner.name) as browser:
        owner.browser = browser
        yield owner


def entitlements(events: list[dict[str, object]]) -> int:
    return sum("NewEntitlement" in event or "ChangedEntitlement" in event for event in events)


def forward(owner: Owner, hours: int) -> None:
    """Let the time that a book still stays on its device pass."""
    with closing(connect(owner.server.data / "bookwake.sqlite3", timeout=30)) as database:
        database.execute(
            "UPDATE kobodelivery SET leaves_at = datetime(leaves_at, ?) || '.000000' WHERE leaves_at IS NOT NULL",
            (f"-{hours} hours",),
        )
        database.commit()


def test_first_sync_of_300_books_and_then_nothing(owner: Owner) -> None:
    """4.3: pages that end exactly; 4.10: what is held is not sent again."""
    with owner.kobo(mine=False, auto_download=3) as kobo:
        assert entitlements(kobo.sync()) == MANY == len(kobo.shelf.books)
        assert sum(book.is_downloaded for book in kobo.shelf.books.values()) == 3
        assert kobo.sync() == kobo.sync() == []
        kobo.shelf.sync_token = ""
        assert kobo.sync() == [], "also without its token (4.2)"
        page = owner.get(f"/devices/{owner.devices[0]['device']}").text
        assert re.search(r'On the Kobo <span class="count">3<', page)
        assert re.search(r'Listed, not fetched <span class="count">297<', page)


def test_collections_go_both_ways(owner: Owner) -> None:
    """4.11 and 6.6, with two Kobos of one person, one of them offline."""
    with owner.kobo("One") as one, owner.kobo("Two") as two:
        one.sync()
        two.sync()
        assert set(one.collections.shown) == {"Mine"} and len(one.collections.shown["Mine"]) == 6
        one.collections.create("Beach", one.book("Tale 001"), one.book("Tale 002"))
        assert owner.on("Beach") == ["Tale 001", "Tale 002"] and one.sync() == []
        two.collections.is_offline = True
        two.collections.create("beach", two.book("Tale 003"))
        two.collections.add("beach", two.book("Tale 004"))
        one.collections.take_out("Beach", one.book("Tale 002"))
        two.sync()
        assert two.collections.shown == {**one.collections.shown, "Beach": ["Tale 001", "Tale 003", "Tale 004"]}
        owner.put("Beach", "Tale 000")
        one.sync(), two.sync()
        assert one.collections.shown == two.collections.shown
        assert one.collections.shown["Beach"] == ["Tale 001", "Tale 003", "Tale 004", "Tale 000"] == owner.on("Beach")
        two.collections.rename("Beach", "Sea")
        one.sync()
        assert set(one.collections.shown) == {"Mine", "Sea"} == set(owner.shelves())
        one.collections.delete("Sea")
        two.sync()
        assert set(two.collections.shown) == {"Mine"} == set(owner.shelves())
        assert one.sync() == two.sync() == []


def test_a_collection_that_the_server_does_not_know_is_forgotten(owner: Owner) -> None:
    """6.6: from another server, say. Never a 4xx; the device is told to forget it."""
    with owner.kobo() as kobo:
        kobo.sync()
        id = "c9d5e9c2-7f5d-4e34-8d22-54a0f6b8e411"
        kobo.shelf.collections[id] = {"Id": id, "Name": "Old server", "Items": []}
        kobo.collections.add("Old server", kobo.book("Tale 000"))
        kobo.sync()
        assert set(kobo.collections.shown) == {"Mine"} and kobo.shelf.edits == [] and kobo.sync() == []


def test_what_is_none_of_ours_stays_in_a_collection(owner: Owner) -> None:
    """4.11: `ChangedTag` replaces the whole list, so a bought book must be in it."""
    with owner.kobo() as kobo:
        kobo.sync()
        bought = "0b0b0b0b-0000-4000-8000-000000000001"
        kobo.shelf.own_items.append(bought)
        tag = kobo.shelf.collections[owner.shelves()["Mine"]]
        kobo.connection.call("POST", f"/v1/library/tags/{tag['Id']}/items", {"Items": [{"RevisionId": bought}]})
        owner.put("Mine", "Tale 005")
        kobo.sync()
        items = kobo.shelf.collections[tag["Id"]]["Items"]
        assert bought in [item["RevisionId"] for item in items] and len(items) == 8


def test_selection(owner: Owner) -> None:
    """4.8: only what was chosen; what leaves goes after a while, what comes back is offered again."""
    with owner.kobo(auto_download=9) as kobo:
        assert entitlements(kobo.sync()) == 6 and all(book.is_downloaded for book in kobo.shelf.books.values())
        device = owner.devices[0]["device"]
        page = owner.get(f"/book/{owner.book('Tale 042')}").text
        assert "Not chosen for it." in page and "Send to Kobo" in page
        owner.submit(f"/devices/{device}/books/{owner.book('Tale 042')}", act="send", back="book")
        assert entitlements(kobo.sync()) == 1 and kobo.book("Tale 042").is_downloaded
        owner.put("Mine", "Tale 000", "remove")
        assert entitlements(kobo.sync()) == 0 and kobo.book("Tale 000").is_downloaded
        owner.put("Mine", "Tale 001", "remove")
        kobo.sync()
        owner.put("Mine", "Tale 001")
        forward(owner, 2)
        kobo.replacements.add(kobo.book("Tale 000").id)
        assert entitlements(kobo.sync()) == 1 and kobo.book("Tale 001").is_downloaded, "moved back in time"
        with pytest.raises(LookupError):
            kobo.book("Tale 000")
        owner.put("Mine", "Tale 000")
        assert entitlements(kobo.sync()) == 1 and kobo.book("Tale 000").is_downloaded
        assert kobo.sync() == []


def test_removal_on_either_side(owner: Owner) -> None:
    """6.5: removed on the device it stays away, until somebody offers it again; 4.8: taken off from here."""
    with owner.kobo(auto_download=9) as kobo, owner.kobo("Other") as other:
        kobo.sync(), other.sync()
        kobo.remove("Tale 000")
        assert kobo.sync() == [] and other.book("Tale 000")
        device = owner.devices[0]["device"]
        assert "Removed on the Kobo" in owner.get(f"/devices/{device}?only=removed").text
        owner.submit(f"/devices/{device}/books/{owner.book('Tale 000')}", act="send")
        assert entitlements(kobo.sync()) == 1 and kobo.book("Tale 000").is_downloaded
        owner.submit(f"/devices/{device}/books/{owner.book('Tale 001')}", act="withdraw")
        kobo.replacements.add(kobo.book("Tale 001").id)
        assert entitlements(kobo.sync()) == 1 and other.book("Tale 001")
        with pytest.raises(LookupError):
            kobo.book("Tale 001")
        assert kobo.sync() == [] and len(kobo.collections.shown["Mine"]) == 5


def test_the_same_kobo_added_again_loses_nothing(owner: Owner) -> None:
    """2.3 and 4.10: under a second entry everything would be offered anew, and dropped."""
    with owner.kobo(auto_download=9) as kobo:
        kobo.sync()
        again = owner.server.add_device(owner.name, "kobo", "Again")
        kobo.connection.api_endpoint = again["api_endpoint"]
        assert kobo.sync() == [] and all(book.is_downloaded for book in kobo.shelf.books.values())
        page = owner.get(f"/devices/{owner.devices[0]['device']}").text
        assert "added a second time, as “Again”" in page
        assert "Again" not in re.findall(r'<h3><a href="/devices/\d+">([^<]+)</a>', owner.get("/devices").text)
        owner.submit(f"/devices/{owner.devices[0]['device']}/remove")
        with pytest.raises(Violation, match="404"):
            kobo.sync()
        kobo.connection.api_endpoint = owner.server.add_device(owner.name, "kobo", "Third")["api_endpoint"]
        assert kobo.sync() == []


def test_a_reset_kobo_gets_everything_again(owner: Owner) -> None:
    """2.6 and 4.10: it introduces itself as new, and has lost the token it used to show."""
    with owner.kobo(auto_download=2) as kobo:
        kobo.sync()
        kobo.sync()
        kobo.reset()
        assert kobo.shelf.books == {} and entitlements(kobo.sync()) == 6
        assert len(kobo.collections.shown["Mine"]) == 6 and kobo.sync() == []
        assert "introduced itself as new and empty" in owner.get(f"/devices/{owner.devices[0]['device']}").text


def test_a_status_set_in_the_browser_reaches_the_kobo(owner: Owner) -> None:
    """5.3 to 5.6: with the place the device is at, and without a question when the book is opened."""
    with owner.kobo() as kobo:
        kobo.sync()
        kobo.download("Oz")
        kobo.open("Oz")
        kobo.turn_pages(20)
        text = kobo.visible_text()
        kobo.close()
        owner.submit(f"/book/{owner.book('The Marvelous Land of Oz')}/state", status="finished", was_status="reading")
        assert len(kobo.sync()) == 1 and kobo.book("Oz").status == "Finished" and kobo.sync() == []
        kobo.open("Oz")
        assert kobo.visible_text() == text and kobo.dialogs == []
        kobo.close()
        assert kobo.sync() == []


def test_the_new_rendition_and_two_kobos_of_which_one_has_it(owner: Owner) -> None:
    """4.10 and 5.5: another text is offered, once; until then each Kobo is led in the file that it holds."""
    with owner.kobo("New") as new, owner.kobo("Old") as old:
        for kobo in (new, old):
            kobo.sync()
            kobo.download("Oz")
        file = owner.server.books / OZ.name
        edited(OZ, file.with_suffix(".tmp"))
        file.with_suffix(".tmp").replace(file)
        owner.server.scan()
        id = new.book("Oz").id
        new.replacements.add(id)
        assert entitlements(new.sync()) == 1 and not new.book("Oz").is_downloaded and new.sync() == []
        new.download("Oz")
        assert new.book("Oz").etag != old.book("Oz").etag
        new.open("Oz")
        new.turn_pages(40)
        words = plain(new.visible_text())
        new.close()
        old.open("Oz")
        assert words[:30] in plain(old.visible_text()), "in the coordinates of the old file"
        old.turn_pages(10)
        words = plain(old.visible_text())
        old.close()
        new.sync()
        new.open("Oz")
        assert words[:30] in plain(new.visible_text())
        new.close()
        old.replacements.add(id)
        assert entitlements(old.sync()) == 1 and new.sync() == old.sync() == []
