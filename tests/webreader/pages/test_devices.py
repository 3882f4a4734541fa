import re
from html import unescape

import httpx

from tests.server import Server


def numbers(page: str) -> list[str]:
    """The devices of a devices page that can be renamed."""
    return re.findall(r'action="/devices/(\d+)/rename"', page)


def test_a_kobo_is_told_its_line_once(server: Server):
    with server.browser("Ida") as browser:
        page = unescape(browser.submit("/devices", kind="kobo", name="Ida’s <b>Libra</b>").text)
        line = re.search(r"\[OneStoreServices\]\napi_endpoint=(http://127\.0\.0\.1:\d+/kobo/[0-9a-f]{32})<", page)
        assert line
        assert httpx.get(line[1] + "/v1/initialization").status_code == 200
        listed = browser.get("/devices").text
        assert "Ida’s &lt;b&gt;Libra&lt;/b&gt;" in listed and line[1].split("/")[-1] not in listed


def test_a_koreader_is_told_its_login_and_can_use_it(server: Server):
    with server.browser("Ida") as browser:
        page = browser.submit("/devices", kind="kosync", name="").text
        told = re.findall(r"<dd><code>([^<]+)</code></dd>", page)
        assert len(told) == 3
        url, login, password = told
        assert url == f"{server.url}/kosync"
        for base in (url, server.url):
            assert httpx.get(base + "/users/auth", auth=(login, password)).json() == {"authorized": "OK"}
        assert httpx.get(url + "/users/auth", auth=(login, "wrong")).status_code == 401


def test_a_device_is_renamed_connected_again_and_removed(server: Server):
    kobo = server.add_device("Ben", "kobo", "Old reader")
    path = f"/devices/{kobo['device']}"
    with server.browser("Ben") as browser:
        assert browser.submit(path + "/rename", name="New reader").headers["location"] == "/devices"
        page = browser.get("/devices").text
        assert "New reader" in page and "Old reader" not in page
        assert browser.submit(path + "/rename", name=" ").status_code == 400

        told = re.search(r"/kobo/([0-9a-f]{32})", browser.submit(path + "/renew").text)
        assert told and told[1] != kobo["token"]
        assert httpx.get(kobo["api_endpoint"] + "/v1/initialization").status_code == 404
        fresh = kobo["api_endpoint"].replace(kobo["token"], told[1])
        assert httpx.get(fresh + "/v1/initialization").status_code == 200

        assert browser.submit(path + "/remove").headers["location"] == "/devices"
        assert "New reader" not in browser.get("/devices").text
        assert httpx.get(fresh + "/v1/initialization").status_code == 404
        gone = browser.submit(path + "/remove")
        assert gone.status_code == 400 and "no such device" in gone.text


def test_the_devices_of_others_are_neither_shown_nor_touched(server: Server):
    kobo = server.add_device("Ida", "kobo", "Private reader")
    with server.browser("Ben") as browser:
        assert "Private reader" not in browser.get("/devices").text
        for what in ("rename", "renew", "remove"):
            answer = browser.submit(f"/devices/{kobo['device']}/{what}", name="Mine now")
            assert answer.status_code == 400 and "no such device" in answer.text
    assert httpx.get(kobo["api_endpoint"] + "/v1/initialization").status_code == 200


def test_only_what_is_offered_can_be_added(server: Server):
    with server.browser("Ben") as browser:
        before = numbers(browser.get("/devices").text)
        for kind in ("browser", "koreader", "toaster", ""):
            assert browser.submit("/devices", kind=kind).status_code == 400
        assert numbers(browser.get("/devices").text) == before


def test_removing_the_browser_signs_it_out(server: Server):
    with server.browser("Ben") as browser:
        page = browser.get("/devices").text
        here = re.search(r'this browser.*?action="/devices/(\d+)/remove"', page, re.DOTALL)
        assert here
        browser.submit(f"/devices/{here[1]}/remove")
        assert browser.get("/devices").status_code == 303


def test_an_address_that_only_this_machine_knows_is_pointed_out(server: Server):
    with server.browser("Ben") as browser:
        assert "only this machine understands" in browser.get("/devices").text
        browser.headers["Host"] = "books.lan:8080"
        page = browser.get("/devices").text
        assert "only this machine understands" not in page
        told = browser.submit("/devices", kind="kobo").text
        assert "api_endpoint=http://books.lan:8080/kobo/" in told
