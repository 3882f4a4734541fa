"""The way in, on a real server: strangers, odd requests, and what the log may say (kobo-protocol.md 2.3, 8)."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.server import BOOKS, Server, running_server

PATHS = [
    ("GET", "/v1/initialization"),
    ("POST", "/v1/auth/device"),
    ("GET", "/v1/library/sync"),
    ("GET", "/v1/library/x/state"),
    ("PUT", "/v1/library/x/state"),
    ("DELETE", "/v1/library/x"),
    ("GET", "/v1/library/x/metadata"),
    ("GET", "/download/x.kepub.epub"),
    ("GET", "/covers/x/1/1/false/image.jpg"),
    ("GET", "/oauth/.well-known/openid-configuration"),
    ("POST", "/oauth/token"),
    ("GET", "/anything"),
    ("GET", ""),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / "minimal-v2.epub"]) as server:
        server.add_user("Ida")
        yield server


@pytest.fixture(scope="module")
def endpoint(server: Server) -> str:
    return server.add_device("Ida", "kobo")["api_endpoint"]


def test_strangers_all_hear_the_same(server: Server, endpoint: str) -> None:
    answers = set()
    for token in ("0" * 32, "x", "%00", "a" * 5000):
        for method, path in PATHS:
            answer = httpx.request(method, f"{server.url}/kobo/{token}{path}", trust_env=False)
            answers.add((answer.status_code, answer.content))
    assert answers == {(404, b"{}")}
    assert httpx.get(f"{server.url}/kobox/v1/deals", trust_env=False).status_code == 404
    assert httpx.get(f"{server.url}/kobo", trust_env=False).status_code == 404


def test_raw_brackets_odd_slashes_and_methods(server: Server, endpoint: str) -> None:
    path = endpoint.removeprefix(server.url)
    for line in (
        f'GET {path}/v1/assets?DiffRequests=[{{"a":["b"]}}] HTTP/1.1',
        f"GET {path}//v1/deals/ HTTP/1.1",
        f"DELETE {path}/v1/deals HTTP/1.1",
        f"PATCH {path}/v1/library/sync HTTP/1.1",
    ):
        assert _raw(server, line).startswith(b"HTTP/1.1 200"), line


def test_the_port_is_ours_where_the_device_leaves_it_out(server: Server, endpoint: str) -> None:
    resources = httpx.get(f"{endpoint}/v1/initialization", headers={"Host": "127.0.0.1"}, trust_env=False).json()[
        "Resources"
    ]
    assert resources["library_sync"] == f"{endpoint}/v1/library/sync"
    assert resources["reading_services_host"] == server.url


def test_head_has_no_body(endpoint: str) -> None:
    [event] = httpx.get(f"{endpoint}/v1/library/sync", trust_env=False).json()
    url = event["NewEntitlement"]["BookMetadata"]["DownloadUrls"][0]["Url"]
    head, whole = httpx.head(url, trust_env=False), httpx.get(url, trust_env=False)
    assert head.content == b"" and head.headers["content-length"] == str(len(whole.content))
    assert httpx.head(f"{endpoint}/v1/deals", trust_env=False).content == b""


def test_a_body_without_end_is_refused(endpoint: str) -> None:
    answer = httpx.put(f"{endpoint}/v1/library/x/state", content=b" " * (9 * 1024 * 1024), trust_env=False)
    assert answer.status_code == 413


def test_a_failure_keeps_the_secret(server: Server, endpoint: str) -> None:
    """Nothing that was asked so far put the token into the log, nor does a request that breaks."""
    secret = endpoint.rpartition("/")[2]
    httpx.get(f"{endpoint}/v1/library/sync?secret={secret}", headers={"x-kobo-userkey": "u5er"}, trust_env=False)
    assert secret not in server.log and "u5er" not in server.log


def test_its_person_sees_what_it_asked(server: Server, endpoint: str) -> None:
    secret = endpoint.rpartition("/")[2]
    headers = {"x-kobo-appversion": "4.45.23697", "x-kobo-synctoken": "S1.7", "x-kobo-devicemodel": "Kobo Clara 2E"}
    httpx.get(f"{endpoint}/v1/library/sync?Filter=ALL&secret={secret}", headers=headers, trust_env=False)
    event = {"Id": "1", "EventType": "FailedSync", "Timestamp": "2026-03-02T18:05:00Z", "Attributes": {"reason": "Err"}}
    httpx.post(f"{endpoint}/v1/analytics/event", json={"Events": [event]}, headers=headers, trust_env=False)
    device = server.json("device", "list")[0]["device"]  # type: ignore[index]
    with server.browser("Ida") as browser:
        shown = browser.get(f"/devices/{device}/requests").text
        text = browser.get(f"/devices/{device}/requests.txt")
    assert "attachment" in text.headers["content-disposition"] and text.headers["content-type"].startswith("text/plain")
    assert "kobo Kobo Clara 2E, firmware 4.45.23697" in text.text and "a sync failed: Err" in text.text
    assert "/v1/library/sync  [Filter=ALL, token S1.7, appversion 4.45.23697]" in text.text
    assert "/v1/library/sync" in shown and "a sync failed: Err" in shown and secret not in shown + text.text


def test_the_store_is_switched_on_and_off(server: Server, endpoint: str) -> None:
    device = server.json("device", "list")[0]["device"]  # type: ignore[index]
    with server.browser("Ida") as browser:
        assert "switched off" in browser.get(f"/devices/{device}/store").text
        for value in ("on", "off"):
            assert browser.submit(f"/devices/{device}/store", store=value).status_code == 303
            assert f"switched {value}" in browser.get(f"/devices/{device}/store").text
        assert browser.get("/devices/999/store").status_code in (400, 404)


def _raw(server: Server, line: str) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f"{line}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(65536)
