"""What becomes of the library when files appear, change, move, go away and come back."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlmodel import select

from appliance.house import House
from appliance.library import scan as scan_module
from appliance.library.digests import digests, filename_md5
from appliance.library.scan import ScanResult, ScanRunning, scan
from appliance.models import Book, Digest, LibraryFile, Rendition
from tests.conftest import ROOT, SHARED
from tests.library.making import PROSE, put, titled

BOOKS = ROOT / "tests/data/books"


def counts(result: ScanResult) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: value for name, value in asdict(result).items() if name != "problems" and value}


def all_books(house: House) -> list[Book]:
    with house.database.read() as session:
        return list(session.exec(select(Book).order_by(Book.title_key)).all())


def the_file(house: House, path: Path) -> LibraryFile:
    with house.database.read() as session:
        return session.exec(select(LibraryFile).where(LibraryFile.path == str(path))).one()


def renditions(house: House, book: Book) -> list[Rendition]:
    with house.database.read() as session:
        query = select(Rendition).where(Rendition.book_id == book.id).order_by(Rendition.created_at)
        return list(session.exec(query).all())


@contextmanager
def no_file_is_opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("a file was read")

    with monkeypatch.context() as patch:
        patch.setattr(scan_module, "_read", refuse)
        yield


def database_bytes(house: House) -> list[tuple[str, bytes]]:
    files = sorted(house.settings.data.glob("bookwake.sqlite3*"))
    return [(file.name, file.read_bytes()) for file in files if not file.name.endswith("-shm")]


def test_real_books(house: House, folder: Path) -> None:
    shutil.copytree(BOOKS, folder, dirs_exist_ok=True)
    result = scan(house)
    paths = sorted(folder.glob("*.epub"))
    assert counts(result) == {"added": len(paths)}
    assert len(all_books(house)) == len(paths)
    oz = next(book for book in all_books(house) if book.title == "The Marvelous Land of Oz")
    assert (oz.sort_title, oz.authors, oz.sort_author) == (
        "Marvelous Land of Oz, The",
        ["L. Frank Baum"],
        "Baum, L. Frank",
    )
    assert (oz.series, oz.series_index, oz.language) == ("Oz", 2.0, "en-US")
    assert oz.cover_sha256 is not None
    (rendition,) = renditions(house, oz)
    assert [entry["title"] for entry in rendition.contents[:3]] == ["Titlepage", "Imprint", "Author’s Note"]
    (first, *_) = rendition.contents[4]["children"]
    assert (first["title"], first["path"]) == ("Tip Manufactures a Pumpkinhead", "epub/text/chapter-1.xhtml")
    for path in paths:
        file = the_file(house, path)
        with path.open("rb") as stream:
            expected = digests(stream)
        assert (file.sha256, file.size, file.mtime_ns) == (expected.sha256, expected.size, path.stat().st_mtime_ns)
        with house.database.read() as session:
            known = session.exec(select(Digest).where(Digest.sha256 == file.sha256)).all()
        assert {(digest.kind, digest.value) for digest in known} == {
            ("partial_md5", expected.partial_md5),
            ("filename_md5", filename_md5(path.name)),
        }


def test_an_unchanged_library_is_neither_read_nor_written(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(BOOKS, folder, dirs_exist_ok=True)
    put(folder / "broken.epub", b"not a book")
    scan(house)
    before = database_bytes(house)
    with no_file_is_opened(monkeypatch):
        result = scan(house)
    assert counts(result) == {"unchanged": len(list(folder.glob("*.epub")))}
    assert database_bytes(house) == before


def test_the_book_folder_is_left_as_it_was(house: House, folder: Path) -> None:
    put(folder / "a" / "one.epub", titled("One"))
    put(folder / "two.epub", b"PK\x03\x04 cut off")
    before = {path: (path.stat().st_mtime_ns, path.is_dir() or path.read_bytes()) for path in folder.rglob("*")}
    os.chmod(folder, 0o555)
    scan(house)
    assert {path: (path.stat().st_mtime_ns, path.is_dir() or path.read_bytes()) for path in folder.rglob("*")} == before
    os.chmod(folder, 0o755)


def test_a_moved_file_keeps_its_book(house: House, folder: Path) -> None:
    old = put(folder / "one.epub", titled("One"))
    scan(house)
    (book,) = all_books(house)
    new = folder / "Ann Author" / "The One.epub"
    new.parent.mkdir()
    old.rename(new)
    assert counts(scan(house)) == {"moved": 1}
    assert [book.id for book in all_books(house)] == [book.id]
    assert the_file(house, new).missing_since is None
    with house.database.read() as session:
        names = set(session.exec(select(Digest.value).where(Digest.kind == "filename_md5")).all())
        assert len(session.exec(select(LibraryFile)).all()) == 1
    # KOReader may go on asking under the old name.
    assert names == {filename_md5("one.epub"), filename_md5("The One.epub")}


def test_two_files_that_change_places_keep_their_books(house: House, folder: Path) -> None:
    one, two = (
        put(folder / "1.epub", titled("One")),
        put(folder / "2.epub", titled("Two", text="<p>" + "two " * 400 + "</p>")),
    )
    scan(house)
    books = {book.title: book.id for book in all_books(house)}
    one.rename(folder / "x")
    two.rename(one)
    (folder / "x").rename(two)
    assert counts(scan(house)) == {"changed": 2}
    assert {book.title: book.id for book in all_books(house)} == books
    assert len(renditions(house, all_books(house)[0])) == 1


def test_a_removed_file_is_missing_and_comes_back(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One"))
    data = path.read_bytes()
    scan(house)
    (book,) = all_books(house)
    path.unlink()
    assert counts(scan(house)) == {"missing": 1}
    assert the_file(house, path).missing_since is not None
    assert [kept.id for kept in all_books(house)] == [book.id]
    assert counts(scan(house)) == {}
    put(path, data)
    assert counts(scan(house)) == {"returned": 1}
    assert the_file(house, path).missing_since is None
    assert len(renditions(house, book)) == 1


def test_a_missing_file_that_comes_back_elsewhere(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One"))
    data = path.read_bytes()
    scan(house)
    path.unlink()
    scan(house)
    put(folder / "other" / "name.epub", data)
    assert counts(scan(house)) == {"returned": 1}
    assert len(all_books(house)) == 1


def test_an_edited_file_is_a_new_rendition_of_its_book(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One", "urn:1"))
    scan(house)
    (book,) = all_books(house)
    put(path, titled("One (corrected)", "urn:1"))
    assert counts(scan(house)) == {"changed": 1}
    (edited,) = all_books(house)
    assert (edited.id, edited.title) == (book.id, "One (corrected)")
    first, second = renditions(house, edited)
    assert (book.main_sha256, edited.main_sha256) == (first.sha256, second.sha256)
    assert edited.changed_at > book.changed_at


def test_another_book_in_the_place_of_a_book(house: House, folder: Path) -> None:
    path = put(folder / "one.epub", titled("One", "urn:1"))
    scan(house)
    (one,) = all_books(house)
    put(path, titled("Two", "urn:2", f"<p>{'other words ' * 200}</p>", "Bob Writer"))
    assert counts(scan(house)) == {"changed": 1}
    books = {book.title: book for book in all_books(house)}
    assert set(books) == {"One", "Two"}
    assert books["One"].id == one.id and books["One"].main_sha256 == one.main_sha256


def test_one_identifier_for_two_books(house: House, folder: Path) -> None:
    # As pkg-unique-id.epub and pkg-unique-id_duplicate.epub of the W3C: the same identifier and length, another book.
    put(folder / "a.epub", titled("One", "unknown", "<p>This is the first book.</p>"))
    put(folder / "b.epub", titled("Two", "unknown", "<p>This is the other book.</p>"))
    scan(house)
    assert [book.title for book in all_books(house)] == ["One", "Two"]


def test_a_book_that_takes_the_name_of_another(house: House, folder: Path) -> None:
    # The old first file lies elsewhere now, so what stands in its place is not an edited copy of it.
    first = put(folder / "1.epub", titled("One", "unknown", f"<p>{'one ' * 500}</p>"))
    scan(house)
    (one,) = all_books(house)
    first.rename(folder / "2.epub")
    put(first, titled("Zero", "unknown", f"<p>{'zero ' * 500}</p>"))
    scan(house)
    books = {book.title: book for book in all_books(house)}
    assert set(books) == {"One", "Zero"}
    assert books["One"].id == one.id


def test_the_same_text_in_another_file_is_the_same_book(house: House, folder: Path) -> None:
    put(folder / "a.epub", titled("One", "urn:1"))
    scan(house)
    put(folder / "b.epub", titled("One", "urn:converted"))
    assert counts(scan(house)) == {"added": 1, "unchanged": 1}
    (book,) = all_books(house)
    first, second = renditions(house, book)
    # Positions are in the coordinates of the first file, and it is still there.
    assert book.main_sha256 == first.sha256 != second.sha256
    (folder / "a.epub").unlink()
    scan(house)
    (book,) = all_books(house)
    assert book.main_sha256 == second.sha256


def test_picture_books_of_the_same_length_are_different(house: House, folder: Path) -> None:
    pages = "".join(f'<p><img src="{n}.png"/></p>' for n in range(40))
    put(folder / "a.epub", titled("Duck", text=pages))
    put(folder / "b.epub", titled("Goose", text=pages))
    scan(house)
    assert [book.title for book in all_books(house)] == ["Duck", "Goose"]


def test_a_kepub_beside_its_epub(house: House, folder: Path) -> None:
    text = "<p>A short tale.</p>"
    spans = '<p><span class="koboSpan" id="kobo.1.1">A short tale.</span></p>'
    put(folder / "tale.kepub.epub", titled("Tale", "urn:x", spans))
    scan(house)
    (book,) = all_books(house)
    (kepub,) = renditions(house, book)
    assert (kepub.kind, book.main_sha256) == ("kepub", kepub.sha256)
    put(folder / "tale.epub", titled("Tale", "urn:y", text))
    scan(house)
    (same,) = all_books(house)
    assert same.id == book.id
    _, epub = renditions(house, same)
    # The EPUB is the reference, although the KEPUB was there first.
    assert (epub.kind, same.main_sha256) == ("epub", epub.sha256)


def test_a_broken_file_is_listed_and_stops_nothing(house: House, folder: Path) -> None:
    put(folder / "a.epub", b"<html>not a book</html>")
    put(folder / "b.epub", titled("Good"))
    put(folder / "c.epub", titled("Cut")[:300])
    put(folder / "d.epub", b"")
    assert counts(scan(house)) == {"added": 1, "refused": 3}
    for name in "acd":
        file = the_file(house, folder / f"{name}.epub")
        assert file.problem and file.remedy and file.problem.endswith(".") and file.remedy.endswith(".")
    assert the_file(house, folder / "b.epub").problem is None


def test_a_broken_file_that_is_mended(house: House, folder: Path) -> None:
    path = put(folder / "a.epub", b"broken")
    scan(house)
    put(path, titled("Whole"))
    assert counts(scan(house)) == {"changed": 1}
    assert the_file(house, path).problem is None
    put(path, b"broken again")
    assert counts(scan(house)) == {"refused": 1}
    (book,) = all_books(house)
    assert book.title == "Whole"


def test_a_broken_file_that_is_moved_is_not_examined_again(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(folder / "a.epub", b"broken")
    scan(house)
    path.rename(folder / "b.epub")
    monkeypatch.setattr(scan_module.Workers, "examine", lambda *_: pytest.fail("examined"))
    assert counts(scan(house)) == {"refused": 1}
    with house.database.read() as session:
        assert [file.path for file in session.exec(select(LibraryFile)).all()] == [str(folder / "b.epub")]


def test_a_file_that_cannot_be_read(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(folder / "a.epub", titled("Bad sector"))
    with monkeypatch.context() as patch:
        patch.setattr(scan_module, "digests", _fail)
        assert counts(scan(house)) == {"refused": 1}
        file = the_file(house, path)
        assert file.problem == "The file cannot be read: Input/output error." and file.remedy
        assert all_books(house) == []
    # It is tried again although nothing about it seems to have changed.
    assert counts(scan(house)) == {"changed": 1}
    assert the_file(house, path).problem is None


def _fail(_stream: object) -> None:
    raise OSError(5, "Input/output error")


def test_a_file_that_is_being_written_waits(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(folder / "a.epub", titled("Half")[:400])
    real = scan_module.digests

    def meanwhile(stream: object) -> object:
        result = real(stream)  # type: ignore[arg-type]
        put(path, titled("Half"))
        return result

    with monkeypatch.context() as patch:
        patch.setattr(scan_module, "digests", meanwhile)
        assert counts(scan(house)) == {}
    assert counts(scan(house)) == {"added": 1}


def test_a_disk_that_is_not_there_takes_no_book_away(house: House, folder: Path) -> None:
    put(folder / "one.epub", titled("One"))
    scan(house)
    folder.rename(folder.with_name("away"))
    result = scan(house)
    assert counts(result) == {} and "does not exist" in result.problems[0]
    assert the_file(house, folder / "one.epub").missing_since is None


def test_an_empty_mount_point_takes_no_book_away(house: House, folder: Path) -> None:
    for number in range(scan_module.EMPTIED):
        put(folder / f"{number}.epub", titled(f"Book {number}", text=f"<p>{f'{number} ' * 600}</p>"))
    scan(house)
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    result = scan(house)
    assert counts(result) == {} and "is empty" in result.problems[0]
    put(folder / "note.txt", b"")
    assert counts(scan(house)) == {"missing": scan_module.EMPTIED}


def test_a_new_version_of_the_examination_reads_all_files_again(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "a.epub", titled("One"))
    put(folder / "b.epub", b"broken")
    scan(house)
    (book,) = all_books(house)
    for module in ("scan", "register"):
        monkeypatch.setattr(f"appliance.library.{module}.EXAMINATION_VERSION", 7)
    assert counts(scan(house)) == {"unchanged": 1, "refused": 1}
    assert counts(scan(house)) == {"unchanged": 2}
    (same,) = all_books(house)
    assert (same.id, same.changed_at, len(renditions(house, same))) == (book.id, book.changed_at, 1)


def test_copies_of_one_file(house: House, folder: Path) -> None:
    put(folder / "a.epub", titled("One"))
    put(folder / "b.epub", titled("One"))
    assert counts(scan(house)) == {"added": 2}
    (book,) = all_books(house)
    assert len(renditions(house, book)) == 1
    (folder / "a.epub").unlink()
    assert counts(scan(house)) == {"unchanged": 1, "missing": 1}


def test_progress_is_told(house: House, folder: Path) -> None:
    for number in range(3):
        put(folder / f"{number}.epub", titled(f"Book {number}"))
    told: list[tuple[int, int, str]] = []
    scan(house, lambda done, due, path: told.append((done, due, Path(path).name)))
    assert told == [(1, 3, "0.epub"), (2, 3, "1.epub"), (3, 3, "2.epub")]


def test_a_scan_that_is_stopped_goes_on_later(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "BATCH", 2)
    for number in range(6):
        put(folder / f"{number}.epub", titled(f"Book {number}", text=f"<p>{number} {PROSE}</p>"))

    def stop(done: int, _due: int, _path: str) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(house, stop)
    assert len(all_books(house)) == 4
    assert counts(scan(house)) == {"added": 2, "unchanged": 4}


def test_one_scan_at_a_time(house: House, folder: Path) -> None:
    put(folder / "a.epub", titled("One"))
    seen: list[BaseException | None] = []

    def second(_done: int, _due: int, _path: str) -> None:
        def run() -> None:
            try:
                scan(house)
                seen.append(None)
            except ScanRunning as error:
                seen.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    scan(house, second)
    assert isinstance(seen[0], ScanRunning) and "already" in str(seen[0])
    scan(house)


if SHARED.is_dir():

    def test_the_whole_corpus(house: House, folder: Path) -> None:
        paths = [path for path in sorted((SHARED / "corpus").rglob("*.epub")) if path.parent.name != "broken"]
        for path in paths:
            (folder / path.parent.name).mkdir(exist_ok=True)
            shutil.copy(path, folder / path.parent.name / path.name)
        assert counts(scan(house)) == {"added": len(paths)}
        books = all_books(house)
        # Only Candide is there twice, as EPUB and as KEPUB; its two editions differ in some words.
        assert len(books) == len(paths) - 1
        (candide,) = [book for book in books if book.title == "Candide"]
        assert {rendition.kind for rendition in renditions(house, candide)} == {"epub", "kepub"}
        assert {book.title for book in books} >= {"pkg-unique-id", "pkg-unique-id_duplicate", "西游记", "こころ"}
