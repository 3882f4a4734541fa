"""Every request that real KOReaders sent to a sync server, sent again to ours (koreader.md 1, captures)."""

import hashlib
import json

import httpx
import pytest
from sqlmodel import select

from appliance.database import Database
from appliance.models import JournalEntry
from tests.conftest import ROOT
from tests.server import running_server

CAPTURES = ROOT / "tests" / "data" / "captures"
SESSIONS = sorted(path.name for pattern in ("session-*.json", "kosync-*.json") for path in CAPTURES.glob(pattern))


@pytest.fixture(scope="module")
def server():
    with running_server(books=[CAPTURES / "lantern.epub"]) as server:
        server.add_user("Ida")
        yield server


def exchanges(name):
    """(method, path, headers, body, status, answer) of each recorded exchange, oldest first."""
    for item in json.loads((CAPTURES / name).read_text()):
        if "request_line" in item:
            method, path, _ = item["request_line"].split()
            yield (
                method,
                path,
                dict(item["headers"]),
                item.get("body") or "",
                item["response_status"],
                item["response_body"],
            )


@pytest.mark.parametrize("name", SESSIONS)
def test_a_recorded_session_gets_the_answers_it_got(server, name):
    login = server.add_device("Ida", "kosync")
    key = hashlib.md5(login["password"].encode()).hexdigest()
    good_keys = {
        headers["x-auth-key"]
        for _, path, headers, _, status, _ in exchanges(name)
        if path == "/users/auth" and status == 200
    }
    sent, checked = set(), 0
    for method, path, headers, body, status, answer in exchanges(name):
        if path == "/users/create" or status >= 500:
            continue  # registration is off (its refusal has a test of its own); the test server was told to fail
        headers = {k: v for k, v in headers.items() if k.lower() not in ("host", "content-length")}
        if headers.get("x-auth-key") in good_keys:
            headers |= {"x-auth-user": login["username"], "x-auth-key": key}
        given = httpx.request(method, server.url + path, headers=headers, content=body.encode())
        assert given.status_code == status, (method, path, given.text)
        assert given.headers["content-type"].startswith("application/json")
        if method == "PUT":
            pushed = json.loads(body)
            sent.add(pushed["document"])
            assert given.json()["document"] == pushed["document"] and isinstance(given.json()["timestamp"], int)
        elif path.startswith("/syncs/") and path.rpartition("/")[2] in sent:
            got = given.json()
            assert set(got) >= {"document", "progress", "percentage", "device", "device_id", "timestamp"}
            assert isinstance(got["progress"], str) and isinstance(got["percentage"], float)
        elif path == "/users/auth":
            assert given.json() == answer or given.json()["code"] == answer["code"]
        checked += 1
    assert checked >= 3


def test_the_positions_of_a_real_reader_are_exact(server):
    """Each XPointer of the session lies in the book, and comes back as it was sent."""
    tom = server.add_user("Tom")
    login = server.add_device("Tom", "kosync")
    headers = {"x-auth-user": login["username"], "x-auth-key": hashlib.md5(login["password"].encode()).hexdigest()}
    pushes = [json.loads(body) for method, _, _, body, _, _ in exchanges("session-a-device-1.json") if method == "PUT"]
    for push in pushes:
        httpx.put(server.url + "/syncs/progress", headers=headers, json=push).raise_for_status()
        if push is pushes[0]:
            got = httpx.get(f"{server.url}/syncs/progress/{push['document']}", headers=headers).json()
            assert {key: got[key] for key in ("progress", "percentage", "device", "device_id")} == {
                key: push[key] for key in ("progress", "percentage", "device", "device_id")
            }
    with Database(f"sqlite:///{server.data / 'bookwake.sqlite3'}").read() as session:
        entries = session.exec(select(JournalEntry).where(JournalEntry.user_id == tom["id"])).all()
    assert [entry.locator for entry in entries] == [push["progress"] for push in pushes]
    assert {entry.place_status for entry in entries} == {"exact"}
