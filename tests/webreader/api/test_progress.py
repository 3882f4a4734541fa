"""The progress API as the reader uses it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.server import BOOKS, Browser, Server, running_server
from tests.webreader.open_reader import books, journal

NOVEL = "l-frank-baum_the-marvelous-land-of-oz.epub"
FIRST = "epubcfi(/6/12!/4/2[chapter-1]/20/1:218)"
SECOND = "epubcfi(/6/14!/4/2[chapter-2]/26/1:0)"
LATE = "epubcfi(/6/40!/4/2/10/1:0)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / NOVEL]) as server:
        yield server


def url(server: Server) -> str:
    return f"/api/books/{books(server)[NOVEL]}/progress"


def put(client: Browser, server: Server, **fields: Any) -> httpx.Response:
    moved = {"cfi": FIRST, "act": "read", "operation_id": "0123456789abcdef", "based_on": 0, **fields}
    headers = {"x-csrftoken": client.cookies["bookwake-csrf"], "content-type": "application/json"}
    return client.put(url(server), content=json.dumps(moved), headers=headers)


def test_nothing_read_yet(client: Browser, server: Server) -> None:
    before = journal(server)
    answer = client.get(url(server))
    assert answer.headers["cache-control"] == "no-store"
    where = answer.json()
    assert (where["version"], where["cfi"], where["device"]) == (0, None, None)
    assert journal(server) == before


def test_read_on_and_come_back(client: Browser, server: Server) -> None:
    now = datetime.now(UTC).isoformat()
    saved = put(client, server, claimed_at=now).json()
    assert saved["outcome"] == "current" and saved["version"] == 1 and 0 < saved["fraction"] < 0.1
    saved = put(client, server, cfi=SECOND, operation_id="another-operation", based_on=1).json()
    assert (saved["outcome"], saved["version"]) == ("current", 2)
    where = client.get(url(server)).json()
    assert (where["version"], where["cfi"], where["status"], where["here"]) == (2, SECOND, "exact", True)
    assert where["fraction"] == saved["fraction"]


def test_sent_again_counts_once(client: Browser, server: Server) -> None:
    assert put(client, server).json()["outcome"] == "current"
    count = len(journal(server))
    assert put(client, server).json()["outcome"] == "duplicate"
    assert len(journal(server)) == count


def test_a_stale_page_does_not_take_everybody_back(client: Browser, server: Server) -> None:
    put(client, server, operation_id="operation-1")
    put(client, server, operation_id="operation-2", cfi=LATE, based_on=1, act="jumped")
    saved = put(client, server, operation_id="operation-3", cfi=SECOND, based_on=1).json()
    assert (saved["outcome"], saved["version"]) == ("suggestion", 2)
    assert client.get(url(server)).json()["cfi"] == LATE
    saved = put(client, server, operation_id="operation-4", cfi=SECOND, based_on=2, act="jumped").json()
    assert (saved["outcome"], saved["version"]) == ("current", 3)


def test_a_place_that_is_not_in_the_book_is_not_taken(client: Browser, server: Server) -> None:
    put(client, server, operation_id="operation-1")
    for number, cfi in enumerate(("epubcfi(/6/9998!/4/2)", "epubcfi(/6/12!/4/2/998/1:3)", "not a cfi")):
        saved = put(client, server, operation_id=f"operation-x{number}", cfi=cfi, based_on=1).json()
        assert saved["outcome"] in ("rejected", "current", "history"), cfi
        assert saved["place_status"] == ("failed" if saved["outcome"] == "rejected" else "approximate")
        assert saved["place_reason"] in ("no-document", "no-place", "syntax")
        if saved["outcome"] == "current":  # the document is known, so its start is
            assert saved["fraction"] > 0
    assert client.get(url(server)).json()["cfi"].startswith("epubcfi(/6/12!")


@pytest.mark.parametrize(
    "fields",
    [
        {"cfi": ""},
        {"cfi": "epubcfi(" + "/2" * 5000 + ")"},
        {"cfi": None},
        {"act": "opened"},
        {"operation_id": "short"},
        {"operation_id": "has spaces in it"},
        {"based_on": -1},
        {"based_on": "1; DROP TABLE progress"},
        {"claimed_at": "yesterday"},
        {"claimed_at": "2026-01-01T00:00:00"},
        {"sha256": "nope"},
        {"unknown": 1},
    ],
)
def test_what_is_not_in_the_protocol_is_refused(client: Browser, server: Server, fields: dict[str, Any]) -> None:
    before = journal(server)
    assert put(client, server, **fields).status_code == 400
    assert journal(server) == before


def test_limits_and_forgery(client: Browser, server: Server) -> None:
    before = journal(server)
    assert put(client, server, cfi="x" * 20_000).status_code == 413
    assert (
        client.put(url(server), json={"cfi": FIRST, "act": "read", "operation_id": "no-token-sent"}).status_code == 403
    )
    assert put(client, server, sha256="0" * 64).status_code == 404
    assert client.get("/api/books/unknown/progress").status_code == 404
    assert journal(server) == before


def test_the_place_is_each_persons_own(client: Browser, server: Server, person: str) -> None:
    put(client, server)
    neighbour_name = f"Neighbour of {person}"
    server.add_user(neighbour_name)
    with server.browser(neighbour_name) as neighbour:
        assert neighbour.get(url(server)).json()["version"] == 0
