"""The commands on real data folders."""

import io
import json
import os
import stat
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from appliance.cli import main
from tests.conftest import ROOT
from tests.server import BOOKS, PASSWORD

Done = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BOOKWAKE_")} | more


def process(folder: Path, *arguments: str, stdin: str = "", **environ: str) -> Done:
    """Run a command as people do."""
    command = [sys.executable, "-P", "-m", "appliance", *arguments]
    environ = environment(PYTHONPATH=str(ROOT), **environ)
    return subprocess.run(command, cwd=folder, env=environ, input=stdin, capture_output=True, text=True)


def bookwake(folder: Path, *arguments: str, stdin: str = "", **environ: str) -> Done:
    """Run a command in this process, because starting one takes seconds."""
    out, err, here = io.StringIO(), io.StringIO(), os.getcwd()
    os.chdir(folder)
    try:
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            patch.object(sys, "stdin", io.StringIO(stdin)),
            patch.dict(os.environ, environment(**environ), clear=True),
        ):
            status = main(arguments)
    except SystemExit as end:
        status = end.code  # type: ignore[assignment]
    finally:
        os.chdir(here)
    return Done(arguments, status, out.getvalue(), err.getvalue())


def test_people_and_devices_from_nothing(tmp_path: Path):
    added = process(tmp_path, "user", "add", "Ida", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    assert (added.returncode, added.stdout, added.stderr) == (0, "Added Ida.\n", "")
    data = tmp_path / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    listed = bookwake(tmp_path, "user", "list", "--json")
    assert json.loads(listed.stdout) == [{"id": 1, "name": "Ida", "admin": True}]

    kobo = bookwake(
        tmp_path,
        "--public-url",
        "https://books.example.org/",
        "device",
        "add",
        "--user",
        "ida",
        "--kind",
        "kobo",
        "--json",
    )
    needed = json.loads(kobo.stdout)
    assert needed == {
        "device": 1,
        "token": needed["token"],
        "api_endpoint": f"https://books.example.org/kobo/{needed['token']}",
    }
    assert len(needed["token"]) == 32
    kosync = bookwake(tmp_path, "device", "add", "--user", "Ida", "--kind", "kosync", "--json", "--host", "192.0.2.7")
    needed = json.loads(kosync.stdout)
    assert set(needed) == {"device", "server", "username", "password"}
    assert needed["server"] == "http://192.0.2.7:8080/kosync"
    plugin = bookwake(
        tmp_path, "device", "add", "--user", "Ida", "--kind", "koreader", "--name", "Tolino", "--json",
        BOOKWAKE_PUBLIC_URL="https://books.example.org",
    )  # fmt: skip
    needed = json.loads(plugin.stdout)
    assert set(needed) == {"server", "code", "expires_at"} and needed["server"] == "https://books.example.org"

    names = [device["name"] for device in json.loads(bookwake(tmp_path, "device", "list", "--json").stdout)]
    assert names == ["Kobo", "KOReader"], "the plugin becomes a device when it uses the code"
    assert bookwake(tmp_path, "device", "revoke", "1").returncode == 0
    assert "Kobo" not in bookwake(tmp_path, "device", "list").stdout
    again = process(tmp_path, "device", "revoke", "1")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("bookwake: There is no such device.")


def test_no_secret_is_in_the_database(tmp_path: Path):
    bookwake(tmp_path, "user", "add", "Ida", "--password-stdin", stdin=PASSWORD)
    secrets = [PASSWORD]
    for kind, secret in (("kobo", "token"), ("kosync", "password"), ("koreader", "code")):
        done = bookwake(tmp_path, "device", "add", "--user", "Ida", "--kind", kind, "--json")
        secrets.append(json.loads(done.stdout)[secret])
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert kept and not [secret for secret in secrets if secret.encode() in kept]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, ["COMMAND", "--help"]),
        (["sing"], 2, ["sing", "serve", "--help"]),
        (["device", "add", "--user", "Ida"], 2, ["--kind"]),
        (["device", "add", "--user", "Nobody", "--kind", "kobo"], 1, ["nobody called “Nobody”", "user list"]),
        (["user", "add", "Ida"], 2, ["--password-stdin"]),
        (["user", "add", "Ida", "--password-stdin"], 1, ["too short", "at least 8"]),
        (["serve", "--port", "many"], 2, ["port “many”"]),
        (["serve", "--public-url", "books.example.org"], 2, ["http://"]),
        (["scan", "--config", "nowhere.toml"], 2, ["nowhere.toml", "does not exist"]),
        (["user", "list", "--database-url", "oracle://x"], 2, ["postgresql://"]),
        (["user", "list", "--database-url", "sqlite:////nowhere/at/all.sqlite3"], 1, ["database", "writable"]),
        (["sweeps", "--run", "dance"], 2, ["“dance”", "scan"]),
        (["convert", "nothing.epub", "out.kepub.epub"], 1, ["nothing.epub"]),
        (["health", "--port", "1"], 1, ["http://127.0.0.1:1/", "serve"]),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path, arguments: list[str], status: int, words: list[str]):
    done = bookwake(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert not [word for word in words if word not in done.stderr]


def test_misuse_is_told_by_the_exit_status(tmp_path: Path):
    done = process(tmp_path, "serve", "--port", "many")
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "data").write_text("a file")
    done = bookwake(tmp_path, "user", "list")
    assert done.returncode == 1 and str(tmp_path / "data") in done.stderr and done.stderr.count("\n") == 1


def test_folders_before_and_after_the_command_count(tmp_path: Path):
    for name, book in (("one", "minimal-v2.epub"), ("two", "childrens-literature.epub")):
        (tmp_path / name).mkdir()
        (tmp_path / name / book).write_bytes((BOOKS / book).read_bytes())
    done = bookwake(tmp_path, "--books", "one", "scan", "--books", "two", "--json")
    assert json.loads(done.stdout)["added"] == 2, done.stderr
    again = json.loads(bookwake(tmp_path, "scan", "--json", BOOKWAKE_BOOKS="one:two").stdout)
    assert (again["added"], again["unchanged"]) == (0, 2)


def test_a_broken_file_is_listed_and_is_no_failure(tmp_path: Path):
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "torn.epub").write_bytes((BOOKS / "minimal-v2.epub").read_bytes()[:900])
    done = bookwake(tmp_path, "scan")
    assert done.returncode == 0 and "1 not usable" in done.stdout
    assert "torn.epub" in done.stdout.splitlines()[1]


def test_settings_come_from_the_file_in_the_data_folder(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bookwake.toml").write_text('public_url = "https://from.example"\n')
    bookwake(tmp_path, "user", "add", "Ida", "--password-stdin", stdin=PASSWORD)
    done = bookwake(tmp_path, "device", "add", "--user", "Ida", "--kind", "kosync", "--json")
    assert json.loads(done.stdout)["server"] == "https://from.example/kosync"


def test_convert_makes_a_kepub_whole_or_not_at_all(tmp_path: Path):
    target = tmp_path / "out.kepub.epub"
    done = bookwake(tmp_path, "convert", str(BOOKS / "minimal-v2.epub"), str(target), "--engine", "built-in", "--json")
    made = json.loads(done.stdout)
    assert made["engine"] == "built-in" and made["size"] == target.stat().st_size and done.stderr == ""
    (tmp_path / "torn.epub").write_bytes((BOOKS / "minimal-v2.epub").read_bytes()[:900])
    failed = bookwake(tmp_path, "convert", "torn.epub", "torn.kepub.epub", "--engine", "built-in")
    assert failed.returncode == 1 and "torn.epub" in failed.stderr and failed.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.kepub.epub", "torn.epub"]


def test_sweeps_are_listed_and_run(tmp_path: Path):
    done = bookwake(tmp_path, "sweeps", "--json")
    names = [sweep["name"] for sweep in json.loads(done.stdout)]
    assert {"scan", "preparation", "placing", "backup"} <= set(names)
    ran = json.loads(bookwake(tmp_path, "sweeps", "--run", "backup", "--json").stdout)
    assert ran["ok"] and ran["result"]
    assert list((tmp_path / "data" / "backups").iterdir())
    listed = {sweep["name"]: sweep for sweep in json.loads(bookwake(tmp_path, "sweeps", "--json").stdout)}
    assert listed["backup"]["last"]["result"] == ran["result"] and listed["scan"]["last"] is None


def test_the_api_is_described(tmp_path: Path):
    described = json.loads(bookwake(tmp_path, "openapi").stdout)
    assert described["info"]["title"] == "Bookwake"
    assert "/api/books/{book_id}/progress" in described["paths"]
    assert not [path for path in described["paths"] if not path.startswith("/api/")]
