"""What a KOSync server must do (docs/reference/koreader.md 1.7), line by line, and which test shows it; and the clients
of 1.6 that differ most."""

import base64
import hashlib
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import ROOT
from tests.server import BOOKS, Server, running_server
from tests.simulators.kosync import partial_md5

BOOK = BOOKS / "minimal-v2.epub"
HERE = "koreader_api/kosync"
SHOWN = {
    1: ["test_kosync.py::test_basic_authentication", "test_kosync.py::test_refusals"],
    2: ["test_wire.py::test_refusals_are_those_of_the_protocol", "test_checklist.py::test_any_accept_and_content_type"],
    3: ["test_wire.py::test_percentages_of_odd_clients", "test_wire.py::test_nothing_else_than_a_refusal_comes_out"],
    4: ["test_kosync.py::test_a_book_the_server_does_not_have_is_kept_in_sync_all_the_same"],
    5: ["test_kosync.py::test_nobody_sees_somebody_elses_place"],
    6: ["test_kosync.py::test_what_leads_nowhere_is_never_given_to_anybody"],
    7: ["test_kosync.py::test_two_readers_that_call_themselves_the_same_are_two"],
    8: ["test_kosync.py::test_an_old_position_from_the_queue_does_not_come_back"],
    9: ["test_kosync.py::test_filename_digests_find_the_book_too"],
    10: ["test_kosync.py::test_a_lost_reader_is_not_followed_to_page_1"],
}
"""Line 1 also wants failures limited: the password is random with 63 bits, so that no number of guesses helps, and a
limit would only let one reader shut out another behind the same proxy."""


def test_every_line_is_shown():
    assert set(SHOWN) == set(range(1, 11))
    for name in (name for names in SHOWN.values() for name in names):
        path, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / "tests" / HERE / path).read_text(encoding="utf-8"), name


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOK]) as server:
        server.add_user("Ida")
        server.add_user("Ben")
        yield server


def push(server: Server, login: dict[str, str], headers: dict[str, str], **fields: object) -> httpx.Response:
    body = {"document": partial_md5(BOOK), "progress": "/body/DocFragment[1]/body", "percentage": 0.5, **fields}
    return httpx.put(login["server"] + "/syncs/progress", json=body, headers=headers)


def stock(login: dict[str, str]) -> dict[str, str]:
    return {"x-auth-user": login["username"], "x-auth-key": hashlib.md5(login["password"].encode()).hexdigest()}


@pytest.mark.parametrize("accept", ["application/vnd.koreader.v1+json", "text/html", "*/*", ""])
def test_any_accept_and_content_type(server: Server, accept: str):
    login = server.add_device("Ida", "kosync")
    headers = {**stock(login), "Accept": accept, "Content-Type": "text/plain"}
    answer = push(server, login, headers, device="x", device_id="y")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")


def test_crosspoint_sends_both_kinds_of_login_and_one_id_for_every_unit(server: Server):
    login = server.add_device("Ben", "kosync")
    basic = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
    headers = {**stock(login), "Authorization": f"Basic {basic}"}
    said = {"device": "CrossPoint", "device_id": "crosspoint-reader", "metadata": {"title": "x", "filename": "y.epub"}}
    assert push(server, login, headers, **said).status_code == 200
    other = server.add_device("Ben", "kosync")
    got = httpx.get(f"{other['server']}/syncs/progress/{partial_md5(BOOK)}", headers=stock(other)).json()
    assert got["device"] == "CrossPoint" and got["device_id"] != "crosspoint-reader", "another unit, not this one"


def test_readest_tries_to_register_and_is_told_no(server: Server):
    login = server.add_device("Ida", "kosync")
    wrong = {"x-auth-user": login["username"], "x-auth-key": "0" * 32}
    assert httpx.get(login["server"] + "/users/auth", headers=wrong).status_code == 401
    body = {"username": login["username"], "password": "0" * 32}
    answer = httpx.post(login["server"] + "/users/create", json=body)
    assert (answer.status_code, answer.json()["code"]) == (402, 2005)
    assert httpx.get(login["server"] + "/users/auth", auth=(login["username"], login["password"])).status_code == 200
