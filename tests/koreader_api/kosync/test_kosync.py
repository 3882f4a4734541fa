"""The KOSync surface against a real server process, with simulated stock KOReaders."""

import base64
import hashlib

import httpx
import pytest

from tests.server import BOOKS, running_server
from tests.simulators.kosync import KOReader, partial_md5

BOOK = BOOKS / "calibre-docx_alice.epub"


@pytest.fixture(scope="module")
def server():
    with running_server(books=[BOOK]) as server:
        server.add_user("Ida")
        server.add_user("Tom")
        yield server


@pytest.fixture
def ida(server):
    """A person who has read nothing yet."""
    name = f"ida{len(server.json('user', 'list'))}"
    server.add_user(name)
    return name


def reader(server, person, **options):
    login = server.add_device(person, "kosync")
    device = KOReader(login["server"], login["username"], login["password"], **options)
    device.login()
    return device


def headers(login):
    return {"x-auth-user": login["username"], "x-auth-key": hashlib.md5(login["password"].encode()).hexdigest()}


def test_one_reader_goes_on_where_the_other_stopped(server, ida):
    first = reader(server, ida, device_id="A" * 32)
    second = reader(server, ida, device_id="B" * 32, model="PocketBook", forward="silent")
    first.open(BOOK)
    first.read_words(9_000)
    first.close()
    second.open(BOOK)
    assert second.word == 9_000 and second.text() == first.text()


def test_a_reader_recognises_its_own_record(server, ida):
    device = reader(server, ida)
    device.open(BOOK)
    device.read_words(500)
    device.close()
    device.wait(60)
    device.open(BOOK)
    assert device.log[-1] == "latest progress is from this device" and device.messages == []


def test_two_readers_that_call_themselves_the_same_are_two(server, ida):
    """A model name and a device id that was copied with a backup tell nothing: the login does."""
    first, second = (reader(server, ida, device_id="A" * 32, forward="silent") for _ in range(2))
    first.open(BOOK)
    first.read_words(9_000)
    first.close()
    second.open(BOOK)
    assert second.word == 9_000
    second.read_words(500)
    second.close()
    first.wait(60)
    first.open(BOOK)
    assert first.word == second.word == 9_500


def test_an_old_position_from_the_queue_does_not_come_back(server, ida):
    """koreader.md 1.5: the queue is sent without the times of its entries."""
    offline = reader(server, ida, device_id="A" * 32)
    other = reader(server, ida, device_id="B" * 32)
    for day in range(3):
        offline.online = False
        offline.open(BOOK)
        offline.read_words(1_000)
        offline.close()
        offline.wait(86_400)
        assert len(offline.queue) == day + 1
    other.open(BOOK)
    other.read_words(12_000)
    other.close()
    offline.file = None
    offline.go_online()
    other.wait(60)
    other.open(BOOK)
    assert other.word == 12_000
    fresh = reader(server, ida, device_id="C" * 32, forward="silent")
    fresh.open(BOOK)
    assert fresh.word == 12_000


def test_a_lost_reader_is_not_followed_to_page_1(server, ida):
    good = reader(server, ida, device_id="A" * 32)
    good.open(BOOK)
    good.read_words(10_000)
    good.close()
    lost = reader(server, ida, device_id="B" * 32, auto_sync=False)
    lost.open(BOOK)
    lost.progress = "/body/DocFragment[999]/body/p[1]/text().0"
    lost.push(interactive=True)
    fresh = reader(server, ida, device_id="C" * 32, forward="silent")
    fresh.open(BOOK)
    assert fresh.word == 10_000 and not fresh.messages


def test_suspending_without_reading_moves_nobody(server, ida):
    first = reader(server, ida, device_id="A" * 32)
    second = reader(server, ida, device_id="B" * 32, forward="silent")
    first.open(BOOK)
    first.read_words(5_000)
    first.push()
    second.open(BOOK)
    second.read_words(700)
    second.push()
    first.wait(300)
    first.push()
    second.wait(300)
    assert second.pull(interactive=True)["progress"] == second.progress


def test_the_newer_spelling_is_answered_in_kind(server, ida):
    login = server.add_device(ida, "kosync")
    push = {"document": partial_md5(BOOK), "percentage": 0.3, "device": "Kobo", "device_id": "N" * 32}
    device = KOReader(login["server"], login["username"], login["password"])
    device.open(BOOK)
    indexed = device.engine.words[4_000].xpointer
    httpx.put(login["server"] + "/syncs/progress", headers=headers(login), json={**push, "progress": indexed})
    assert device.pull(interactive=True)["progress"] == indexed


def test_each_login_is_answered_in_its_own_spelling(server, ida):
    """Another reader of the same person may have another KOReader."""
    new, old = reader(server, ida, device_id="N" * 32), reader(server, ida, device_id="O" * 32)
    new.open(BOOK)
    new.progress = new.engine.words[4_000].xpointer
    new.push(interactive=True)
    old.open(BOOK)
    assert old.pull(interactive=True)["progress"] == old.engine.spelled(4_000) != new.progress
    old.wait(3600)
    old.read_words(50)
    old.push(interactive=True)
    assert new.pull(interactive=True)["progress"] == new.engine.words[4_050].xpointer


def test_a_pointer_that_only_its_maker_can_read_is_not_given(server, ida):
    """From a KOReader of before 2020, whose paths run through boxes. It knows its own record by the name on it."""
    old = reader(server, ida, device_id="O" * 32, auto_sync=False)
    old.open(BOOK)
    pointer = "/body/DocFragment[2]/body/p[400]/autoBoxing[1]/text()[1].0"
    old.progress = pointer
    old.push(interactive=True)
    given = old.pull(interactive=True)["progress"]
    assert given != pointer and old.engine.resolve(given) is not None
    assert old.log[-1] == "latest progress is from this device"
    other = reader(server, ida, device_id="A" * 32, forward="silent")
    other.open(BOOK)
    assert other.word > 0 and not other.messages


@pytest.mark.parametrize(
    "progress",
    [
        "",
        "12",
        "epubcfi(/6/4!/4/2/1:0)",
        "/body/DocFragment[999]/body/p/text().0",
        "/body/DocFragment[2]/body/p[99999]/text().0",
        "/body/DocFragment[2]/body/p[20]/text()[1].99999",
    ],
)
def test_what_leads_nowhere_is_never_given_to_anybody(server, ida, progress):
    """positions.md A.2, rows 31 and 32: KOReader would keep it and open the book at its start."""
    device = reader(server, ida, auto_sync=False)
    device.open(BOOK)
    body = {"document": device.document(), "progress": progress, "percentage": 0.4, "device": "X", "device_id": "Y"}
    login = {"x-auth-user": device.username, "x-auth-key": hashlib.md5(device.password.encode()).hexdigest()}
    assert httpx.put(device.server + "/syncs/progress", headers=login, json=body).status_code == 200
    given = device.pull(interactive=True)["progress"]
    assert given != progress and device.engine.resolve(given) is not None


def test_filename_digests_find_the_book_too(server, ida):
    by_bytes = reader(server, ida, device_id="A" * 32)
    by_name = reader(server, ida, device_id="B" * 32, checksum_method="filename", forward="silent")
    by_bytes.open(BOOK)
    by_bytes.read_words(2_500)
    by_bytes.close()
    by_name.open(BOOK)
    assert by_name.word == 2_500


def test_a_book_the_server_does_not_have_is_kept_in_sync_all_the_same(server, ida):
    other_book = BOOKS / "libreoffice_flying-dutchman.epub"
    first = reader(server, ida, device_id="A" * 32)
    second = reader(server, ida, device_id="B" * 32, forward="silent")
    first.open(other_book)
    first.read_words(3_000)
    first.close()
    second.open(other_book)
    assert second.word == 3_000


def test_nobody_sees_somebody_elses_place(server, ida):
    device = reader(server, ida)
    device.open(BOOK)
    device.read_words(800)
    device.close()
    tom = reader(server, "Tom")
    tom.open(BOOK)
    assert tom.pull(interactive=True) == {}


@pytest.mark.parametrize("base", ["", "/kosync", "/kosync/"])
def test_the_address_may_have_a_path_or_not(server, ida, base):
    login = server.add_device(ida, "kosync")
    device = KOReader(server.url + base, login["username"], login["password"])
    device.login()


def test_basic_authentication(server, ida):
    login = server.add_device(ida, "kosync")
    value = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
    answer = httpx.get(server.url + "/users/auth", headers={"Authorization": f"Basic {value}"})
    assert (answer.status_code, answer.json()) == (200, {"authorized": "OK"})


def test_refusals(server, ida):
    login = server.add_device(ida, "kosync")
    wrong = {**headers(login), "x-auth-key": "0" * 32}
    for attempt in ({}, wrong, {**headers(login), "x-auth-user": "nobody"}, {"Authorization": "Basic %%%"}):
        answer = httpx.get(server.url + "/users/auth", headers=attempt)
        assert (answer.status_code, answer.json()["code"]) == (401, 2001)
    create = httpx.post(server.url + "/users/create", json={"username": "x", "password": "y"})
    assert (create.status_code, create.json()["code"]) == (402, 2005)
    bad = httpx.put(server.url + "/syncs/progress", headers=headers(login), content=b"{")
    assert (bad.status_code, bad.json()["code"]) == (400, 103)
    huge = httpx.put(server.url + "/syncs/progress", headers=headers(login), content=b" " * 70_000)
    assert huge.status_code in (400, 413)
    assert httpx.get(server.url + "/healthcheck").json() == {"state": "OK"}


def test_a_revoked_login_is_shut_out_at_once(server, ida):
    login = server.add_device(ida, "kosync")
    device = KOReader(login["server"], login["username"], login["password"])
    device.login()
    server.json("device", "revoke", str(login["device"]))
    assert httpx.get(server.url + "/users/auth", headers=headers(login)).status_code == 401
