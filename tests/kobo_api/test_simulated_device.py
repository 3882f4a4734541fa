"""Days in the life of Kobos: the simulator against a real server (kobo-protocol.md 13.3)."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server import BOOKS, Server, running_server
from tests.simulators.kobo import Kobo, Violation
from tests.simulators.kobo.__main__ import main

OZ = "Marvelous Land"
OTHER_DEVICE = "b" * 64
NAMES = [
    "calibre-docx_alice.epub",
    "ebooklib_kokoro-vertical-ruby.epub",
    "l-frank-baum_the-marvelous-land-of-oz.epub",
    "large-tables.epub",
    "libreoffice_flying-dutchman.epub",
    "regime-anticancer-arabic.epub",
    "sphinx_ubuntu-packaging-guide-fr.epub",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / name for name in NAMES]) as server:
        server.add_user("Ida")
        yield server


def kobo(server: Server, folder: Path, **options: object) -> Kobo:
    """A new device of a new person."""
    user = f"Person {folder.name} {len(list(folder.iterdir()))}"
    server.add_user(user)
    return Kobo(server.add_device(user, "kobo")["api_endpoint"], folder / "device", **options)  # type: ignore[arg-type]


@pytest.fixture
def pair(server: Server, tmp_path: Path) -> Iterator[tuple[Kobo, Kobo]]:
    """Two devices of one person, both with every book."""
    server.add_user(tmp_path.name)
    endpoints = [server.add_device(tmp_path.name, "kobo")["api_endpoint"] for _ in range(2)]
    with (
        Kobo(endpoints[0], tmp_path / "one") as one,
        Kobo(endpoints[1], tmp_path / "two", device_id=OTHER_DEVICE) as two,
    ):
        for device in (one, two):
            device.sync()
            device.download(OZ)
        yield one, two


def test_every_book_opens_and_returns_to_its_page(server: Server, tmp_path: Path) -> None:
    with kobo(server, tmp_path, auto_download=len(NAMES)) as device:
        device.sync()
        assert all(book.is_downloaded for book in device.shelf.books.values())
        for book in list(device.shelf.books.values()):
            device.cover(book)
            device.open(book)
            device.turn_pages(3)
            text = device.visible_text()
            device.close()
            device.sync()
            device.open(book)
            assert device.visible_text() == text
            device.close()
        assert device.dialogs == [] and device.sync() == []


def test_two_kobos_take_turns(pair: tuple[Kobo, Kobo]) -> None:
    one, two = pair
    for turn in range(6):
        here, there = (one, two) if turn % 2 == 0 else (two, one)
        here.open(OZ)
        here.turn_pages(25)
        text = here.visible_text()
        here.close()
        assert len(there.sync()) == 1 and there.sync() == []
        there.open(OZ)
        assert there.visible_text() == text and len(there.dialogs) == turn // 2 + 1
        there.close()
        assert here.sync() == [] and there.sync() == []


def test_whoever_stays_is_left_alone(pair: tuple[Kobo, Kobo]) -> None:
    one, two = pair
    one.open(OZ)
    one.turn_pages(40)
    one.close()
    two.answer_dialog = False
    two.open(OZ)
    two.turn_pages(2)
    text = two.visible_text()
    two.close()
    for _ in range(3):
        two.sync()
        two.open(OZ)
        assert two.visible_text() == text
        two.close()
    assert len(two.dialogs) == 1


def test_an_hour_later_it_still_syncs(pair: tuple[Kobo, Kobo]) -> None:
    """Firmware 4.44 and later refresh their token first (2.5)."""
    one, _ = pair
    before = one.shelf.access_token
    one.wait(3700)
    assert one.sync() == [] and one.shelf.access_token != before
    one.sign_in.authorize()
    one.sign_in.refresh_by_api()
    assert one.sync() == []


def test_notes_survive_everything(pair: tuple[Kobo, Kobo]) -> None:
    one, _ = pair
    one.open(OZ)
    one.turn_pages(3)
    assert one.reader is not None and one.reader.top is not None
    one.highlight(one.reader.top, "a note")
    one.close()
    one.sync()
    one.open(OZ)
    one.close()
    book = one.book(OZ)
    assert len(book.notes) == 1 and not book.pending, "kept, and handed over"
    one.remove_download(OZ)
    one.download(OZ)
    assert [note["noteText"] for note in book.notes.values()] == ["a note"], "back with the file"
    one.annotations.check_places(book, one.file(book))


def test_finished_there_is_finished_here(pair: tuple[Kobo, Kobo]) -> None:
    one, two = pair
    one.open(OZ)
    one.turn_pages(30)
    one.finish()
    two.sync()
    two.open(OZ)
    assert two.book(OZ).status == "Finished"
    two.close()
    assert one.sync() == []


def test_a_second_download_returns_to_the_page(pair: tuple[Kobo, Kobo]) -> None:
    one, _ = pair
    one.open(OZ)
    one.turn_pages(30)
    text = one.visible_text()
    one.close()
    one.remove_download(OZ)
    assert one.sync() == []
    one.download(OZ, interrupt_after=50_000)
    one.open(OZ)
    assert one.visible_text() == text
    one.close()


def test_removed_books_and_lost_tokens(pair: tuple[Kobo, Kobo]) -> None:
    one, two = pair
    one.remove("Flying Dutchman")
    for token in ("", "S1.99999", "abc.def"):
        one.shelf.sync_token = token
        assert one.sync() == [] and one.book(OZ).is_downloaded
    assert two.book("Flying Dutchman")


def test_firmware_without_port_in_host(server: Server, tmp_path: Path) -> None:
    with kobo(server, tmp_path, portless=True, auto_download=1) as device:
        device.sync()
        assert sum(book.is_downloaded for book in device.shelf.books.values()) == 1


def test_a_run_that_breaks_off(server: Server, tmp_path: Path) -> None:
    with kobo(server, tmp_path) as device:
        device.sign_in.initialize()
        device.library.run(stop_after=0)
        device.library.page("")
        assert len(device.sync()) == len(NAMES)
        assert device.sync() == []


def test_all_of_it_again_after_a_restart(server: Server, tmp_path: Path, pair: tuple[Kobo, Kobo]) -> None:
    one, two = pair
    one.open(OZ)
    one.turn_pages(50)
    text = one.visible_text()
    one.close()
    server.kill()
    server.start()
    with Kobo(two.connection.api_endpoint, tmp_path / "two", device_id=OTHER_DEVICE) as again:
        again.sync()
        again.open(OZ)
        assert again.visible_text() == text
        again.close()
        assert again.sync() == []


def test_a_revoked_kobo_keeps_its_books(server: Server, tmp_path: Path) -> None:
    with kobo(server, tmp_path, auto_download=2) as device:
        device.sync()
        device.connection.api_endpoint = device.connection.api_endpoint[:-4] + "0000"
        with pytest.raises(Violation, match="404"):
            device.sync()
        assert sum(book.is_downloaded for book in device.shelf.books.values()) == 2


def test_a_device_without_an_account(server: Server, tmp_path: Path) -> None:
    """2.7, and again after its token has expired."""
    with kobo(server, tmp_path, user_key="", auto_download=1) as device:
        device.sync()
        assert device.shelf.user_key and sum(book.is_downloaded for book in device.shelf.books.values()) == 1
        device.wait(4000)
        assert device.sync() == []
    with Kobo(device.connection.api_endpoint, device.folder, user_key="") as again:
        assert again.sync() == [] and again.connection.user_key == device.shelf.user_key


@pytest.mark.parametrize("firmware", ["4.38.23171", "4.46.23836", "5.18.270971"])
def test_an_hour_later_on_every_firmware(server: Server, tmp_path: Path, firmware: str) -> None:
    with kobo(server, tmp_path, firmware=firmware, portless=firmware < "4.4") as device:
        device.sync()
        before = device.shelf.refresh_token
        device.wait(3700)
        assert device.sync() == [] and device.shelf.refresh_token != before
        assert any("openid-configuration" in line for line in device.log) == (firmware > "4.44")


def test_firmware_that_forgets_its_token(server: Server, tmp_path: Path) -> None:
    with kobo(server, tmp_path, auto_download=2) as device:
        device.library.sends_token = False
        assert len(device.sync()) == len(NAMES)
        assert device.sync() == [] and device.sync() == []


def test_a_train_ride(pair: tuple[Kobo, Kobo]) -> None:
    """What was read and removed without a network is told with the next sync, the last place of each book only."""
    one, two = pair
    one.go_offline()
    for pages in (20, 30):
        one.open(OZ)
        one.turn_pages(pages)
        text = one.visible_text()
        one.close()
    one.remove("Flying Dutchman")
    assert len(one.shelf.states) == 1 and len(one.shelf.removals) == 1 and two.sync() == []
    with pytest.raises(Violation, match="no network"):
        one.download("Alice")
    assert one.sync() == [] and not one.shelf.states and not one.shelf.removals
    two.sync()
    two.open(OZ)
    assert two.visible_text() == text
    two.close()


class Spoil(httpx.BaseTransport):
    """A server that does one thing wrong."""

    def __init__(self, path: str, spoil: Callable[[httpx.Response], httpx.Response]) -> None:
        self.real, self.path, self.spoil = httpx.HTTPTransport(), path, spoil

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.real.handle_request(request)
        answer.read()
        return self.spoil(answer) if request.url.path.endswith(self.path) else answer


def status(code: int) -> Callable[[httpx.Response], httpx.Response]:
    return lambda answer: httpx.Response(code, content=answer.content)


def edited(edit: Callable[[Any], Any], **headers: str) -> Callable[[httpx.Response], httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: httpx.Response(200, json=edit(answer.json()), headers={**answer.headers, **named} | LENGTH)


LENGTH = {"content-length": "", "x-kobo-apitoken": "e30="}


FAULTS: list[tuple[str, Callable[[httpx.Response], httpx.Response], str]] = [
    ("/v1/user/add-device", status(404), "add-device was answered with 404"),
    ("/v1/deals", status(500), "deals was answered with 500"),
    ("/openid-configuration", edited(lambda value: {"access_token": "x"}), "requesting a new token"),
    ("/oauth/token", status(400), "token endpoint answered 400"),
    ("/v1/initialization", edited(lambda value: {"Resources": {"library_sync": "x"}}), "truncated"),
    ("/v1/user/profile", edited(lambda value: {}), "empty profile"),
    ("/v1/analytics/event", edited(lambda value: {**value, "AcceptedEvents": []}), "not accepted"),
    ("/v1/library/sync", edited(lambda value: [], x_kobo_sync="continue"), "for ever"),
    ("/v1/library/sync", edited(lambda value: value, x_kobo_sync="continue"), "round in a circle|for ever"),
    ("/checkforchanges", status(401), "checkforchanges was answered with 401"),
    ("/api/UserStorage/Metadata", status(404), "UserStorage"),
]


def test_the_device_complains(server: Server, tmp_path: Path) -> None:
    """Else all of this would prove nothing."""
    with kobo(server, tmp_path) as device:
        device.sign_in.initialize()
        for path, spoil, said in FAULTS:
            device.wait(4000)
            device.shelf.is_registered = False
            device.connection.http = httpx.Client(transport=Spoil(path, spoil), timeout=30)
            with pytest.raises(Violation, match=said):
                device.sync()
            device.connection.http.close()
        device.connection.http = httpx.Client(timeout=30)
        device.sync()


def test_on_the_command_line(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.add_user("Typist")
    endpoint = server.add_device("Typist", "kobo")["api_endpoint"]
    device = [endpoint, "--folder", str(tmp_path / "device")]
    assert main([*device, "sync"]) == 0
    assert main([*device, "download", "Alice"]) == 0
    assert main([*device, "read", "Alice", "--pages", "4"]) == 0
    assert main([*device, "read", "Alice", "--to", "Down, down, down."]) == 0
    assert main([*device, "--offline", "read", "Alice"]) == 0
    assert main([*device, "--hours", "2", "--firmware", "4.38.23171", "sync"]) == 0
    assert main([endpoint, "--folder", str(tmp_path / "new"), "--account-less", "--no-sync-token", "sync"]) == 0
    assert main([*device, "list"]) == 0
    assert main([*device, "highlight", "Alice", "Down, down, down. Would the fall", "--note", "down"]) == 0
    assert main([*device, "note", "Alice", "Would the fall", "--note", "never", "--colour", "pink"]) == 0
    assert main([*device, "--offline", "fold", "Alice", "Down, down"]) == 0
    assert main([*device, "notes", "Alice"]) == 0
    assert main([*device, "exchange", "Alice"]) == 0
    assert main([*device, "unmark", "Alice", "Would the fall"]) == 0
    for missing in (["read", "No such book"], ["highlight", "Alice", "no such words"], ["unmark", "Alice", "no mark"]):
        assert main([*device, *missing]) == 2
    shown = capsys.readouterr().out
    assert "Down, down, down." in shown and "VIOLATION" not in shown and endpoint not in shown
    assert re.search(r"pink +“Down, down, down. *Would the fall” — never", shown) and "not sent" in shown
    assert main([endpoint[:-4] + "0000", "--folder", str(tmp_path / "other"), "sync"]) == 1
