"""Sidecars, saved and given back."""

import hashlib
from pathlib import Path

import httpx
import pytest

from tests.koreader_api.plugin.standin import Device, paired
from tests.server import Server
from tests.simulators.kosync import partial_md5

METADATA = (
    b'return {\n    ["annotations"] = {\n        [1] = {\n        },\n    },\n    ["percent_finished"] = 0.5,\n}\n'
)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest(device: Device, book: Path, **parts: bytes) -> dict:
    return {
        "file": partial_md5(book),
        "title": "Alice",
        "taken_at": device.now(),
        "location": "doc",
        "book_path": "/mnt/onboard/Alice.epub",
        "koreader": "v2026.07.2",
        "parts": [
            {"name": name.replace("_", "."), "size": len(data), "mtime": device.now(), "sha256": sha256(data)}
            for name, data in parts.items()
        ],
    }


def put(device: Device, data: bytes, name: str = "") -> httpx.Response:
    return device.http.put(f"/backups/parts/{name or sha256(data)}", content=data, headers=device.headers)


def save(device: Device, book: Path, **parts: bytes) -> int:
    told = device.done("/backups", **manifest(device, book, **parts))
    for data in parts.values():
        if sha256(data) in told["missing"]:
            assert put(device, data).status_code == 200
    return told["backup"]


def listed(device: Device, book: Path) -> list[dict]:
    return device.get(f"/backups?file={partial_md5(book)}").json()["backups"]


def test_a_sidecar_is_saved_and_comes_back_as_it_was(server: Server, ida: str, device: Device, book: Path):
    cover = bytes(range(256)) * 40
    said = manifest(device, book, metadata_epub_lua=METADATA, cover_png=cover)
    told = device.done("/backups", **said)
    assert told["missing"] == [sha256(METADATA), sha256(cover)] and listed(device, book) == []
    assert put(device, METADATA).json() == {"complete": False} and listed(device, book) == []
    assert put(device, cover).json() == {"complete": True}
    assert put(device, cover).json() == {"complete": True}, "the answer may have been lost"
    (shown,) = listed(device, book)
    assert (shown["backup"], shown["annotations"], shown["percent"], shown["here"]) == (told["backup"], 1, 0.5, True)
    whole = device.get(f"/backups/{told['backup']}").json()
    assert whole["parts"] == said["parts"] and whole["book_path"] == said["book_path"]
    other = paired(server, ida)
    assert other.get(f"/backups/{told['backup']}/parts/metadata.epub.lua").content == METADATA
    assert other.get(f"/backups/{told['backup']}/parts/cover.png").content == cover
    assert listed(other, book)[0]["here"] is False


def test_the_same_again_is_no_new_version_and_known_bytes_are_not_sent_again(device: Device, book: Path):
    first = save(device, book, metadata_epub_lua=b"one", cover_png=b"cover")
    again = device.done("/backups", **manifest(device, book, metadata_epub_lua=b"one", cover_png=b"cover"))
    assert again == {"backup": first, "missing": []}
    second = device.done("/backups", **manifest(device, book, metadata_epub_lua=b"two", cover_png=b"cover"))
    assert second["backup"] != first and second["missing"] == [sha256(b"two")]


def test_the_last_versions_stay_and_bytes_that_nobody_has_go(server: Server, device: Device, book: Path):
    made = [save(device, book, metadata_epub_lua=b"version %d" % n, cover_png=b"kept") for n in range(13)]
    assert [one["backup"] for one in listed(device, book)] == made[:2:-1]
    folder = server.data / "sidecars"
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {sha256(b"version 3"), sha256(b"kept")} <= names and sha256(b"version 2") not in names
    assert device.get(f"/backups/{made[0]}").status_code == 404


@pytest.mark.parametrize("name", ["../../x", "a/b", "", ".hidden", "a\\b", "x" * 201, "a\x00b", "a\nb"])
def test_a_part_is_a_file_and_nothing_else(device: Device, book: Path, name: str):
    said = manifest(device, book, metadata_epub_lua=b"x")
    said["parts"][0]["name"] = name
    answer = device.ask("/backups", **said)
    assert answer.status_code == 400 or name == "a\x00b"


def test_what_does_not_fit_is_refused(device: Device, book: Path):
    save(device, book, metadata_epub_lua=b"fine")
    said = manifest(device, book, metadata_epub_lua=b"x")
    assert device.ask("/backups", **{**said, "parts": []}).status_code == 400
    assert device.ask("/backups", **{**said, "parts": said["parts"] * 2}).status_code == 400
    many = [{**said["parts"][0], "name": str(n)} for n in range(41)]
    assert device.ask("/backups", **{**said, "parts": many}).status_code == 413
    large = [{**said["parts"][0], "size": 2**30}]
    assert device.ask("/backups", **{**said, "parts": large}).status_code == 413
    device.done("/backups", **said)
    assert put(device, b"y", sha256(b"x")).json()["error"] == "wrong-bytes"
    assert put(device, b"nobody asked for this").status_code == 404
    assert put(device, b"x", "../../../etc/passwd").status_code == 404
    assert put(device, b"x", "A" * 64).status_code == 404
    assert put(device, b" " * (8 * 1024 * 1024 + 1)).status_code == 413
    for path in ("/backups/x", "/backups/0", "/backups/99999", "/backups?file=x", "/backups"):
        assert device.get(path).status_code in (400, 404), path


def test_nobody_gets_another_persons_sidecar(server: Server, device: Device, book: Path):
    made = save(device, book, metadata_epub_lua=b"private")
    server.add_user("Somebody curious")
    stranger = paired(server, "Somebody curious")
    assert listed(stranger, book) == []
    assert stranger.get(f"/backups/{made}").status_code == 404
    assert stranger.get(f"/backups/{made}/parts/metadata.epub.lua").status_code == 404
    told = stranger.done("/backups", **manifest(stranger, book, metadata_epub_lua=b"other"))
    assert put(stranger, b"private").status_code == 404 and told["missing"]
    # Knowing the digest of something is not having it.
    told = stranger.done("/backups", **manifest(stranger, book, metadata_epub_lua=b"private", cover_png=b"mine"))
    assert sha256(b"private") in told["missing"]
    assert put(stranger, b"mine").json() == {"complete": False} and listed(stranger, book) == []
