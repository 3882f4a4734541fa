"""The sample book is a good EPUB, always the same, and offered only while there is nothing else."""

import os
import shutil
from io import BytesIO
from pathlib import Path

from appliance.epub.archive import Archive
from appliance.epub.contents import read_contents
from appliance.epub.cover import find_cover, read_cover
from appliance.epub.document import parse_document
from appliance.epub.metadata import read_metadata
from appliance.epub.package import read_package
from appliance.house import House
from appliance.library.folders import sample_folder
from appliance.library.kepub_rendition import prepare
from appliance.library.sample import AUTHOR, TITLE, add_sample, is_offered, sample_epub
from appliance.library.scan import scan
from appliance.positions.summary import BookSummary
from tests.library.making import put, titled
from tests.library.test_scan import all_books, counts, renditions


def test_it_is_the_same_each_time() -> None:
    assert sample_epub() == sample_epub()


def test_what_is_in_it() -> None:
    with Archive(BytesIO(sample_epub())) as archive:
        package = read_package(archive)
        metadata = read_metadata(package)
        assert (metadata.title, metadata.authors[0].name, metadata.language) == (TITLE, AUTHOR, "en-GB")
        assert metadata.authors[0].file_as == "Carroll, Lewis" and metadata.published == "1865"
        contents = read_contents(archive, package)
        assert [entry.title for entry in contents][1] == "II. The Pool of Tears" and len(contents) == 5
        cover = find_cover(archive, package)
        assert cover is not None and read_cover(archive, cover).startswith(b"\xff\xd8\xff")
        assert package.doubts == ()
        text = ""
        for item in package.spine:
            assert item.item is not None and item.item.exists
            document = parse_document(archive.read(item.item.path), item.item.media_type)
            assert document.mode == "xml"
            text += "".join(document.body.itertext())
    assert "Curiouser and curiouser!" in text and "_" not in text and "Keep your temper" in text


def test_offered_added_and_taken_away(house: House, folder: Path) -> None:
    put(folder / "broken.epub", b"x")
    os.chmod(folder, 0o555)  # as in the container: the book folder cannot be written
    scan(house)
    with house.database.read() as session:
        assert is_offered(session)
    add_sample(house)
    assert counts(scan(house)) == {"added": 1, "unchanged": 1}
    (book,) = all_books(house)
    assert book.title == TITLE
    with house.database.read() as session:
        assert not is_offered(session)
    (rendition,) = renditions(house, book)
    summary = BookSummary.from_json(rendition.summary)
    assert summary is not None and summary.total > 40_000 and rendition.doubts == []
    assert prepare(house, book.id).kind == "kepub"
    shutil.rmtree(sample_folder(house.settings))
    assert counts(scan(house)) == {"unchanged": 1, "missing": 1}
    os.chmod(folder, 0o755)


def test_not_offered_where_there_are_books(house: House, folder: Path) -> None:
    with house.database.read() as session:
        assert is_offered(session)
    path = put(folder / "one.epub", titled("One"))
    scan(house)
    with house.database.read() as session:
        assert not is_offered(session)
    path.unlink()
    scan(house)
    with house.database.read() as session:
        assert is_offered(session)
