import re
from collections.abc import Iterator

import pytest

from tests.server import BOOKS, PASSWORD, Server, eventually, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """With no Kobo, for which books would be prepared before another sweep has its turn."""
    with running_server(books=[BOOKS / "minimal-v2.epub"]) as server:
        server.add_user("Ida", admin=True)
        server.add_user("Ben")
        yield server


def test_an_administrator_sees_the_sweeps_and_runs_one(server: Server):
    with server.browser("Ida") as browser:
        page = browser.get("/settings").text
        rows = dict(re.findall(r'<th scope="row">(\w+)<.*?data-label="Result">(.*?)</td>', page, re.DOTALL))
        assert {"Scan", "Preparation", "Placing", "Backup"} <= set(rows)
        assert browser.submit("/settings/sweeps/backup").headers["location"] == "/settings?done=sweep"
        eventually(lambda: "restored for trial" in browser.get("/settings").text)
        assert browser.submit("/settings/sweeps/dance").status_code == 400


def test_a_file_that_is_no_book_is_listed_with_the_reason(server: Server):
    (server.books / "torn.epub").write_bytes(b"PK\x03\x04 nothing more")
    server.scan()
    with server.browser("Ida") as browser:
        page = browser.get("/settings").text
        assert re.search(r"<li><code>[^<]*torn\.epub</code><br>\s*\w", page)
    with server.browser("Ben") as browser:
        assert "torn.epub" not in browser.get("/settings").text


def test_an_administrator_adds_people_and_others_do_not(server: Server):
    with server.browser("Ida") as browser:
        assert browser.submit("/settings/people", name="Cleo", password="short").status_code == 400
        added = browser.submit("/settings/people", name="Cleo", password=PASSWORD)
        assert added.headers["location"] == "/settings?done=person"
        again = browser.submit("/settings/people", name="CLEO", password=PASSWORD)
        assert again.status_code == 400 and "already a person" in again.text
    with server.browser("Cleo") as browser:
        page = browser.get("/settings").text
        assert "Sweeps" not in page and str(server.folder) not in page
        for path in ("/settings/people", "/settings/sweeps/backup", "/sample"):
            assert browser.submit(path, name="Eve", password=PASSWORD).status_code == 403


def test_a_password_is_changed_by_who_knows_it_and_other_browsers_end(server: Server):
    server.add_user("Dora")
    new = "a new pass phrase"
    with server.browser("Dora") as here, server.browser("Dora") as there:
        wrong = here.submit("/settings/password", current="wrong", password=new, again=new)
        assert wrong.status_code == 403 and "current password" in wrong.text
        assert here.submit("/settings/password", current=PASSWORD, password=new, again="x").status_code == 400
        assert here.submit("/settings/password", current=PASSWORD, password="short", again="short").status_code == 400
        assert there.get("/settings").status_code == 200
        done = here.submit("/settings/password", current=PASSWORD, password=new, again=new)
        assert done.headers["location"] == "/settings?done=password"
        assert here.get("/settings").status_code == 200
        assert there.get("/settings").status_code == 303
    with server.browser("Dora", new):
        pass
