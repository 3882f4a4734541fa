"""Hello and pairing, over HTTP."""

import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing

import httpx
import pytest

from tests.koreader_api.plugin.standin import ABOUT, Device, paired
from tests.server import Server


def test_there_is_a_bookwake(server: Server):
    answer = httpx.get(server.url + "/api/koplugin/v1/hello").json()
    assert answer == {"server": "bookwake", "version": answer["version"], "protocols": [1]}


def test_a_device_that_is_paired_is_told_who_it_is(device: Device, ida: str):
    told = device.done("/hello", protocols=[1], capabilities=["archiver"], **ABOUT)
    assert (told["server"], told["protocol"], told["person"]) == ("bookwake", 1, ida)
    assert told["device"] == {"id": device.id, "name": "Kobo_spaBW"} and "update" not in told
    assert told["limits"] == {"body": 524288, "operations": 200, "pulls": 20, "rows": 1000}
    assert abs(told["time"] - device.now()) < 3600 and isinstance(told["library"], str)


def test_lua_sends_an_empty_table_for_an_empty_list_and_a_float_for_a_number(device: Device):
    body = '{"clock": 1.7e9, "protocols": {}, "capabilities": {}, "unknown": {"x": []}, "model": null}'
    assert device.http.post("/hello", content=body, headers=device.headers).status_code == 200


@pytest.mark.parametrize("token", ["", "0" * 32, "x" * 4000, "a b"])
def test_an_unknown_token_is_401(server: Server, token: str):
    stranger = Device(server.url, token)
    for path in ("/hello", "/match", "/link"):
        answer = stranger.ask(path)
        assert (answer.status_code, answer.json()["error"]) == (401, "unknown-token"), path


def test_what_makes_no_sense_is_400_with_a_sentence(device: Device):
    for content in (b"", b"{", b"[]", b"3", b"\xff", b"[" * 100_000, b'{"clock": "now"}', b'{"clock": 1e400}', b"{}"):
        answer = device.http.post("/hello", content=content, headers=device.headers)
        assert answer.status_code == 400 and answer.json()["message"].startswith("The request"), content[:20]


def test_too_much_is_413(device: Device):
    answer = device.http.post("/hello", content=b" " * (512 * 1024 + 1), headers=device.headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "too-large")


def test_an_old_plugin_is_426_and_may_update(device: Device):
    old = {**ABOUT, "plugin": "0.9.3"}
    answer = device.ask("/hello", **old)
    assert (answer.status_code, answer.json()["minimum"]) == (426, "1.0.0")
    assert device.ask("/match", files=[]).status_code == 426
    assert device.ask("/hello", **ABOUT).status_code == 200
    assert device.ask("/match", files=[]).status_code == 200


def test_a_code_read_on_the_page_and_typed_on_the_device(server: Server, ida: str):
    with server.browser(ida) as browser:
        page = browser.submit("/devices/koreader/code", name="Bedside").text
        code = re.search(r'class="code">([A-Z2-9]{6})<', page)
        assert code and server.url in page
    device = Device(server.url)
    told = device.done("/pair", code=code[1], **ABOUT)
    assert told["person"] == ida and told["device"]["name"] == "Bedside" and len(told["token"]) == 32
    again = device.ask("/pair", code=code[1], **ABOUT, device_id="other")
    assert (again.status_code, again.json()["error"]) == (403, "wrong-code")


def test_a_code_shown_on_the_device_and_typed_on_the_page(server: Server, ida: str):
    device = Device(server.url)
    begun = device.done("/pair/begin", **ABOUT)
    assert re.fullmatch("[A-Z2-9]{6}", begun["code"]) and begun["page"] == f"{server.url}/devices/koreader"
    assert 0 < begun["expires_in"] <= 600
    assert device.done("/pair/poll", secret=begun["secret"]) == {"waiting": True}
    with server.browser(ida) as browser:
        wrong = browser.submit("/devices/koreader/accept", code="AAAAAA")
        assert wrong.status_code == 400 and 'value="AAAAAA"' in wrong.text, "it can be mended in place"
        page = browser.submit("/devices/koreader/accept", code=begun["code"].lower()).text
        assert "“Kobo_spaBW” is yours now" in page
    told = device.done("/pair/poll", secret=begun["secret"])
    assert told["person"] == ida
    device.token = told["token"]
    assert device.ask("/hello").status_code == 200
    late = device.ask("/pair/poll", secret=begun["secret"])
    assert (late.status_code, late.json()["error"]) == (410, "expired")


def test_the_plugin_comes_with_a_code_inside(server: Server, ida: str):
    with server.browser(ida) as browser:
        assert browser.post("/devices/koreader/plugin.zip").status_code == 403, "not by a trick of another site"
        answer = browser.submit("/devices/koreader/plugin.zip")
        assert answer.headers["content-disposition"].endswith('"bookwake.koplugin.zip"')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        enrolment = json.loads(archive.read("bookwake.koplugin/enrolment.json"))
        assert {"bookwake.koplugin/main.lua", "bookwake.koplugin/_meta.lua"} <= set(archive.namelist())
    assert enrolment["server"] == server.url
    assert Device(server.url).done("/pair", code=enrolment["code"], **ABOUT)["person"] == ida


def test_guessing_is_slow(server: Server, ida: str):
    guesser = Device(server.url)
    try:
        codes = [guesser.ask("/pair", code="AAAAAA") for _ in range(11)]
        assert [answer.status_code for answer in codes] == [403] * 10 + [429]
        assert int(codes[-1].headers["retry-after"]) > 0
    finally:
        server.restart()  # what was counted is forgotten


def test_a_removed_device_is_shut_out_at_once(server: Server, device: Device):
    assert device.ask("/hello").status_code == 200
    server.json("device", "revoke", str(device.id))
    assert device.ask("/hello").status_code == 401


def test_only_a_koreaders_token_opens(server: Server, ida: str):
    kobo = server.add_device(ida, "kobo")
    assert Device(server.url, kobo["token"]).ask("/hello").status_code == 401


def test_what_is_secret_is_neither_kept_nor_logged(server: Server, ida: str):
    device = paired(server, ida)
    device.ask("/hello", **ABOUT)
    device.http.post("/hello", content=b"{", headers=device.headers)
    assert device.token not in server.log
    with closing(sqlite3.connect(server.data / "bookwake.sqlite3")) as database:
        kept = "\n".join(database.iterdump())
    assert device.token not in kept
    with server.browser(ida) as browser:
        page = browser.get(f"/devices/{device.id}/requests").text
        assert "/api/koplugin/v1/hello" in page and device.token not in page
