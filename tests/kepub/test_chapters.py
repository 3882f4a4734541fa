"""What a Kobo is given of a book whose contents lead into the middle of documents (kobo-protocol.md 6.2, 10.1)."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from appliance.epub.archive import Archive
from appliance.epub.contents import Entry, read_tables
from appliance.epub.document import parse_document
from appliance.epub.errors import BookError
from appliance.epub.package import Package, read_package
from appliance.kepub import chapters, make_kepub
from appliance.kepub.chapters import chapters_apart
from appliance.kepub.cuts import LINE
from appliance.positions.text import canonical_utf8
from tests import needs
from tests.kepub.kepubs import books, spans
from tests.library.making import epub

NCX = (
    '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{}</navMap>'
    '<pageList><pageTarget><navLabel><text>1</text></navLabel><content src="one.xhtml#p1"/></pageTarget></pageList>'
    "</ncx>"
)
POINT = '<navPoint><navLabel><text>{0}</text></navLabel><content src="{0}"/></navPoint>'
X = "x" * (LINE + 1)
CHAPTERS = {
    "one.xhtml": f'<h1 id="one">One</h1><p>{X} To <a href="#two">two</a>, to <a href="two.xhtml#end">the end</a>.</p>'
    '<div><h1 id="two">Two</h1><p>Back to <a href="one.xhtml#one">one</a>, <i id="p1">here</i>, '
    '<a href="#p1">h</a>.</p></div>',
    "two.xhtml": '<h1>Three</h1><p>See <a href="one.xhtml#p1">there</a>.</p><p id="end">The end.</p>',
}


def book(folder: Path, *lines: str, chapters: dict[str, str] = CHAPTERS, metadata: str = "", items: str = "") -> Path:
    path = folder / "book.epub"
    ncx = NCX.format("".join(POINT.format(line) for line in lines))
    items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    path.write_bytes(epub(metadata, chapters, items, {"toc.ncx": ncx}, spine='toc="ncx"'))
    return path


def read(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name.removeprefix("OPS/"): archive.read(name).decode() for name in archive.namelist()}


def lines(archive: Archive, package: Package) -> Iterator[Entry]:
    def below(entries: tuple[Entry, ...]) -> Iterator[Entry]:
        for entry in entries:
            yield entry
            yield from below(entry.children)

    for _, entries in read_tables(archive, package):
        yield from below(entries)


def test_documents_are_divided_and_every_link_follows(tmp_path: Path) -> None:
    source = book(tmp_path, "one.xhtml#one", "one.xhtml#two", "two.xhtml", "two.xhtml#end")
    with chapters_apart(source, tmp_path) as (apart, doubts):
        made = read(apart)
        assert not doubts and apart.parent == tmp_path
        with Archive(apart) as archive:
            package = read_package(archive)
            paths = [item.item.path for item in package.spine if item.item is not None]
            assert paths == ["OPS/one.xhtml", "OPS/one-2.xhtml", "OPS/two.xhtml"]
            assert [(line.path, line.fragment) for line in lines(archive, package)] == [
                ("OPS/one.xhtml", ""),
                ("OPS/one-2.xhtml", ""),
                ("OPS/two.xhtml", ""),
                ("OPS/two.xhtml", ""),  # it stands a line below the heading
            ]
    assert not apart.exists()
    assert 'href="one-2.xhtml#two"' in made["one.xhtml"] and 'href="two.xhtml#end"' in made["one.xhtml"]
    assert 'href="one.xhtml#one"' in made["one-2.xhtml"] and 'href="#p1"' in made["one-2.xhtml"]
    assert 'href="one-2.xhtml#p1"' in made["two.xhtml"]


def test_a_fragment_that_only_says_the_beginning_goes(tmp_path: Path) -> None:
    source = book(tmp_path, "one.xhtml#one", "two.xhtml")
    before = read(source)
    with chapters_apart(source, tmp_path) as (apart, _):
        made = read(apart)
    assert made.pop("toc.ncx") == before.pop("toc.ncx").replace(
        '<navPoint><navLabel><text>one.xhtml#one</text></navLabel><content src="one.xhtml#one"/>',
        '<navPoint><navLabel><text>one.xhtml#one</text></navLabel><content src="one.xhtml"/>',
    )
    assert made == before


@pytest.mark.parametrize(
    "given",
    [
        {"lines": ("one.xhtml", "two.xhtml")},  # nothing to do
        {"lines": ("one.xhtml#two",), "metadata": '<meta property="rendition:layout">pre-paginated</meta>'},
        {"lines": ("missing.xhtml#two",)},
        {"lines": ("one.xhtml#two",), "chapters": {"one.xhtml": "<p>not <b>well-formed</p><h1 id='two'>Two</h1>"}},
        {"lines": ("one.xhtml#two",), "chapters": {"one.xhtml": "<p>x</p><script>run()</script><h1 id='two'>Two</h1>"}},
    ],
)
def test_a_book_that_stays_as_it_is(tmp_path: Path, given: dict) -> None:  # type: ignore[type-arg]
    source = book(tmp_path, *given.pop("lines"), **given)
    with chapters_apart(source, tmp_path) as (apart, _):
        assert apart == source
    assert list(tmp_path.iterdir()) == [source]


def test_what_cannot_be_divided_is_said(tmp_path: Path) -> None:
    body = f'<ol><li>{"x" * 200}</li><li id="b">y</li></ol>'
    source = book(tmp_path, "one.xhtml#b", chapters={"one.xhtml": body})
    made = make_kepub(source, tmp_path / "made.kepub.epub", "built-in")
    assert [doubt for doubt in made.doubts if "1 lines of the contents" in doubt]


def test_not_more_documents_than_a_kobo_can_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chapters, "MAX_PARTS", 2)
    with chapters_apart(book(tmp_path, "one.xhtml#two"), tmp_path) as (apart, doubts):
        assert "one-2.xhtml" not in read(apart) and doubts


def test_names_and_ids_that_are_taken(tmp_path: Path) -> None:
    files = {**CHAPTERS, "ONE-2.xhtml": "<p>Four</p>"}
    item = '<item id="c0-2" href="x.css" media-type="text/css"/>'
    with chapters_apart(book(tmp_path, "one.xhtml#two", chapters=files, items=item), tmp_path) as (apart, _):
        with Archive(apart) as archive:
            package = read_package(archive)
        assert [spine.item.path for spine in package.spine if spine.item][:2] == ["OPS/one.xhtml", "OPS/one--2.xhtml"]
        assert package.items["c0-2"].href == "x.css"


@pytest.mark.parametrize("engine", ["built-in", "kepubify"])
def test_both_engines_number_each_part_anew(tmp_path: Path, engine: Literal["built-in", "kepubify"]) -> None:
    source = book(tmp_path, "one.xhtml#two")
    target = tmp_path / "made.kepub.epub"
    made = make_kepub(source, target, engine, needs.kepubify() if engine == "kepubify" else None)
    assert made.documents == 3
    with zipfile.ZipFile(target) as archive:
        assert [id for id, _ in spans(archive.read("OPS/one-2.xhtml"))][:2] == ["1.1", "2.1"]


# Every file of it stands in the spine several times.
FEW = 4  # lines into the middle of a table
LEFT = {"sisu_live-manual-fr.epub": 143}


@pytest.mark.parametrize("path", books(), ids=lambda path: path.stem[:40])
def test_on_real_books(path: Path, tmp_path: Path) -> None:
    try:
        with Archive(path) as archive:
            package = read_package(archive)
            before = [(line.title, bool(line.path), bool(line.fragment)) for line in lines(archive, package)]
            text = canonical(archive, package) if any(leads for _, _, leads in before) else b""
        with chapters_apart(path, tmp_path) as (apart, _):
            if apart == path:
                assert sum(leads for _, _, leads in before) == LEFT.get(path.name, 0)
                return
            with Archive(apart) as archive:
                package = read_package(archive)
                assert all(item.item is not None and item.item.exists for item in package.spine)
                after = list(lines(archive, package))
                assert [(line.title, bool(line.path)) for line in after] == [
                    (title, leads) for title, leads, _ in before
                ]
                assert sum(bool(line.fragment) for line in after) <= FEW
                assert canonical(archive, package) == text
    except BookError:
        return


def canonical(archive: Archive, package: Package) -> bytes:
    documents = [item.item for item in package.spine if item.item is not None and item.item.exists]
    return b"".join(canonical_utf8(parse_document(archive.read(item.path), item.media_type)) for item in documents)
