"""The table of contents of EPUB 3 and EPUB 2."""

from io import BytesIO
from pathlib import Path

import pytest

from appliance.epub.archive import Archive
from appliance.epub.contents import MAX_DEPTH, MAX_ENTRIES, Entry, read_contents
from appliance.epub.package import read_package
from tests.conftest import ROOT
from tests.library.making import XHTML, epub

NAV_ITEM = '<item id="nav" href="toc/nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
NCX_ITEM = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
OPS = 'xmlns:epub="http://www.idpf.org/2007/ops"'


def read(data: bytes) -> tuple[Entry, ...]:
    with Archive(BytesIO(data)) as archive:
        return read_contents(archive, read_package(archive))


def nav(body: str) -> tuple[Entry, ...]:
    return read(epub(items=NAV_ITEM, files={"toc/nav.xhtml": XHTML.format(body)}))


def ncx(body: str, spine: str = 'toc="ncx"') -> tuple[Entry, ...]:
    points = f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{body}</navMap></ncx>'
    return read(epub(items=NCX_ITEM, files={"toc.ncx": points}, spine=spine, version="2.0"))


def point(label: str, src: str, inside: str = "") -> str:
    return f'<navPoint><navLabel><text>{label}</text></navLabel><content src="{src}"/>{inside}</navPoint>'


def titles(entries: tuple[Entry, ...]) -> list[object]:
    return [[entry.title, titles(entry.children)] if entry.children else entry.title for entry in entries]


def test_nested_lists() -> None:
    found = nav(
        f'<nav {OPS} epub:type="landmarks"><ol><li><a href="../one.xhtml">no</a></li></ol></nav>'
        f'<nav {OPS} epub:type="toc"><h1>Contents</h1><ol>'
        '<li><a href="../one.xhtml"> Part\n <i>One</i> </a>'
        '<ol><li><a href="../one.xhtml#s%C3%A9">Section</a></li></ol></li>'
        '<li><span>Heading</span><ol><li><a href="../one.xhtml">Below</a></li></ol></li></ol></nav>'
    )
    section = Entry("Section", "OPS/one.xhtml", "sé", ())
    assert found == (
        Entry("Part One", "OPS/one.xhtml", "", (section,)),
        Entry("Heading", "", "", (Entry("Below", "OPS/one.xhtml", "", ()),)),
    )


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("../one.xhtml", ("OPS/one.xhtml", "")),
        ("nav.xhtml#x", ("OPS/toc/nav.xhtml", "x")),
        ("#x", ("OPS/toc/nav.xhtml", "x")),
        ("../gone.xhtml#x", ("", "")),
        ("https://example.org/", ("", "")),
        ("javascript:alert(1)", ("", "")),
        ("../../../../etc/passwd", ("", "")),
        ("", ("", "")),
    ],
)
def test_links(href: str, expected: tuple[str, str]) -> None:
    (entry,) = nav(f'<nav {OPS} epub:type="toc"><ol><li><a href="{href}">x</a></li></ol></nav>')
    assert (entry.path, entry.fragment) == expected


def test_other_spellings_of_the_nav() -> None:
    one = '<ol><li><a href="../one.xhtml">x</a></li></ol>'
    assert titles(nav(f'<nav role="doc-toc">{one}</nav>')) == ["x"]
    assert titles(nav(f"<nav>{one}</nav>")) == ["x"]
    # Not well-formed, so read by the HTML algorithm.
    assert titles(nav(f'<nav {OPS} epub:type="toc"><br><ol><li><a href="../one.xhtml">x</ol></nav>')) == ["x"]
    assert titles(nav(f'<nav {OPS} epub:type="toc" hidden="hidden">{one}</nav>')) == ["x"]
    picture = '<ol><li><a href="../one.xhtml"><img src="x.png" alt="Picture"/></a></li></ol>'
    assert titles(nav(f'<nav {OPS} epub:type="toc">{picture}</nav>')) == ["Picture"]


def test_ncx() -> None:
    found = ncx(point("One", "one.xhtml", point("Inside", "one.xhtml#a")) + point("Two", "two.xhtml"))
    assert found == (
        Entry("One", "OPS/one.xhtml", "", (Entry("Inside", "OPS/one.xhtml", "a", ()),)),
        Entry("Two", "", "", ()),
    )
    # The spine does not say where it is.
    assert titles(ncx(point("One", "one.xhtml"), spine="")) == ["One"]


def test_a_broken_nav_gives_way_to_the_ncx() -> None:
    data = epub(
        items=NAV_ITEM + NCX_ITEM,
        files={"toc/nav.xhtml": "", "toc.ncx": f"<ncx><navMap>{point('One', 'one.xhtml')}</navMap></ncx>"},
    )
    assert titles(read(data)) == ["One"]
    assert read(epub(items=NAV_ITEM)) == ()


def test_bounds() -> None:
    many = point("x", "one.xhtml") * (MAX_ENTRIES + 50)
    assert len(ncx(many)) == MAX_ENTRIES
    deep = "".join("<navPoint><navLabel><text>x</text></navLabel>" for _ in range(60)) + "</navPoint>" * 60
    entries, depth = ncx(deep), 0
    while entries:
        entries, depth = entries[0].children, depth + 1
    assert depth == MAX_DEPTH


def test_every_real_book_has_contents_that_lead_somewhere() -> None:
    def flat(entries: tuple[Entry, ...]) -> list[Entry]:
        return [inner for entry in entries for inner in (entry, *flat(entry.children))]

    for path in sorted(Path(ROOT / "tests/data/books").glob("*.epub")):
        with Archive(path) as archive:
            entries = flat(read_contents(archive, read_package(archive)))
            assert entries, path
            assert all(entry.title for entry in entries), path
            assert all(not entry.path or entry.path in archive for entry in entries), path
            if path.name != "large-tables.epub":  # whose contents are headings without links
                assert any(entry.path for entry in entries), path
