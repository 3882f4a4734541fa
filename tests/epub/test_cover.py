"""Which picture is the cover, in the ways makers say it."""

import base64
from io import BytesIO

import pytest

from appliance.epub.archive import Archive
from appliance.epub.cover import Cover, find_cover, read_cover
from appliance.epub.package import read_package
from tests.conftest import ROOT
from tests.library.making import XHTML, epub

PICTURE = b"\xff\xd8\xff\xe0 not really a picture"
JPEG = '<item id="{0}" href="{1}" media-type="image/jpeg" {2}/>'
FILES = {"pictures/a.jpg": PICTURE, "pictures/b.jpg": b"other"}


def find(data: bytes) -> tuple[Cover | None, bytes]:
    with Archive(BytesIO(data)) as archive:
        cover = find_cover(archive, read_package(archive))
        return cover, read_cover(archive, cover) if cover is not None else b""


BOTH = JPEG.format("b", "pictures/b.jpg", "")


@pytest.mark.parametrize(
    "data",
    [
        epub(items=BOTH + JPEG.format("a", "pictures/a.jpg", 'properties="cover-image"'), files=FILES),
        epub('<meta name="cover" content="a"/>', items=BOTH + JPEG.format("a", "pictures/a.jpg", ""), files=FILES),
        epub('<meta name="cover" content="pictures/a.jpg"/>', items=BOTH, files=FILES),
        epub(
            items=BOTH + JPEG.format("a", "pictures/a.jpg", ""),
            files=FILES,
            guide='<guide><reference type="cover" href="pictures/a.jpg"/></guide>',
        ),
        epub(
            items=BOTH,
            files={**FILES, "cover.xhtml": XHTML.format('<img src="pictures/a.jpg"/>')},
            guide='<guide><reference type="cover" href="cover.xhtml"/></guide>',
        ),
        epub(items=BOTH + JPEG.format("my-cover", "pictures/a.jpg", ""), files=FILES),
        epub(
            items=BOTH,
            chapters={"title.xhtml": '<svg xmlns="http://www.w3.org/2000/svg"><image href="pictures/a.jpg"/></svg>'},
            files=FILES,
        ),
    ],
    ids=["property", "meta by id", "meta by href", "guide", "guide page", "name", "first page"],
)
def test_the_ways_to_say_it(data: bytes) -> None:
    assert find(data) == (Cover("OPS/pictures/a.jpg"), PICTURE)


def test_a_picture_inside_a_drawing() -> None:
    code = base64.b64encode(PICTURE).decode()
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="data:image/jpeg;base64,{code}"/></svg>'
    item = '<item id="c" href="c.svg" media-type="image/svg+xml" properties="cover-image"/>'
    assert find(epub(items=item, files={"c.svg": drawing})) == (Cover("OPS/c.svg", embedded=True), PICTURE)
    assert find(epub(items=item, files={"c.svg": drawing.replace(code, "%%%")}))[0] is None


@pytest.mark.parametrize(
    "data",
    [
        epub(),
        epub(chapters={"one.xhtml": "<p>Once upon a time …</p>" * 200 + '<img src="pictures/a.jpg"/>'}, files=FILES),
        epub(items=JPEG.format("a", "gone.jpg", 'properties="cover-image"')),
        epub(items=JPEG.format("a", "empty.jpg", 'properties="cover-image"'), files={"empty.jpg": b""}),
        epub(chapters={"one.xhtml": '<img src="https://example.org/a.jpg"/>'}),
        epub(chapters={"one.xhtml": '<img src="../../../etc/passwd"/>'}),
    ],
    ids=["none", "ornament in a text", "missing", "empty", "remote", "outside"],
)
def test_no_cover(data: bytes) -> None:
    assert find(data)[0] is None


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("l-frank-baum_the-marvelous-land-of-oz", "epub/images/cover.jpg"),
        ("calibre-docx_alice", "cover_image.jpg"),
        ("ebookmaker-epub2_pride-and-prejudice", "1342/1606743068376270320_1342-cover.png"),
        ("childrens-literature", "EPUB/images/cover.png"),
        ("minimal-v2", None),
    ],
)
def test_real_books(name: str, path: str | None) -> None:
    with Archive(ROOT / "tests/data/books" / f"{name}.epub") as archive:
        cover = find_cover(archive, read_package(archive))
    assert (cover.path if cover else None) == path
