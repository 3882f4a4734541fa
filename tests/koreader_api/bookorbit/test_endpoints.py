"""A client of BookOrbit's plugin API, such as Readest, beside a KOReader with our plugin."""

import hashlib
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.koreader_api.conftest import BOOK
from tests.koreader_api.plugin.standin import Device, Words, paired
from tests.server import PATIENCE, Server, running_server
from tests.simulators.kosync import partial_md5

HASH = partial_md5(BOOK)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOK]) as server:
        yield server


def key_of(dt: str, position: str) -> str:
    return hashlib.md5(f"{dt}|{position}".encode()).hexdigest()


class Client:
    """Keeps its notes by key, and does as it is told."""

    def __init__(self, server: Server, person: str, name: str = "Readest") -> None:
        login = server.add_device(person, "kosync")
        key = hashlib.md5(login["password"].encode()).hexdigest()
        headers = {"X-Auth-User": login["username"], "X-Auth-Key": key}
        self.http = httpx.Client(
            base_url=server.url + "/api/v1/koreader", headers=headers, trust_env=False, timeout=PATIENCE
        )
        self.name = name
        self.notes: dict[str, dict[str, Any]] = {}
        self.marks: dict[str, dict[str, Any]] = {}

    def post(self, path: str, **body: Any) -> Any:
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        envelope = {"deviceId": self.name, "deviceModel": self.name, "pluginVersion": "1.5.5", "deviceTime": clock}
        answer = self.http.post(path, json={**envelope, **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def exchange(self, *changes: dict[str, Any], kind: str = "annotations") -> dict[str, Any]:
        """Send changes with all keys, do what comes back, and acknowledge it."""
        mine = self.notes if kind == "annotations" else self.marks
        start = "pos0" if kind == "annotations" else "pos"
        for change in changes:
            mine[key_of(change["datetime"], change[start])] = change
        keys = [{"k": key, "dt": note["datetime"]} for key, note in mine.items()]
        book = {"hash": HASH, "keys": keys, "keysComplete": True, "changes": list(changes)}
        (result,) = self.post(f"/plugin/{kind}/exchange", books=[book])["results"]
        ack: dict[str, Any] = {"hash": HASH, "applied": [], "deleted": []}
        for add in result["toApply"]["add"]:
            entry = {"serverId": add["serverId"], "version": add["version"], "status": "applied", "verified": True}
            if kind == "bookmarks":
                add["datetime"] = "2026-11-21 10:00:00"  # a client names a bookmark by when it got it
                entry |= {"key": key_of(add["datetime"], add["pos"]), "datetime": add["datetime"], "pos": add["pos"]}
            mine[key_of(add["datetime"], add[start])] = add
            ack["applied"].append(entry)
        for edit in result["toApply"]["edit"]:
            mine[edit["key"]] |= {name: edit[name] for name in ("drawer", "color", "text", "note")}
            ack["applied"].append({"serverId": edit["serverId"], "version": edit["version"], "status": "applied"})
        for delete in result["toApply"]["delete"]:
            mine.pop(delete["key"])
            ack["deleted"].append({"serverId": delete["serverId"], "status": "applied"})
        self.post(f"/plugin/{kind}/exchange-ack", books=[ack])
        return result


def follow(device: Device) -> list[dict[str, Any]]:
    given = device.pulls(BOOK).get("annotations", [])
    done = [
        {
            "name": one["name"],
            "version": one["version"],
            "outcome": "removed" if one["do"] == "remove" else "placed",
        }
        for one in given
    ]
    device.says("followed", BOOK, followed=done)
    return given


def test_the_login_the_version_and_the_books(server: Server, ida: str):
    client = Client(server, ida)
    assert client.http.get("/users/auth").json() == {"authorized": "OK"}
    told = client.http.get("/plugin/version").json()
    assert told["version"] and told["serverVersion"] and "annotations-exchange" in told["capabilities"]
    found = client.post("/plugin/match-check", hashes=[HASH, "f" * 32], books=[{"hash": HASH, "title": "Alice"}])
    ((match),) = found["matches"]
    assert match["hash"] == HASH and 0 < match["bookId"] < 2**53 and isinstance(found["libraryVersion"], str)
    assert httpx.get(server.url + "/api/v1/koreader/plugin/version").status_code == 401


def test_a_highlight_goes_there_and_back(server: Server, ida: str, words: Words):
    client, device = Client(server, ida), paired(server, ida)
    mark = words.highlight("", 1_000)
    change = {"datetime": "2026-11-20 09:00:00", "drawer": "underscore", "color": "red", "posFormat": "xpointer"}
    change |= {name: mark[name] for name in ("pos0", "pos1", "text")}
    assert client.exchange(change)["applied"]["created"] == 1
    assert client.exchange()["toApply"] == {"add": [], "edit": [], "delete": []}
    (given,) = follow(device)
    assert (given["pos0"], given["pos1"], given["style"], given["colour"]) == (
        mark["pos0"],
        mark["pos1"],
        "underscore",
        "red",
    )
    noted = {**mark, "name": given["name"], "note": "from KOReader", "style": "underscore", "colour": "red"}
    (told,) = device.says("annotations", BOOK, changed=[{**noted, "base": given["version"]}])["annotations"]
    (edit,) = client.exchange()["toApply"]["edit"]
    assert edit["note"] == "from KOReader" and edit["key"] == key_of(change["datetime"], mark["pos0"])
    device.says("annotations", BOOK, deleted=[{"name": given["name"], "confirmed": True, "base": told["version"]}])
    assert len(client.exchange()["toApply"]["delete"]) == 1 and client.notes == {}
    assert client.exchange()["toApply"]["delete"] == []


def test_what_it_was_given_it_may_edit_and_delete(server: Server, ida: str, words: Words):
    client, device = Client(server, ida), paired(server, ida)
    device.says("annotations", BOOK, changed=[words.highlight(f"k{n}", 1_000 + 90 * n, note="n") for n in range(5)])
    assert len(client.exchange()["toApply"]["add"]) == 5
    assert client.exchange()["toApply"]["add"] == [], "it has them under names of its own"
    key, note = next(iter(client.notes.items()))
    changed = {"datetime": note["datetime"], "datetimeUpdated": "2026-11-21 20:00:00", "drawer": note["drawer"]}
    changed |= {name: note[name] for name in ("pos0", "pos1", "text", "color")} | {"note": "n, edited"}
    assert client.exchange(changed)["applied"]["changed"] == 1
    (edit,) = follow(device)
    assert (edit["do"], edit["note"]) == ("change", "n, edited")
    del client.notes[key]
    assert client.exchange()["applied"]["deleted"] == 1
    (remove,) = follow(device)
    assert remove["do"] == "remove"


def test_an_empty_list_deletes_nothing(server: Server, ida: str, words: Words):
    client = Client(server, ida)
    mark = words.highlight("", 1_000)
    client.exchange({"datetime": "2026-11-20 09:00:00", **{name: mark[name] for name in ("pos0", "pos1", "text")}})
    client.notes.clear()
    assert client.exchange()["applied"]["deleted"] == 0
    assert follow(paired(server, ida))


def test_bookmarks(server: Server, ida: str, words: Words):
    client, other, device = Client(server, ida), Client(server, ida, "CrossPoint"), paired(server, ida)
    client.exchange({"datetime": "2026-11-20 09:00:00", "pos": words.at(5_000), "chapter": "V"}, kind="bookmarks")
    (given,) = follow(device)
    assert (given["type"], given["pos0"]) == ("bookmark", words.at(5_000))
    (add,) = other.exchange(kind="bookmarks")["toApply"]["add"]
    assert (add["pos"], add["title"]) == (words.at(5_000), "V")
    assert other.exchange(kind="bookmarks")["toApply"]["add"] == []
    assert other.exchange()["toApply"]["add"] == [], "no highlight"


def test_statistics_states_and_places(server: Server, ida: str, words: Words):
    client, device = Client(server, ida), paired(server, ida)
    start = int(time.time()) - 40_000
    events = [{"page": n, "startTime": start + 60 * n, "durationSeconds": 40, "totalPages": 300} for n in range(1, 31)]
    stats = [{"hash": HASH, "events": events}, {"hash": "f" * 32, "events": events[:1]}]
    assert client.post("/plugin/page-stats", books=stats)["unmatched"] == ["f" * 32]
    state = {"hash": HASH, "status": "complete", "statusModified": "2026-11-21", "rating": 4, "reviewNote": "Curious."}
    assert client.post("/plugin/book-states", books=[state])["updated"] == 1
    told = device.pulls(BOOK)["state"]
    assert (told["status"], told["rating"], told["review"]) == ("complete", 4, "Curious.")
    item = {"hash": HASH, "progress": words.at(4_000), "percentage": 0.3, "timestamp": start}
    assert client.post("/plugin/progress", items=[item, {"hash": "e" * 32}])["unmatched"] == ["e" * 32]
    assert device.pulls(BOOK)["progress"]["locator"] == words.at(4_000)
    rows = device.done("/statistics/others", file=HASH)["rows"]
    assert len(rows) == 30
    assert client.post("/plugin/sweeps") == {}


def test_what_makes_no_sense_is_refused(server: Server, ida: str):
    client = Client(server, ida)
    for body in (b"", b"{", b"[]", b'{"books": 3}', b'{"books": [{"hash": "../x"}]}'):
        answer = client.http.post("/plugin/annotations/exchange", content=body)
        assert answer.status_code == 400 and answer.json()["code"] == 2003, body


def test_nobody_sees_anothers_notes(server: Server, ida: str, words: Words):
    client = Client(server, ida)
    mark = words.highlight("", 1_000)
    client.exchange({"datetime": "2026-11-20 09:00:00", **{name: mark[name] for name in ("pos0", "pos1", "text")}})
    server.add_user("Nosy")
    assert Client(server, "Nosy").exchange()["toApply"]["add"] == []


def test_a_file_of_no_book_is_named(server: Server, ida: str):
    told = Client(server, ida).post("/plugin/annotations/exchange", books=[{"hash": "f" * 32}])
    assert told == {"results": [], "unmatched": ["f" * 32]}
