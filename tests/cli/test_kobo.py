"""`bookwake kobo` on the drive of a Kobo."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.test_commands import bookwake
from tests.kobo_api.plugged_in.device_files import Drive
from tests.server import BOOKS, PASSWORD

GENUINE = b"[General]\r\nVersion=4\r\n\r\n[OneStoreServices]\r\napi_endpoint=https://storeapi.kobo.com\r\nfont=\xe9\r\n"
HOST = ("--public-url", "http://192.0.2.7:8080")


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a household, made once: passwords take their time."""
    folder = tmp_path_factory.mktemp("settled")
    for name in ("Ida", "Ben"):
        bookwake(folder, "user", "add", name, "--password-stdin", stdin=PASSWORD)
    return folder


@pytest.fixture
def kobo(settled: Path, tmp_path: Path) -> Path:
    shutil.copytree(settled, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "KOBOeReader"
    (folder / ".kobo" / "Kobo").mkdir(parents=True)
    conf(folder).write_bytes(GENUINE)
    return folder


def conf(kobo: Path) -> Path:
    return kobo / ".kobo" / "Kobo" / "Kobo eReader.conf"


def backup(kobo: Path) -> Path:
    return conf(kobo).with_name("Kobo eReader.conf.before-bookwake")


def devices(folder: Path) -> list[dict[str, object]]:
    return json.loads(bookwake(folder, "device", "list", "--json").stdout)


def test_there_and_back(kobo: Path, tmp_path: Path) -> None:
    done = bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "ida", "--name", "Clara", "--json", *HOST)
    told = json.loads(done.stdout)
    assert told["api_endpoint"].startswith("http://192.0.2.7:8080/kobo/") and told["changed"]
    line = f"api_endpoint={told['api_endpoint']}".encode()
    assert conf(kobo).read_bytes() == GENUINE.replace(b"api_endpoint=https://storeapi.kobo.com", line)
    assert backup(kobo).read_bytes() == GENUINE
    assert [device["name"] for device in devices(tmp_path)] == ["Clara"]

    again = bookwake(tmp_path, "kobo", "configure", str(kobo / ".kobo"), "--user", "Ida", *HOST)
    assert (again.returncode, again.stdout) == (0, "This Kobo is connected already. Nothing was changed.\n")
    assert len(devices(tmp_path)) == 1, "a second entry would offer every book anew"
    moved = bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ida", "--public-url", "https://books.test")
    assert "Clara" in moved.stdout and b"https://books.test/kobo/" in conf(kobo).read_bytes()
    assert len(devices(tmp_path)) == 1 and backup(kobo).read_bytes() == GENUINE

    undone = bookwake(tmp_path, "kobo", "configure", str(kobo), "--undo")
    assert undone.returncode == 0 and "storeapi.kobo.com" in undone.stdout
    assert conf(kobo).read_bytes() == GENUINE and os.listdir(conf(kobo).parent) == ["Kobo eReader.conf"]
    assert "nothing to give back" in bookwake(tmp_path, "kobo", "configure", str(kobo), "--undo").stderr


def test_a_secret_that_was_lost_is_replaced(kobo: Path, tmp_path: Path) -> None:
    first = json.loads(bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ida", "--json", *HOST).stdout)
    conf(kobo).write_bytes(GENUINE)
    again = bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ida", *HOST)
    assert again.returncode == 1 and "--device ID" in again.stderr and len(devices(tmp_path)) == 1
    second = json.loads(bookwake(tmp_path, "kobo", "configure", str(kobo), "--device", "1", "--json", *HOST).stdout)
    assert second["device"] == first["device"] == 1 and second["api_endpoint"] != first["api_endpoint"]
    assert len(devices(tmp_path)) == 1


def test_without_a_database(kobo: Path, tmp_path: Path) -> None:
    """On the computer at hand, with the line that the server showed."""
    endpoint = "http://192.0.2.9:8080/kobo/3f0c9de1"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = bookwake(elsewhere, "kobo", "configure", str(kobo), "--api-endpoint", endpoint + "/")
    assert done.returncode == 0 and f"api_endpoint={endpoint}\r\n".encode() in conf(kobo).read_bytes()
    assert not list(elsewhere.iterdir())


def test_another_server_is_not_replaced_without_being_asked(kobo: Path, tmp_path: Path) -> None:
    calibre = GENUINE.replace(b"storeapi.kobo.com", b"calibre.example.net/kobo/secret")
    conf(kobo).write_bytes(calibre)
    done = bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ida", *HOST)
    assert done.returncode == 1 and "calibre.example.net" in done.stderr and "secret" not in done.stderr
    assert conf(kobo).read_bytes() == calibre and not devices(tmp_path) and not backup(kobo).exists()
    assert bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ida", "--yes", *HOST).returncode == 0
    assert bookwake(tmp_path, "kobo", "configure", str(kobo), "--undo").returncode == 0
    assert conf(kobo).read_bytes() == calibre


def test_a_kobo_does_not_change_hands(kobo: Path, tmp_path: Path) -> None:
    bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ida", *HOST)
    done = bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ben", "--yes", *HOST)
    assert done.returncode == 1 and "another person" in done.stderr and len(devices(tmp_path)) == 1


def test_what_cannot_be_done_leaves_all_as_it_was(kobo: Path, tmp_path: Path) -> None:
    deep = tmp_path / "deep" / "er" / "still" / "more"
    deep.mkdir(parents=True)
    local = ("--public-url", "http://127.0.0.1:8080")
    for arguments, words in (
        (["nowhere", "--user", "Ida", *HOST], ["There is no nowhere", "Connect"]),
        ([str(deep), "--user", "Ida", *HOST], ["not the drive of a Kobo"]),
        (["KOBOeReader", "--user", "Nobody", *HOST], ["nobody called “Nobody”"]),
        (["KOBOeReader", "--device", "7", *HOST], ["no Kobo number 7"]),
        (["KOBOeReader", "--user", "Ida", *local], ["only for itself", "--public-url"]),
        (["KOBOeReader", "--api-endpoint", "books"], ["no address"]),
        (["KOBOeReader", "--undo"], ["nothing to give back"]),
    ):
        done = bookwake(tmp_path, "kobo", "configure", *arguments)
        assert done.returncode in (1, 2) and all(word in done.stderr for word in words), done.stderr
    assert conf(kobo).read_bytes() == GENUINE and not devices(tmp_path) and not backup(kobo).exists()


def test_a_drive_that_fails_while_writing_leaves_no_device(
    kobo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: str, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kobo_api.plugged_in.files.os.replace", fail)
    done = bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ida", *HOST)
    assert done.returncode == 1 and "No space left" in done.stderr
    assert conf(kobo).read_bytes() == GENUINE and not devices(tmp_path)
    assert os.listdir(conf(kobo).parent) == ["Kobo eReader.conf"]


def test_a_new_kobo_has_to_be_set_up_first(kobo: Path, tmp_path: Path) -> None:
    conf(kobo).unlink()
    done = bookwake(tmp_path, "kobo", "configure", str(kobo), "--user", "Ida", *HOST)
    assert done.returncode == 1 and "set-up" in done.stderr and not devices(tmp_path)


def test_what_was_read_before_comes_over(settled: Path, tmp_path: Path) -> None:
    shutil.copytree(settled, tmp_path, dirs_exist_ok=True)
    (tmp_path / "books").mkdir()
    shutil.copy(BOOKS / "minimal-v2.epub", tmp_path / "books")
    bookwake(tmp_path, "scan")
    drive = Drive(tmp_path / "KOBOeReader")
    command = ("kobo", "import", str(drive.folder))
    stranger = bookwake(tmp_path, *command)
    assert stranger.returncode == 1 and "Connect it first" in stranger.stderr
    bookwake(tmp_path, "kobo", "configure", str(drive.folder), "--user", "Ida", *HOST)
    with sqlite3.connect(tmp_path / "data" / "bookwake.sqlite3") as database:
        title = database.execute("SELECT title FROM book").fetchone()[0]
    drive.add_book("file:///mnt/onboard/a.epub", title, ReadStatus=2, TimeSpentReading=3600)
    drive.add_book("file:///mnt/onboard/b.epub", "Elsewhere", ReadStatus=1)

    looked = bookwake(tmp_path, *command)
    assert looked.returncode == 0 and "in them: 2, in the library: 1" in looked.stdout
    assert "1 finished, 1.0 hours" in looked.stdout
    assert "“Elsewhere” is not in the library" in looked.stdout and "Add --yes" in looked.stdout
    planned = json.loads(bookwake(tmp_path, *command, "--json").stdout)
    assert [one["by"] for one in planned["found"]] == ["title", None] and planned["taken"] is None
    done = json.loads(bookwake(tmp_path, *command, "--json", "--yes").stdout)
    assert (done["taken"]["books"], done["taken"]["places"], done["taken"]["seconds"]) == (1, 1, 3600)
    again = bookwake(tmp_path, *command, "--yes", "--device", "1")
    assert "Books: 1. New highlights, notes and bookmarks: 0 of 0. Places: 0. Statuses: 0." in again.stdout
    assert "no Kobo number 2" in bookwake(tmp_path, *command, "--device", "2").stderr, "the entry for what it held then"
