"""A book's file, its metadata and its cover (kobo-protocol.md 5.1, 6.1, 6.3)."""

import hashlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlmodel import select

from appliance.epub.errors import BookError
from appliance.models import Book
from kobo_api import downloads
from kobo_api.call import Answer, FileAnswer
from tests.kobo_api.conftest import BASE, Desk, Home
from tests.kobo_api.shapes import offered
from tests.simulators.kobo.kepub import Kepub

BOOK = "minimal-v2.epub"
ALICE = "calibre-docx_alice.epub"


@pytest.fixture
def id(home: Home, kobo: Desk) -> str:
    home.import_books(BOOK)
    [id] = offered(kobo.sync()).values()
    return id


def url(kobo: Desk, id: str) -> dict[str, Any]:
    [book] = kobo.json("GET", f"/v1/library/{id}/metadata")
    [found] = book["DownloadUrls"]
    return found  # type: ignore[no-any-return]


def read(answer: Answer | FileAnswer) -> bytes:
    assert isinstance(answer, FileAnswer)
    return answer.path.read_bytes()[answer.start : answer.end]


def test_the_kepub_is_what_the_metadata_says(kobo: Desk, id: str) -> None:
    found = url(kobo, id)
    assert found["Format"] == "KEPUB" and found["Url"] == f"{BASE}/kobo/{kobo.secret}/download/{id}.kepub.epub"
    answer = kobo.take(id)
    data = read(answer)
    assert len(data) == found["Size"] and answer.status == 200 and answer.content_type == "application/epub+zip"
    assert answer.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert answer.headers["content-disposition"].endswith(".kepub.epub")
    assert Kepub(answer.path).has_spans


def test_a_transfer_that_was_cut_off_goes_on_with_the_same_file(home: Home, kobo: Desk, id: str) -> None:
    whole = read(kobo.call("GET", f"/download/{id}.kepub.epub"))
    with home.database.write() as session:
        # Meanwhile the book is another one; what was begun is finished all the same.
        [book] = session.exec(select(Book)).all()
        book.main_sha256 = None
    rest = kobo.call(
        "GET", f"/download/{id}.kepub.epub", range="bytes=100-", if_range=f'"{hashlib.sha256(whole).hexdigest()}"'
    )
    assert isinstance(rest, FileAnswer) and rest.status == 206 and read(rest) == whole[100:]
    assert rest.headers["content-range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"


def test_ranges_outside_and_head(kobo: Desk, id: str) -> None:
    url(kobo, id)
    head = kobo.call("HEAD", f"/download/{id}.kepub.epub")
    assert isinstance(head, FileAnswer) and head.end > 100
    assert kobo.delivery(_book(kobo, id)).began_at is None, "asking how large it is is no download"
    beyond = kobo.call("GET", f"/download/{id}.kepub.epub", range=f"bytes={head.end}-")
    assert isinstance(beyond, Answer) and beyond.status == 416
    assert beyond.headers["content-range"] == f"bytes */{head.end}"


def test_the_ledger_knows_what_was_sent_and_when_it_arrived(kobo: Desk, id: str) -> None:
    answer = kobo.call("GET", f"/download/{id}.kepub.epub")
    delivery = kobo.delivery(_book(kobo, id))
    assert delivery.began_at and not delivery.downloaded_at
    assert delivery.sha256 == hashlib.sha256(read(answer)).hexdigest()
    assert isinstance(answer, FileAnswer) and answer.on_sent
    answer.on_sent()
    assert kobo.delivery(_book(kobo, id)).downloaded_at


def test_a_book_that_cannot_be_converted_is_sent_as_what_it_is(
    home: Home, kobo: Desk, id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """6.1: never fail the sync, and never call an EPUB a KEPUB."""

    def fail(*_: object) -> None:
        raise BookError("no")

    monkeypatch.setattr(downloads, "prepare", fail)
    found = url(kobo, id)
    assert found["Format"] == "EPUB3" and found["Url"].endswith(f"/download/{id}.epub")
    answer = kobo.call("GET", f"/download/{id}.epub")
    assert read(answer) == (home.folder / "books" / BOOK).read_bytes() and len(read(answer)) == found["Size"]
    mislabelled = kobo.call("GET", f"/download/{id}.kepub.epub")
    assert isinstance(mislabelled, Answer) and mislabelled.status == 404


def test_a_kepub_in_the_library_is_sent_as_it_is(home: Home, kobo: Desk, id: str) -> None:
    made = kobo.take(id).path
    (home.folder / "books" / "made.kepub.epub").write_bytes(made.read_bytes())
    other = home.kobo(kobo.user_id)
    home.import_books()
    for entitlement in offered(other.sync()).values():
        assert url(other, entitlement)["Format"] == "KEPUB"
        assert Kepub(other.take(entitlement).path).has_spans


def test_somebody_elses_and_unknown_ids(home: Home, kobo: Desk, id: str) -> None:
    other = home.kobo(home.person("Ben"))
    for stranger in (id, "0b0b0b0b-0000-4000-8000-000000000000", "..", "%2e%2e"):
        assert other.json("GET", f"/v1/library/{stranger}/metadata") == []
        assert other.call("GET", f"/download/{stranger}.kepub.epub") == downloads.GONE
    assert len(kobo.json("GET", f"/v1/library/{id},unknown/metadata")) == 1


def test_file_names_suit_the_device() -> None:
    assert downloads._file_name('A/B: "C"?\n') == "A B C"
    assert downloads._file_name("...") == "book"


@pytest.mark.parametrize("size", ["355/530/false", "1404/1872/85/true"])
def test_covers_are_jpegs_that_fit(home: Home, kobo: Desk, size: str) -> None:
    home.import_books(ALICE)
    [event] = kobo.sync()
    image = event["NewEntitlement"]["BookMetadata"]["CoverImageId"]
    answer = kobo.call("GET", f"/covers/{image}/{size}/image.jpg")
    assert isinstance(answer, FileAnswer) and answer.content_type == "image/jpeg"
    with Image.open(answer.path) as picture:
        width, height = (int(part) for part in size.split("/")[:2])
        assert picture.format == "JPEG" and picture.width <= width and picture.height <= height
    again = kobo.call("GET", f"/covers/{image}/{size}/image.jpg", if_none_match=answer.headers["etag"])
    assert isinstance(again, Answer) and again.status == 304


def test_an_unknown_cover_is_a_blank_picture(kobo: Desk) -> None:
    answer = kobo.call("GET", "/covers/unknown/x/9999999/false/image.jpg")
    assert isinstance(answer, Answer) and answer.status == 200
    with Image.open(BytesIO(answer.body)) as picture:
        assert picture.format == "JPEG"


def test_a_cover_that_cannot_be_made_for_the_moment_is_not_there(home: Home, kobo: Desk) -> None:
    """A blank picture would be kept for it (6.3)."""
    home.import_books(ALICE)
    [event] = kobo.sync()
    path = f"/covers/{event['NewEntitlement']['BookMetadata']['CoverImageId']}/355/530/false/image.jpg"
    file = home.folder / "books" / ALICE
    away = file.rename(home.folder / ALICE)
    answer = kobo.call("GET", path)
    assert isinstance(answer, Answer) and (answer.status, answer.headers["cache-control"]) == (404, "no-store")
    away.rename(file)
    assert isinstance(kobo.call("GET", path), FileAnswer)


def test_another_picture_has_another_id(home: Home, kobo: Desk, id: str) -> None:
    """The device keeps a picture under its id for ever (6.3)."""
    before = kobo.json("GET", f"/v1/library/{id}/metadata")[0]["CoverImageId"]
    home.edit(_book(kobo, id), title="Another title")
    assert kobo.json("GET", f"/v1/library/{id}/metadata")[0]["CoverImageId"] != before


def _book(kobo: Desk, id: str) -> str:
    from appliance.models import KoboEntitlement

    with kobo.house.database.read() as session:
        return session.get_one(KoboEntitlement, id).book_id
