"""The reading time API as the reader uses it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.server import BOOKS, Browser, Server, running_server
from tests.webreader.open_reader import books, query

BOOK = "minimal-v2.epub"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / BOOK]) as server:
        yield server


def put(client: Browser, server: Server, minutes_ago: float = 10, book: str | None = None, **fields: Any):
    begun = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    stretch = {"started_at": begun.isoformat(), "seconds": 60, "operation_id": "0123456789abcdef", **fields}
    headers = {**client.csrf, "content-type": "application/json"}
    url = f"/api/books/{book or books(server)[BOOK]}/reading-time"
    return client.put(url, content=json.dumps(stretch), headers=headers)


def sessions(server: Server, person: str) -> list[tuple[Any, ...]]:
    """Seconds and fractions of each session of a person."""
    return query(
        server,
        "SELECT seconds, start_fraction, end_fraction FROM readingsession JOIN user ON user.id = user_id WHERE name = ?"
        " ORDER BY started_at",
        person,
    )


def events(server: Server) -> int:
    return int(query(server, "SELECT count(*) FROM readingevent")[0][0])


def test_stretches_become_a_session(client: Browser, server: Server, person: str) -> None:
    answer = put(client, server, 10, start_fraction=0.1, end_fraction=0.2)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "counted"})
    assert answer.headers["cache-control"] == "no-store"
    put(client, server, 5, operation_id="another-operation", start_fraction=0.2, end_fraction=0.3)
    put(client, server, 50, operation_id="before-the-others", seconds=30)
    assert sessions(server, person) == [(30, None, None), (120, 0.1, 0.3)]


def test_sent_again_counts_once(client: Browser, server: Server, person: str) -> None:
    assert put(client, server).json() == {"outcome": "counted"}
    assert put(client, server).json() == {"outcome": "duplicate"}
    assert sessions(server, person) == [(60, None, None)]


def test_what_grew_while_it_could_not_be_sent_counts_once(client: Browser, server: Server, person: str) -> None:
    begun = (datetime.now(UTC) - timedelta(minutes=20)).isoformat()
    put(client, server, started_at=begun)
    put(client, server, started_at=begun, seconds=600, operation_id="the-same-and-more")
    assert sessions(server, person) == [(600, None, None)]


def test_a_clock_that_cannot_be_true_is_not_counted(client: Browser, server: Server, person: str) -> None:
    assert put(client, server, -60).json() == {"outcome": "doubted"}
    assert put(client, server, started_at="1970-01-05T00:00:00Z", operation_id="long-long-ago").json() == {
        "outcome": "doubted"
    }
    assert sessions(server, person) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"seconds": 0},
        {"seconds": 3601},
        {"seconds": 1.5},
        {"seconds": None},
        {"started_at": "yesterday"},
        {"started_at": "2026-01-01T00:00:00"},
        {"operation_id": "short"},
        {"operation_id": None},
        {"start_fraction": -0.1},
        {"end_fraction": 1.1},
        {"unknown": 1},
    ],
)
def test_what_is_not_in_the_protocol_is_refused(client: Browser, server: Server, fields: dict[str, Any]) -> None:
    before = events(server)
    assert put(client, server, **fields).status_code == 400
    assert events(server) == before


def test_far_away_years_are_no_error_of_the_server(client: Browser, server: Server, person: str) -> None:
    for year in ("0001", "9999"):
        answer = put(client, server, started_at=f"{year}-01-01T00:00:00Z")
        assert answer.status_code == 200 and answer.json() == {"outcome": "doubted"}
    assert sessions(server, person) == []


def test_limits_and_forgery(client: Browser, server: Server) -> None:
    before = events(server)
    assert put(client, server, operation_id="x" * 9_000).status_code == 413
    assert put(client, server, book="unknown").status_code == 404
    assert client.put(f"/api/books/{books(server)[BOOK]}/reading-time", json={}).status_code == 403
    with httpx.Client(base_url=server.url, trust_env=False) as stranger:
        assert stranger.put(f"/api/books/{books(server)[BOOK]}/reading-time", json={}).status_code in (401, 403)
    assert events(server) == before
