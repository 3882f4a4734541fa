"""Texts kept for when their files are gone: the copy names every place as the file did."""

import random
from pathlib import Path

import pytest

from appliance.epub.errors import BookError
from appliance.kepub import convert
from appliance.positions import OpenBook
from appliance.positions.kept_texts import KeptTexts
from tests.kepub.kepubs import BOOKS, books, broken

NAME = "a" * 64
FEW = ["calibre-docx_alice", "childrens-literature", "cnt-svg-support", "pub-foreign_xml-spine", "large-tables"]


def check(path: Path, folder: Path) -> None:
    texts = KeptTexts(folder)
    assert texts.keep(NAME, path)
    kept = texts.find(NAME)
    assert kept is not None
    book, copy = OpenBook.open(path, "book"), OpenBook.open(kept, "copy")
    assert copy.summary == book.summary
    chance = random.Random(path.name)
    for _ in range(15):
        position = book.at_tick(chance.randrange(book.summary.total + 1)).position
        assert position is not None
        assert copy.encode_xpointer(position) == book.encode_xpointer(position)
        assert copy.encode_cfi(position) == book.encode_cfi(position)
        assert copy.encode_kobo(position) == book.encode_kobo(position)


@pytest.mark.parametrize("name", FEW)
def test_every_dialect_reads_the_copy_like_the_file(name: str, tmp_path: Path) -> None:
    check(BOOKS / f"{name}.epub", tmp_path / "texts")


def test_of_a_kepub(tmp_path: Path) -> None:
    kepub = tmp_path / "alice.kepub.epub"
    convert(BOOKS / "calibre-docx_alice.epub", kepub, engine="built-in")
    check(kepub, tmp_path / "texts")


@pytest.mark.nightly
@pytest.mark.parametrize("path", books(), ids=lambda path: path.stem)
def test_of_every_book(path: Path, tmp_path: Path) -> None:
    try:
        OpenBook.open(path, "x").summary  # noqa: B018
    except BookError:
        pytest.skip("not readable")
    check(path, tmp_path)


def test_it_is_smaller(tmp_path: Path) -> None:
    oz = BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub"
    texts = KeptTexts(tmp_path / "texts")
    texts.keep(NAME, oz)
    kept = texts.find(NAME)
    assert kept is not None and kept.stat().st_size < oz.stat().st_size / 2


def test_it_is_written_once_and_whole(tmp_path: Path) -> None:
    texts = KeptTexts(tmp_path / "texts")
    book = BOOKS / "minimal-v2.epub"
    assert texts.keep(NAME, book)
    kept = texts.find(NAME)
    assert kept is not None
    before = kept.read_bytes()
    assert not texts.keep(NAME, tmp_path / "gone.epub")
    assert kept.read_bytes() == before
    with pytest.raises(OSError):
        texts.keep("b" * 64, tmp_path / "gone.epub")
    assert [path.name for path in texts.folder.iterdir()] == [kept.name]


@pytest.mark.parametrize("path", broken(), ids=lambda path: path.name)
def test_of_hostile_files(path: Path, tmp_path: Path) -> None:
    texts = KeptTexts(tmp_path)
    try:
        texts.keep(NAME, path)
    except (BookError, OSError):
        assert not list(tmp_path.iterdir())


def test_it_is_asked_for_once(tmp_path: Path) -> None:
    texts = KeptTexts(tmp_path)
    calls: list[int] = []
    texts.on_wanted = lambda: calls.append(1)
    for _ in range(3):
        texts.want(NAME)
    texts.want("../../etc/passwd")
    assert (texts.wanted(), len(calls)) == ({NAME}, 1)
    texts.keep(NAME, BOOKS / "minimal-v2.epub")
    again = KeptTexts(tmp_path)
    again.want(NAME)
    assert again.wanted() == set()
    with pytest.raises(ValueError, match="SHA-256"):
        texts.find("../../etc/passwd")


def test_what_nothing_refers_to_goes(tmp_path: Path) -> None:
    texts = KeptTexts(tmp_path)
    texts.keep(NAME, BOOKS / "minimal-v2.epub")
    texts.keep("b" * 64, BOOKS / "minimal-v2.epub")
    assert texts.forget({NAME}.__contains__, before=0) == 0, "young ones stay"
    assert texts.forget({NAME}.__contains__, before=2**40) == 1
    assert (texts.find(NAME) is not None, texts.find("b" * 64)) == (True, None)
