"""Looking through the library, downloading, updating."""

import hashlib
import hmac
import io
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

from tests.koreader_api.plugin.conftest import OTHER
from tests.koreader_api.plugin.standin import ABOUT, Device
from tests.server import Server
from tests.simulators.kosync import partial_md5


def test_books_series_and_authors(device: Device, book: Path):
    found = device.get("/library/books").json()
    assert (found["page"], found["pages"], found["total"]) == (1, 1, 2) and len(found["items"]) == 2
    alice = next(one for one in found["items"] if "Alice" in one["title"])
    (file,) = (one for one in alice["files"] if one["format"] == "epub")
    assert file == {"format": "epub", "size": book.stat().st_size, "file": partial_md5(book), "name": book.name}
    assert device.get("/library/books?search=alice").json()["items"] == [alice]
    assert device.get("/library/books?search=nothing+of+the+kind").json()["total"] == 0
    assert {one["id"] for one in device.get("/library/books?recent=1").json()["items"]} == {
        one["id"] for one in found["items"]
    }
    authors = device.get("/library/authors").json()
    assert {"name": alice["authors"][0], "books": 1} in authors["items"]
    by_name = device.http.get("/library/books", params={"author": alice["authors"][0]}, headers=device.headers)
    assert by_name.json()["items"] == [alice]
    assert device.get("/library/books?author=nobody").json()["total"] == 0
    assert device.get("/library/series").json()["items"] == []
    assert device.get(f"/series/{alice['id']}").json()["items"] == [alice], "a book in no series stands for itself"
    assert device.get("/library/books?page=9").json()["items"] == []
    assert device.get("/library/books?page=0").status_code == 400
    assert device.get("/series/nothing").status_code == 404


def test_a_series_in_order(server: Server, device: Device):
    with closing(sqlite3.connect(server.data / "bookwake.sqlite3")) as database:
        ids = [row[0] for row in database.execute("SELECT id FROM book ORDER BY title_key")]
        for number, id in enumerate(reversed(ids)):
            database.execute("UPDATE book SET series = 'Oz & more', series_index = ? WHERE id = ?", [number + 0.5, id])
        database.commit()
        try:
            (series,) = device.get("/library/series").json()["items"]
            assert (series["name"], series["books"], series["authors"]) == ("Oz & more", 2, ["Lewis Carroll"])
            listed = device.get("/library/books?series=Oz+%26+more").json()["items"]
            assert [one["id"] for one in listed] == ids[::-1] or {one["id"] for one in listed} == set(ids)
            whole = device.get(f"/series/{ids[0]}").json()["items"]
            assert [(one["id"], one["series_index"]) for one in whole] == [(ids[1], 0.5), (ids[0], 1.5)]
        finally:
            database.execute("UPDATE book SET series = NULL, series_index = NULL")
            database.commit()


def test_a_download_is_the_very_file_and_goes_on_where_it_broke_off(device: Device, book: Path):
    found = device.get("/library/books?search=alice").json()["items"][0]
    whole = device.get(f"/download/{found['id']}?format=epub")
    data = book.read_bytes()
    assert whole.status_code == 200 and whole.content == data
    assert whole.headers["x-bookwake-file"] == partial_md5(book)
    assert int(whole.headers["content-length"]) == len(data)
    etag = whole.headers["etag"]
    assert etag == f'"{hashlib.sha256(data).hexdigest()}"'
    part = device.get(f"/download/{found['id']}", **{"Range": "bytes=1000-", "If-Range": etag})
    assert (part.status_code, part.content) == (206, data[1000:])
    assert part.headers["content-range"] == f"bytes 1000-{len(data) - 1}/{len(data)}"
    other = device.get(f"/download/{found['id']}", **{"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, data)
    assert device.get(f"/download/{found['id']}", Range=f"bytes={len(data)}-").status_code == 416


def test_what_is_not_there_is_404(device: Device):
    assert device.get("/download/nothing").json()["error"] == "no-book"
    assert device.get("/download/..%2f..%2fbookwake.sqlite3").status_code == 404
    assert device.get("/download/x?format=pdf").status_code == 400


def test_a_kepub_is_made_when_it_is_asked_for(device: Device):
    found = device.get("/library/books", search="").json()["items"]
    small = next(one for one in found if "Alice" not in one["title"])
    answer = device.get(f"/download/{small['id']}?format=kepub")
    assert answer.status_code == 200 and answer.content != OTHER.read_bytes()
    again = device.get("/library/books").json()["items"]
    files = {one["format"]: one for book in again if book["id"] == small["id"] for one in book["files"]}
    assert files["kepub"]["file"] == answer.headers["x-bookwake-file"] and files["kepub"]["name"].endswith(
        ".kepub.epub"
    )
    (match,) = device.done("/match", files=[{"file": files["kepub"]["file"]}])["matches"]
    assert (match["how"], match["book"]["id"]) == ("exact", small["id"])


def test_an_update_is_offered_signed_and_taken(device: Device):
    assert "update" not in device.done("/hello", **ABOUT)
    told = device.done("/hello", **{**ABOUT, "plugin": "1.0.0-dev"})
    assert "update" not in told, "that is no older"
    package = device.get("/update")
    assert int(package.headers["content-length"]) == len(package.content)
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        names = archive.namelist()
        assert "bookwake.koplugin/main.lua" in names and "bookwake.koplugin/enrolment.json" not in names
    again = device.get("/update")
    assert again.content == package.content


def test_the_signature_is_of_whoever_knows_the_token():
    from koreader_api.plugin.package import Package, signature

    package = Package("1.2.0", b"zip", hashlib.sha256(b"zip").hexdigest())
    key = hashlib.sha256(b"the token").hexdigest()
    expected = hmac.new(key.encode(), f"1.2.0\n3\n{package.sha256}".encode(), hashlib.sha256).hexdigest()
    assert signature(package, key) == expected


def test_a_newer_plugin_is_offered_unless_it_did_not_start():
    from koreader_api.plugin.hello import is_older

    assert is_older("1.0.0", "1.0.1") and is_older("0.9.9", "1.0") and is_older("1.9.0", "1.10.0")
    assert not is_older("1.0.1", "1.0.1") and not is_older("1.1", "1.0.9") and not is_older("", "1.0.0")
    assert not is_older("nightly", "1.0.0")
