"""Who may call what, for every route there is: the table is the app's own, the requests go to a real server."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler

from appliance.access import POLICIES, OpenDoor, handlers, refuse_open_doors
from appliance.app import create_app
from appliance.house import open_house
from appliance.settings import load
from kobo_api.contents import ROUTES as KOBO_ROUTES
from koreader_api.plugin.contents import ENDPOINTS, PREFIX
from tests.koreader_api.plugin.standin import Device, paired
from tests.server import BOOKS, Browser, Server, running_server

BOOK = BOOKS / "minimal-v2.epub"

# Whatever is added here is open to the internet: the set-up and a KOReader that is paired need a code, signing in the
# password, and the reading services find out by themselves who calls, because a refusal would empty a Kobo.
PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/static/{file_path:path}"),
    ("GET", "/setup"),
    ("POST", "/setup"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    *((method, base + path) for base in ("", "/kosync", "/api/v1/koreader") for method, path in (
        ("GET", "/healthcheck"),
        ("POST", "/users/create"),
    )),
    *(("POST", "/api/koplugin/v1" + path) for path in ("/pair", "/pair/begin", "/pair/poll")),
    ("GET", "/api/koplugin/v1/hello"),
    ("*", "/api/v3/content"),
    ("*", "/api/UserStorage"),
    ("*", "/api/internal/notebooks"),
}  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """Method, path and policy of every route; "*" for what takes any method."""
    house = open_house(load({"data": tmp_path_factory.mktemp("table")}, {}))
    rows = []
    for path, handler in handlers(create_app(house)):
        methods = {str(method) for method in getattr(handler, "http_methods", {"*"})} - {"HEAD"}
        rows += [(method, path, handler.opt["access"]) for method in methods]
    house.database.close()
    return sorted(set(rows))


class Household:
    """Ida, who has a Kobo, a KOSync login and a place in a book; Ben, who has the like; and the ids of it all."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.add_user("Ida", admin=True)
        server.add_user("Ben")
        self.kobo = {name: server.add_device(name, "kobo", f"Kobo-of-{name}") for name in ("Ida", "Ben")}
        self.kosync = {name: server.add_device(name, "kosync", f"KOReader-of-{name}") for name in ("Ida", "Ben")}
        self.plugin = {name: paired(server, name, model=f"Plugin-of-{name}") for name in ("Ida", "Ben")}
        self.document = self.one("SELECT value FROM digest WHERE kind = 'partial_md5'")
        self.book_id = self.one("SELECT id FROM book")
        for name in ("Ida", "Ben"):
            assert httpx.get(self.kobo[name]["api_endpoint"] + "/v1/library/sync").status_code == 200
        answer = httpx.put(
            self.kosync["Ida"]["server"] + "/syncs/progress",
            auth=self.login("Ida"),
            json={
                "document": self.document,
                "progress": "/body/DocFragment[1]/body",
                "percentage": 0.5,
                "device": "Device-of-Ida",
                "device_id": "B" * 32,
            },
        )
        assert answer.status_code == 200
        self.entitlement = self.one(
            "SELECT e.id FROM koboentitlement e JOIN user u ON u.id = user_id WHERE name = 'Ida'"
        )
        with server.browser("Ida") as browser:
            browser.submit("/shelves", name="Shelf-of-Ida", book=self.book_id)
        self.ida_marks(server)
        self.parts: dict[str, str] = {
            "shelf_id": self.one("SELECT id FROM bookshelf"),
            "book_id": self.book_id,
            "device_id": str(self.kobo["Ida"]["device"]),
            "sha256": self.one("SELECT main_sha256 FROM book"),
            "document": self.document,
            "path:path": "OEBPS/content.xhtml",
            "entry_id": "1",
            "name": "backup",
            "picture": "0" * 16,
            "size": "small.jpg",
            "file_path": "bookwake.css",
            "book": self.book_id,
            "backup": self.one("SELECT id FROM sidecarbackup"),
        }

    def ida_marks(self, server: Server) -> None:
        """A highlight by Ida's plugin, a sidecar it saved, and a file that it could not find."""
        ida = self.plugin["Ida"]
        mark = {"name": "k1", "type": "highlight", "pos0": "/body/DocFragment[1]/body", "note": "Note-of-Ida"}
        assert ida.says("annotations", self.document, changed=[mark])["outcome"] == "current"
        ida.done("/match", files=[{"file": "d" * 32, "title": "File-of-Ida"}])
        data = b"Sidecar-of-Ida"
        part = {"name": "metadata.epub.lua", "size": len(data), "mtime": 1, "sha256": hashlib.sha256(data).hexdigest()}
        ida.done("/backups", file=self.document, parts=[part])
        put = ida.http.put(f"/backups/parts/{part['sha256']}", content=data, headers=ida.headers)
        assert put.json() == {"complete": True}

    def login(self, name: str) -> tuple[str, str]:
        return self.kosync[name]["username"], self.kosync[name]["password"]

    def one(self, query: str) -> str:
        with closing(sqlite3.connect(self.server.data / "bookwake.sqlite3")) as database:
            return str(database.execute(query).fetchone()[0])

    def of_ida(self) -> dict[str, Any]:
        """Everything stored about Ida."""
        with closing(sqlite3.connect(self.server.data / "bookwake.sqlite3")) as database:
            rows = {"user": database.execute("SELECT * FROM user WHERE id = 1").fetchall()}
            for table in (
                "device",
                "websession",
                "journalentry",
                "progress",
                "annotation",
                "bookstate",
                "filelink",
                "sidecarbackup",
                "koboentitlement",
                "bookshelf",
            ):
                rows[table] = database.execute(f"SELECT * FROM {table} WHERE user_id = 1").fetchall()
            for table in (
                "deviceprogress",
                "kobodelivery",
                "kobocheckpoint",
                "kobotag",
                "kobosync",
                "kobochoice",
                "refusedoffer",
                "deviceannotation",
            ):
                mine = "device_id IN (SELECT id FROM device WHERE user_id = 1)"
                rows[table] = database.execute(f"SELECT * FROM {table} WHERE {mine}").fetchall()
        return rows

    def address(self, path: str) -> str:
        """The path with real ids in its place holders."""

        def part(match: re.Match[str]) -> str:
            return self.parts.get(match[0][1:-1]) or self.parts.get(match[1]) or "x"

        return re.sub(r"\{(\w+)(:\w+)?\}", part, path)


@pytest.fixture(scope="module")
def household() -> Iterator[Household]:
    with running_server(books=[BOOK]) as server:
        yield Household(server)


def test_only_what_is_meant_to_be_is_public(table: list[tuple[str, str, str]]):
    named = {(method, re.sub(r"/static/\w+", "/static", path)) for method, path, access in table if access == "public"}
    assert named == PUBLIC


def test_the_table_holds_the_rest_of_the_house(table: list[tuple[str, str, str]]):
    by_policy = {policy: [path for _, path, access in table if access == policy] for policy in POLICIES}
    assert "/" in by_policy["person"] and "/read/{book_id:str}" in by_policy["person"]
    assert "/settings/people" in by_policy["admin"]
    assert by_policy["kobo"] == ["/kobo"]
    assert "/kosync/syncs/progress" in by_policy["kosync"]


def test_strangers_are_sent_to_sign_in(table: list[tuple[str, str, str]], household: Household):
    with household.server.browser() as browser:
        browser.get("/sign-in")
        for method, path, access in table:
            if access not in ("person", "admin"):
                continue
            address = household.address(path)
            if method == "GET":
                told = browser.get(address)
                expected = 401 if path.startswith("/api/") or path == "/api" else 303
                assert told.status_code == expected, path
                if expected == 303:
                    assert told.headers["location"].startswith("/sign-in")
                assert browser.get(address, headers={"Accept": "*/*"}).status_code == 401, path
            else:
                assert browser.request(method, address).status_code == 403, path
                assert browser.request(method, address, headers=browser.csrf).status_code == 401, path


@pytest.mark.parametrize("cookie", ["0" * 32, "", "x" * 4000, "../../etc/passwd"])
def test_a_made_up_session_is_no_session(household: Household, cookie: str):
    answer = httpx.get(household.server.url + "/settings", headers={"Cookie": f"bookwake-session={cookie}"})
    assert answer.status_code == 401


def test_administration_is_for_administrators(table: list[tuple[str, str, str]], household: Household):
    with household.server.browser("Ben") as browser:
        for method, path, access in table:
            if access == "admin":
                assert browser.request(method, household.address(path), headers=browser.csrf).status_code == 403, path
    assert household.one("SELECT count(*) FROM user") == "2"


def test_nobody_sees_or_changes_what_is_anothers(table: list[tuple[str, str, str]], household: Household):
    before = household.of_ida()
    with household.server.browser("Ben") as browser:
        for method, path, access in table:
            if access != "person" or path == "/sign-out":
                continue
            for content in ({}, {"name": "Taken", "kind": "kobo"}, {"cfi": "epubcfi(/6/2!/4/2/1:3)", "act": "read"}):
                answer = send(browser, method, household.address(path), content)
                assert answer.status_code < 500, (method, path)
                assert_tells_nothing_of_ida(answer, household)
    assert household.of_ida() == before


def send(browser: Browser, method: str, address: str, content: dict[str, str]) -> httpx.Response:
    if method == "GET":
        return browser.get(address)
    if method == "POST":
        return browser.submit(address, **content)
    return browser.request(method, address, json=content, headers=browser.csrf)


def assert_tells_nothing_of_ida(answer: httpx.Response, household: Household) -> None:
    for private in ("of-Ida", household.entitlement, household.kosync["Ida"]["username"]):
        assert private not in answer.text, answer.request.url


def test_a_kobo_without_its_token_gets_nothing(household: Household):
    known = household.kobo["Ida"]["token"]
    revoked = household.server.add_device("Ben", "kobo")
    assert household.server.json("device", "revoke", str(revoked["device"])) == {
        "device": revoked["device"],
        "revoked": True,
    }
    # What a KOSync client sends is hashed like a Kobo's token, but is none.
    key = hashlib.md5(household.kosync["Ida"]["password"].encode()).hexdigest()
    before = household.of_ida()
    with httpx.Client() as client:
        for token in ("0" * 32, known[:-1], known.upper(), known + "0", revoked["token"], key, "..", "%2e%2e"):
            for method, path, _ in KOBO_ROUTES:
                address = f"{household.server.url}/kobo/{token}{household.address(path)}"
                answer = client.request("POST" if method == "*" else method, address, json={})
                assert answer.status_code == 404 and household.book_id not in answer.text, (token, path)
                assert_tells_nothing_of_ida(answer, household)
    assert household.of_ida() == before


def test_a_kobo_reaches_nothing_of_another_person(household: Household):
    before = household.of_ida()
    state = {"ReadingStates": [{"EntitlementId": household.entitlement, "StatusInfo": {"Status": "Finished"}}]}
    household.parts |= {"id": household.entitlement, "ids": household.entitlement, "tag": household.entitlement}
    household.parts |= {"name": f"{household.entitlement}.kepub.epub"}
    try:
        with httpx.Client() as client:
            for method, path, _ in KOBO_ROUTES:
                address = household.kobo["Ben"]["api_endpoint"] + household.address(path)
                answer = client.request("POST" if method == "*" else method, address, json=state)
                assert answer.status_code < 500, path
                assert "of-Ida" not in answer.text and not answer.content.startswith(b"PK"), path
    finally:
        household.parts["name"] = "backup"
    assert household.of_ida() == before


def test_kosync_keeps_logins_apart(table: list[tuple[str, str, str]], household: Household):
    before = household.of_ida()
    ida, password = household.login("Ida")
    wrong = [None, (ida, "wrong"), (ida, ""), ("", password), ("Ida", "correct horse battery"), household.login("Ben")]
    body = {"document": household.document, "progress": "x", "percentage": 0.9, "device": "d", "device_id": "d"}
    for method, path, access in table:
        if access != "kosync":
            continue
        for auth in wrong:
            answer = httpx.request(
                method,
                household.server.url + household.address(path),
                auth=auth,
                json=body if method == "PUT" else {} if method == "POST" else None,
            )
            if auth == household.login("Ben"):
                assert answer.status_code in (200, 201) and "of-Ida" not in answer.text, path
            else:
                assert answer.status_code == 401 and answer.json()["code"] == 2001, path
    assert household.of_ida() == before


PLUGIN = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS if endpoint.access == "plugin"]


def bodies(household: Household) -> list[dict[str, Any]]:
    """What may be tried at any endpoint: about Ida's file, about her highlight, about nothing."""
    file = household.document
    annotation = household.one("SELECT id FROM annotation")
    about = {"id": "1-1", "file": file}
    operations = [
        {**about, "kind": "annotations", "deleted": [{"name": "k1", "confirmed": True}, {"name": annotation}]},
        {**about, "kind": "followed", "followed": [{"name": "k1", "version": 1, "outcome": "removed"}]},
    ]
    pulls = [{"file": file}]
    return [
        {},
        {"operations": operations, "pull": pulls, "since": 0, "files": pulls, "file": file, "book": household.book_id},
        {"file": "d" * 32, "books": [{"file": file}], "rows": [], "pull": [{"file": "d" * 32}], "files": []},
    ]


def try_plugin(household: Household, device: Device, method: str, path: str) -> Iterator[httpx.Response]:
    address = household.address(path)
    for body in bodies(household) if method == "POST" else [{}]:
        content = {"clock": device.now(), **body}
        query = {"file": household.document} if method == "GET" else None
        yield device.http.request(
            method, address, params=query, json=content if method == "POST" else None, headers=device.headers
        )


def test_the_table_holds_every_endpoint_of_the_plugin(table: list[tuple[str, str, str]]):
    assert sorted((m, p) for m, p, access in table if access == "plugin") == sorted((m, PREFIX + p) for m, p in PLUGIN)


def test_a_plugin_without_its_token_gets_nothing(household: Household):
    token = household.plugin["Ida"].token
    revoked = paired(household.server, "Ben")
    household.server.json("device", "revoke", str(revoked.id))
    key = hashlib.md5(household.kosync["Ida"]["password"].encode()).hexdigest()
    kobo = household.kobo["Ida"]["token"]
    before = household.of_ida()
    for tried in ("", "0" * 32, token[:-1], token.upper(), f"{token}0", revoked.token, key, kobo):
        stranger = Device(household.server.url, tried)
        for method, path in PLUGIN:
            for answer in try_plugin(household, stranger, method, path):
                assert answer.status_code == 401 and answer.json()["error"] == "unknown-token", (tried, path)
    assert (
        httpx.get(household.server.url + "/settings", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    )
    assert household.of_ida() == before


def test_a_plugin_reaches_nothing_of_another_person(household: Household):
    before = household.of_ida()
    ben = household.plugin["Ben"]
    for method, path in PLUGIN:
        for answer in try_plugin(household, ben, method, path):
            assert answer.status_code < 500, path
            assert_tells_nothing_of_ida(answer, household)
            assert b"Sidecar-of-Ida" not in answer.content, path
    assert household.of_ida() == before


@pytest.mark.parametrize(
    "opt", [{}, {"access": "everybody"}, {"access": "person", "exclude_from_csrf": True}, {"access": "kobo"}]
)
def test_a_route_without_a_policy_keeps_the_appliance_from_starting(opt: dict[str, Any]):
    app = Litestar(route_handlers=[_route(opt)], openapi_config=None)
    with pytest.raises(OpenDoor, match="/open"):
        refuse_open_doors(app)


def _route(opt: dict[str, Any]) -> HTTPRouteHandler:
    @get("/open", opt=opt, sync_to_thread=False)
    def open_door() -> str:
        return "come in"

    return open_door


def test_nothing_is_served_from_outside_the_static_folder(household: Household):
    secret = Path(household.server.data / "bookwake.sqlite3").read_bytes()[:16]
    page = httpx.get(household.server.url + "/sign-in", headers={"Accept": "text/html"}).text
    base = re.search(r"/static/\w+", page)
    assert base
    for climb in ("../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "....//" * 8, "/" * 3):
        address = f"{household.server.url}{base[0]}/{climb}{str(household.server.data)[1:]}/bookwake.sqlite3"
        assert secret not in httpx.get(address).content
