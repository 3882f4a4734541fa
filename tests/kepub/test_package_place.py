"""A package document that names what lies above it (kobo-protocol.md 6.2, 10.1)."""

import io
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from appliance.epub.archive import Archive
from appliance.epub.package import read_package
from appliance.kepub import convert
from appliance.kepub.package_place import Move
from appliance.positions import OpenBook
from tests import needs
from tests.kepub.kepubs import document, spans

PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="u">
<metadata><meta name="cover" content="c"/><link rel="record" href="https://example.net/x"/></metadata>
<manifest>
<item id="a" href="../text/one%20two.xhtml" media-type="application/xhtml+xml"/>
<item id="b" href='../text/b&amp;c.xhtml' media-type="application/xhtml+xml"/>
<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>
<item id="c" href="../../OEBPS/./images/cover.jpg" media-type="image/jpeg"/>
</manifest>
<spine><itemref idref="a"/><itemref idref="b"/></spine>
<guide><reference type="text" href="../text/one%20two.xhtml#start"/></guide>
</package>"""


def book(folder: Path, opf: str = "OEBPS/package/book.opf", package: str = PACKAGE, **extra: bytes) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            f'<rootfile full-path="{opf}" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        archive.writestr(opf, package)
        archive.writestr("OEBPS/package/nav.xhtml", document('<nav><a href="../text/one%20two.xhtml">One</a></nav>'))
        archive.writestr("OEBPS/text/one two.xhtml", document('<p id="start">One. Two.</p>'))
        archive.writestr("OEBPS/text/b&c.xhtml", document("<p>Three.</p>"))
        archive.writestr("OEBPS/images/cover.jpg", b"\xff\xd8")
        for name, data in extra.items():
            archive.writestr(name.replace("__", "/"), data)
    path = folder / "book.epub"
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.parametrize("engine", ["built-in", "kepubify"])
def test_nothing_climbs_and_nothing_else_moves(tmp_path: Path, engine: Literal["built-in", "kepubify"]) -> None:
    program = needs.kepubify() if engine == "kepubify" else None
    made = tmp_path / "made.kepub.epub"
    source = book(tmp_path)
    convert(source, made, engine, program)
    with Archive(source) as before, Archive(made) as after:
        old, new = read_package(before), read_package(after)
        assert new.path == "OEBPS/book.opf" and "OEBPS/package/book.opf" not in after
        assert [item.href for item in new.items.values()] == [
            "text/one%20two.xhtml",
            "text/b&c.xhtml",
            "package/nav.xhtml",
            "images/cover.jpg",
        ]
        assert {id: item.path for id, item in new.items.items()} == {id: item.path for id, item in old.items.items()}
        assert all(item.exists for item in new.items.values())
        assert b'href="text/one%20two.xhtml#start"' in after.read(new.path, 10**6)
        assert b'href="https://example.net/x"' in after.read(new.path, 10**6)
        assert b'href="../text/one%20two.xhtml"' in after.read("OEBPS/package/nav.xhtml", 10**6)
        assert [text for _, text in spans(after.read("OEBPS/text/one two.xhtml", 10**6))] == ["One. ", "Two."]
    # A place is named as before.
    kepub = OpenBook.open(made, "0" * 64)
    place = kepub.decode_kobo("OEBPS/text/one two.xhtml", "kobo.1.2")
    assert place.position is not None and place.position.document == "OEBPS/text/one two.xhtml"


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    made = tmp_path / "made.kepub.epub"
    convert(book(tmp_path, **{"OEBPS__book.opf": b"another"}), made, "built-in")
    with Archive(made) as after:
        assert read_package(after).path == "OEBPS/package-1.opf" and after.read("OEBPS/book.opf", 100) == b"another"


def test_a_package_at_the_root_that_climbs_above_it(tmp_path: Path) -> None:
    """As browsers do, it stops at the root."""
    package = PACKAGE.replace("../../OEBPS/./", "../").replace('href="nav', 'href="../OEBPS/package/nav')
    package = package.replace("../text", "../../OEBPS/text").replace("../images", "../OEBPS/images")
    made = tmp_path / "made.kepub.epub"
    convert(book(tmp_path, "book.opf", package), made, "built-in")
    with Archive(made) as after:
        read = read_package(after)
        assert read.path == "book.opf" and all(item.exists for item in read.items.values())
        assert not any(".." in item.href for item in read.items.values())


def test_what_cannot_be_decoded_stays(tmp_path: Path) -> None:
    data = b'<?xml version="1.0" encoding="utf-8"?><package><item href="../\xff.xhtml"/></package>'
    assert Move("a/b.opf", "b.opf").in_package(data) == data
    odd = b'<?xml version="1.0" encoding="klingon"?><package/>'
    assert Move("a/b.opf", "b.opf").in_package(odd) == odd
