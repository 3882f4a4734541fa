"""Renditions are found by what devices call them, and opened, even when their file was edited meanwhile."""

import os
from pathlib import Path

import pytest

from appliance.epub.errors import BookError
from appliance.house import House
from appliance.kepub.kepubify import KepubifyError
from appliance.library import kepub_rendition
from appliance.library.digests import digests, filename_md5
from appliance.library.kepub_rendition import BookFileMissing, planned_revision, prepare
from appliance.library.renditions import by_digest, open_rendition, path_of
from appliance.library.scan import scan
from appliance.models import Book, Rendition
from appliance.positions import Position
from tests.conftest import ROOT
from tests.library.making import epub, put, titled
from tests.library.test_scan import all_books, renditions

OZ = ROOT / "tests/data/books/l-frank-baum_the-marvelous-land-of-oz.epub"


def only_book(house: House) -> tuple[Book, Rendition]:
    scan(house)
    (book,) = all_books(house)
    with house.database.read() as session:
        assert book.main_sha256 is not None
        return book, session.get_one(Rendition, book.main_sha256)


def test_paths(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One"))
    _, rendition = only_book(house)
    copy = put(folder / "copy.epub", path.read_bytes())
    scan(house)
    with house.database.read() as session:
        assert path_of(house, session, rendition.sha256) in (path, copy)
        path.unlink()
        assert path_of(house, session, rendition.sha256) == copy
        # Changed since the last scan, so no longer known to hold these bytes.
        put(copy, titled("Two"))
        assert path_of(house, session, rendition.sha256) is None
        assert path_of(house, session, "0" * 64) is None


def test_a_file_replaced_by_a_link_out_of_the_folders_is_not_served(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One"))
    _, rendition = only_book(house)
    status = path.stat()
    secret = put(folder.parent / "secret", b"s" * status.st_size)
    os.utime(secret, ns=(status.st_mtime_ns, status.st_mtime_ns))
    path.unlink()
    path.symlink_to(secret)
    with house.database.read() as session:
        assert path_of(house, session, rendition.sha256) is None


def test_digests_of_a_device(house: House, folder: Path) -> None:
    path = put(folder / "One.epub", titled("One"))
    _, rendition = only_book(house)
    with path.open("rb") as stream:
        partial = digests(stream).partial_md5
    with house.database.read() as session:
        for value in (partial, partial.upper(), f" {partial}\n", filename_md5("One.epub")):
            found = by_digest(session, value)
            assert found is not None and (found.sha256, found.book_id) == (rendition.sha256, rendition.book_id)
        for value in ("", "0" * 32, "x" * 10_000, filename_md5("one.epub")):
            assert by_digest(session, value) is None


def test_old_digests_stay_known(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One", "urn:1"))
    with path.open("rb") as stream:
        old = digests(stream).partial_md5
    book, first = only_book(house)
    put(path, titled("One, corrected", "urn:1"))
    scan(house)
    with house.database.read() as session:
        found = by_digest(session, old)
        assert found is not None and (found.sha256, found.book_id) == (first.sha256, book.id)
        # The name means the file that has it now.
        named = by_digest(session, filename_md5("one.epub"))
        assert named is not None and named.sha256 == session.get_one(Book, book.id).main_sha256


def test_positions_outlive_an_edit_of_the_metadata(house: House, folder: Path) -> None:
    text = {"one.xhtml": "<p>First words.</p>", "two.xhtml": f"<p>{'Second words. ' * 100}</p>"}
    identifier = '<dc:identifier id="id">urn:1</dc:identifier>'
    path = put(folder / "one.epub", epub(f"<dc:title>Old</dc:title>{identifier}", text))
    _, first = only_book(house)
    put(path, epub(f"<dc:title>New</dc:title>{identifier}", text))
    scan(house)
    with house.database.read() as session:
        opened = open_rendition(house, session, first.sha256)
        assert opened is not None and opened.sha256 != first.sha256
        place = opened.place(Position("OPS/two.xhtml", 0, 6))
        assert place.position == Position("OPS/two.xhtml", 0, 6)
        # With another text there is nothing to stand in.
        put(path, epub(f"<dc:title>New</dc:title>{identifier}", {"one.xhtml": text["one.xhtml"]}))
    scan(house)
    with house.database.read() as session:
        assert open_rendition(house, session, first.sha256) is None
        assert open_rendition(house, session, "0" * 64) is None


def test_the_kepub_of_a_book_that_is_divided(house: House, folder: Path) -> None:
    """Its own contents, and no doubt of the text."""
    put(folder / "alice.epub", (ROOT / "tests/data/books/calibre-docx_alice.epub").read_bytes())
    book, source = only_book(house)
    kepub = prepare(house, book.id)
    assert kepub.text_fingerprint != source.text_fingerprint and not kepub.doubts
    before, after = source.contents[0]["children"][1], kepub.contents[0]["children"][1]
    assert (before["path"], before["fragment"]) == ("index.html", "id_ii")
    assert (after["path"], after["fragment"]) == ("index-3.html", "")


def test_the_kepub_of_a_book(house: House, folder: Path) -> None:
    put(folder / "oz.epub", OZ.read_bytes())
    book, source = only_book(house)
    with house.database.read() as session:
        planned = planned_revision(house, session, book.id)
    kepub = prepare(house, book.id)
    assert (kepub.kind, kepub.book_id, kepub.origin_sha256) == ("kepub", book.id, source.sha256)
    assert kepub.text_fingerprint == source.text_fingerprint and kepub.contents == source.contents
    assert prepare(house, book.id).sha256 == kepub.sha256
    with house.database.read() as session:
        assert planned_revision(house, session, book.id) == planned is not None
        path = path_of(house, session, kepub.sha256)
        assert path is not None
        with path.open("rb") as stream:
            read = digests(stream)
        assert (read.sha256, read.size) == (kepub.sha256, kepub.size)
        found = by_digest(session, read.partial_md5)
        assert found is not None and found.sha256 == kepub.sha256
        opened = open_rendition(house, session, kepub.sha256)
        assert opened is not None
        place = opened.decode_kobo("epub/text/chapter-1.xhtml", "kobo.5.1")
        assert place.position is not None
        # The EPUB stays the reference rendition.
        assert session.get_one(Book, book.id).main_sha256 == source.sha256
    scan(house)
    with house.database.read() as session:
        assert path_of(house, session, kepub.sha256) == path


def test_a_kepub_stays_when_the_converter_changes(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / "one.epub", titled("One"))
    book, _ = only_book(house)
    first = prepare(house, book.id)
    with house.database.read() as session:
        revision = planned_revision(house, session, book.id)
    monkeypatch.setattr("appliance.kepub.builtin.VERSION", "99")
    monkeypatch.setattr(kepub_rendition, "engine_in_use", lambda *_: ("built-in", "99"))
    assert prepare(house, book.id).sha256 == first.sha256
    with house.database.read() as session:
        assert planned_revision(house, session, book.id) == revision


def test_an_edited_book_has_another_kepub_and_keeps_the_old_one(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One", "urn:1"))
    book, _ = only_book(house)
    first = prepare(house, book.id)
    with house.database.read() as session:
        before = planned_revision(house, session, book.id)
    put(path, titled("One, corrected", "urn:1"))
    scan(house)
    with house.database.read() as session:
        assert planned_revision(house, session, book.id) != before
    second = prepare(house, book.id)
    assert second.sha256 != first.sha256
    with house.database.read() as session:
        assert path_of(house, session, first.sha256) is not None
    assert len(renditions(house, book)) == 4


def test_a_book_that_is_a_kepub(house: House, folder: Path) -> None:
    text = '<p><span class="koboSpan" id="kobo.1.1">Words.</span></p>'
    put(folder / "one.kepub.epub", titled("One", text=text))
    book, rendition = only_book(house)
    assert prepare(house, book.id).sha256 == rendition.sha256
    with house.database.read() as session:
        assert planned_revision(house, session, book.id) == rendition.sha256


def test_a_kepub_by_its_name_only_is_converted(house: House, folder: Path) -> None:
    put(folder / "one.kepub.epub", titled("One"))
    book, rendition = only_book(house)
    assert rendition.kind == "epub" and "holds no Kobo spans" in rendition.doubts[0]
    assert prepare(house, book.id).kind == "kepub"


def test_a_book_that_cannot_be_converted(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / "one.epub", titled("One"))
    book, source = only_book(house)

    def fail(*_arguments: object) -> None:
        raise BookError("It does not work.")

    with monkeypatch.context() as patch:
        patch.setattr(type(house.kepubs), "ensure", fail)
        with pytest.raises(BookError, match="does not work"):
            prepare(house, book.id)
    with house.database.read() as session:
        assert planned_revision(house, session, book.id) is None
        assert session.get_one(Rendition, source.sha256).conversion_problem == "It does not work."
    # Another converter may do better.
    monkeypatch.setattr(kepub_rendition, "engine_in_use", lambda *_: ("built-in", "99"))
    with house.database.read() as session:
        assert planned_revision(house, session, book.id) is not None


def test_the_built_in_converter_steps_in(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / "one.epub", titled("One"))
    book, _ = only_book(house)
    real = type(house.kepubs).ensure

    def ensure(store: object, sha256: str, source: Path, engine: str = "auto") -> Path:
        if engine == "auto":
            raise KepubifyError("kepubify crashed.")
        return real(store, sha256, source, engine)  # type: ignore[arg-type]

    monkeypatch.setattr(type(house.kepubs), "ensure", ensure)
    assert prepare(house, book.id).engine == "built-in"


def test_a_book_whose_file_is_away(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One"))
    book, _ = only_book(house)
    path.rename(folder.parent / "away.epub")
    with pytest.raises(BookFileMissing) as caught:
        prepare(house, book.id)
    assert caught.value.remedy.endswith(".")
    with pytest.raises(BookFileMissing):
        prepare(house, "no-such-book")
    with house.database.read() as session:
        assert planned_revision(house, session, "no-such-book") is None
