"""Days in the life of Kobos: the simulator against a real server (kobo-protocol.md 13.3)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import BOOKS, Server, running_server
from tests.simulators.kobo import Kobo, Violation
from tests.simulators.kobo.__main__ import main

OZ = "Marvelous Land"
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
    with Kobo(endpoints[0], tmp_path / "one") as one, Kobo(endpoints[1], tmp_path / "two") as two:
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
    with Kobo(two.connection.api_endpoint, tmp_path / "two") as again:
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


def test_on_the_command_line(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.add_user("Typist")
    endpoint = server.add_device("Typist", "kobo")["api_endpoint"]
    device = [endpoint, "--folder", str(tmp_path / "device")]
    assert main([*device, "sync"]) == 0
    assert main([*device, "download", "Alice"]) == 0
    assert main([*device, "read", "Alice", "--pages", "4"]) == 0
    assert main([*device, "read", "Alice", "--to", "Down, down, down."]) == 0
    assert main([*device, "--hours", "2", "sync"]) == 0
    assert main([*device, "list"]) == 0
    assert main([*device, "read", "No such book"]) == 2
    shown = capsys.readouterr().out
    assert "Down, down, down." in shown and "VIOLATION" not in shown and endpoint not in shown
    assert main([endpoint[:-4] + "0000", "--folder", str(tmp_path / "other"), "sync"]) == 1
