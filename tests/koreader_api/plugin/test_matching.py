"""Which file is which book."""

import sqlite3
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from tests.koreader_api.plugin.conftest import OTHER
from tests.koreader_api.plugin.standin import Device, Words, paired
from tests.server import Server
from tests.simulators.kosync import partial_md5

UNKNOWN = "0123456789abcdef0123456789abcdef"


def match(device: Device, **said):
    (found,) = device.done("/match", files=[said])["matches"]
    return found


@pytest.fixture
def alice(device: Device, book: Path) -> dict:
    return match(device, file=partial_md5(book))["book"]


def test_the_very_bytes(device: Device, book: Path):
    answer = device.done("/match", files=[{"file": partial_md5(book)}, {"file": UNKNOWN}, {"file": partial_md5(OTHER)}])
    assert [(one["file"], one["how"]) for one in answer["matches"]] == [
        (partial_md5(book), "exact"),
        (UNKNOWN, "none"),
        (partial_md5(OTHER), "exact"),
    ]
    found = answer["matches"][0]["book"]
    assert found["title"] and isinstance(found["authors"], list) and "series" not in found
    assert answer["library"] == device.done("/hello")["library"]


def test_by_the_digest_that_the_sidecar_remembers(device: Device, book: Path, alice: dict):
    found = match(device, file=UNKNOWN, stored=partial_md5(book), title=alice["title"].upper())
    assert (found["how"], found["book"]) == ("stored", alice)
    assert match(device, file=UNKNOWN)["how"] == "stored", "remembered, when it names the file alone"


def test_a_sidecar_that_was_copied_from_another_book_says_nothing(device: Device, book: Path):
    found = match(device, file=UNKNOWN, stored=partial_md5(book), title="Moby Dick")
    assert found["how"] == "none" and "book" not in found


def test_by_the_identifier_if_the_title_fits(device: Device, server: Server, alice: dict):
    with closing(sqlite3.connect(server.data / "bookwake.sqlite3")) as database:
        row = database.execute("SELECT unique_identifier FROM rendition WHERE book_id = ?", [alice["id"]]).fetchone()
    identifier = row[0].removeprefix("urn:")
    assert match(device, file=UNKNOWN, title="Moby Dick", identifiers=identifier)["how"] == "none"
    assert match(device, file=UNKNOWN, identifiers=identifier)["how"] == "none"
    found = match(device, file=UNKNOWN, title=alice["title"], identifiers=f"isbn:9780000000000\n{identifier}")
    assert (found["how"], found["book"]["id"]) == ("identifier", alice["id"])


def test_a_person_chooses_from_proposals_and_takes_it_back(device: Device, alice: dict):
    found = match(device, file=UNKNOWN, title=alice["title"] + " (illustrated)", authors="Somebody Else")
    assert found["how"] == "none" and alice in found["proposals"]
    before = device.done("/hello")["library"]
    linked = device.done("/link", file=UNKNOWN, book=alice["id"])
    assert linked["match"] == {"file": UNKNOWN, "how": "linked", "book": alice}
    assert linked["library"] != before, "a reason for the person's other readers to match again"
    assert match(device, file=UNKNOWN)["how"] == "linked"
    assert device.done("/link", file=UNKNOWN)["match"]["how"] == "none"
    assert match(device, file=UNKNOWN, title=alice["title"])["how"] == "none"


def test_what_was_taken_back_is_not_found_again_by_itself(device: Device, book: Path, alice: dict):
    said = {"file": UNKNOWN, "stored": partial_md5(book), "title": alice["title"]}
    assert match(device, **said)["how"] == "stored"
    device.done("/link", file=UNKNOWN)
    assert match(device, **said)["how"] == "none"


def test_a_book_that_is_not_there_is_404(device: Device):
    answer = device.ask("/link", file=UNKNOWN, book="nothing")
    assert (answer.status_code, answer.json()["error"]) == (404, "no-book")


def test_what_one_person_said_is_not_anothers(server: Server, device: Device, alice: dict):
    device.done("/link", file=UNKNOWN, book=alice["id"])
    server.add_user("Somebody else")
    assert match(paired(server, "Somebody else"), file=UNKNOWN)["how"] == "none"


def test_files_nobody_knows_are_listed_in_the_browser_and_linked_there(server: Server, device: Device, ida: str, alice):
    match(device, file=UNKNOWN, title=alice["title"] + ", a copy", authors="L. Carroll", name="alice <copy>.epub")
    with server.browser(ida) as browser:
        assert "1 file on your KOReaders" in browser.get("/devices").text
        page = browser.get("/devices/files").text
        assert "alice &lt;copy&gt;.epub" in page
        page = unescape(page)
        assert f"It is “{alice['title']}”" in page
        found = browser.get("/devices/files", params={"file": UNKNOWN, "q": alice["title"]}).text
        assert alice["title"] in unescape(found)
        assert browser.submit("/devices/files", file=UNKNOWN, book=alice["id"]).status_code == 303
        assert "as you said" in browser.get("/devices/files").text
        assert match(device, file=UNKNOWN)["how"] == "linked"
        assert browser.submit("/devices/files", file=UNKNOWN).status_code == 303
        assert browser.submit("/devices/files", file="other", book=alice["id"]).status_code == 400


@pytest.mark.parametrize(
    "file", ["", "A" * 32, "0" * 31, "0" * 33, "../../etc/passwd", None, 3, {"x": 1}, "0" * 31 + "\n"]
)
def test_a_file_is_named_by_its_digest(device: Device, file):
    assert device.ask("/match", files=[{"file": file}]).status_code == 400


def test_what_was_made_in_a_file_goes_to_the_book_that_it_is(
    server: Server, device: Device, ida: str, book: Path, words: Words, alice: dict
):
    wrong, right = alice["id"], match(device, file=partial_md5(OTHER))["book"]["id"]
    marks = {"changed": [words.highlight("a", 100, note="mine"), words.highlight("b", 200)], "complete": True}

    def says(book: str, **moved: str) -> None:
        device.done("/link", file=UNKNOWN, book=book)
        said = device.operation("annotations", UNKNOWN, **moved, **marks)
        device.sync(said)
        device.sync(said)  # the answer was lost

    with server.browser(ida) as browser:
        browser.headers["accept"] = "application/json"

        def asks(book: str, what: str) -> dict:
            return browser.get(f"/api/books/{book}/{what}").json()

        def shown(book: str) -> list[str]:
            return sorted(one.get("note", "") for one in asks(book, "annotations")["items"] if "deleted_at" not in one)

        device.says("progress", book, locator=words.at(50), percent=0.01, act="read")
        device.says("annotations", book, changed=[words.highlight("c", 300, note="of the very book")])
        place = asks(wrong, "progress")["cfi"]
        says(wrong)
        device.says("progress", UNKNOWN, locator="", percent=0.6, act="jumped")
        assert shown(wrong) == ["", "mine", "of the very book"] and asks(wrong, "progress")["cfi"] != place
        for _ in range(2):  # whoever errs twice loses nothing either
            says(right, moved_from=wrong)
            assert shown(right) == ["", "mine"] and shown(wrong) == ["of the very book"]
            assert asks(wrong, "progress")["cfi"] == place
            says(wrong, moved_from=right)
            assert shown(right) == [] and shown(wrong) == ["", "mine", "of the very book"]
