"""Notes between a simulated Kobo and a real server over HTTP, through a power cut and an old backup (7.3 to 7.7)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import BOOKS, Server, running_server
from tests.simulators.kobo import Kobo, Violation
from tests.simulators.kobo.annotations import Habits

OZ = "Marvelous Land"
MANY = 88


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub"]) as server:
        server.add_user("Ida")
        yield server


def mark(kobo: Kobo, first: int, last: int) -> None:
    book, file = kobo.book(OZ), kobo.file(OZ)
    spans = [span for document in file.documents for span in document.spans if len(span.text) > 20]
    for span in spans[first:last]:
        kobo.annotations.add(book, span, None, kobo.stamp())


def marks_in_the_browser(server: Server) -> list[dict[str, object]]:
    with server.browser("Ida") as browser:
        found = re.search(r"/book/([0-9a-f-]{36})", browser.get("/").text)
        assert found is not None
        items = browser.get(f"/api/books/{found[1]}/annotations").json()["items"]
        return [one for one in items if one.get("range")]


def test_88_notes(server: Server, tmp_path: Path) -> None:
    device = server.add_device("Ida", "kobo")
    with Kobo(device["api_endpoint"], tmp_path / "kobo", habits=Habits(one_by_one=False, limit=25)) as kobo:
        kobo.sync()
        kobo.download(OZ)
        mark(kobo, 0, 40)
        kobo.exchange_notes(OZ)
        with server.browser("Ida") as browser:
            browser.submit(f"/devices/{device['device']}/notes", pushes="yes")
        backup = server.json("backup")["path"]  # type: ignore[index]

        mark(kobo, 40, MANY)
        server.kill()
        with pytest.raises(Violation, match="no answer"):
            kobo.exchange_notes(OZ)
        server.start()
        assert len(kobo.book(OZ).notes) == MANY and len(kobo.book(OZ).pending) == MANY - 40
        kobo.exchange_notes(OZ)
        assert not kobo.book(OZ).pending and len(marks_in_the_browser(server)) == MANY

        kobo.remove_download(OZ)
        kobo.download(OZ)
        assert len(kobo.book(OZ).notes) == MANY, "in four pages"
        kobo.annotations.check_places(kobo.book(OZ), kobo.file(OZ))

        server.stop()
        server.json("restore", str(backup))
        server.start()
        assert len(marks_in_the_browser(server)) == 40
        for _ in range(2):
            kobo.sync()
            kobo.exchange_notes(OZ)
            kobo.annotations.get(kobo.book(OZ))
        assert len(kobo.book(OZ).notes) == MANY
        with server.browser("Ida") as browser:
            page = browser.get(f"/devices/{device['device']}/notes").text
        assert "A backup was put back here" in page
        assert device["token"] not in server.log
