"""Cover pictures: the right size, made once, bounded, and drawn where there is none."""

import os
import zlib
from io import BytesIO
from pathlib import Path
from struct import pack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from appliance.epub.errors import BookError
from appliance.house import House
from appliance.library import covers
from appliance.library.covers import MAX_PIXELS, MAX_SIZES, cover, picture_id
from appliance.library.drawn_cover import drawn_cover
from appliance.library.scan import scan
from appliance.models import Book
from tests.library.making import epub, put, titled
from tests.library.test_scan import all_books


def picture(size: tuple[int, int], kind: str = "JPEG", mode: str = "RGB", colour: object = "#336699") -> bytes:
    made = BytesIO()
    Image.new(mode, size, colour).save(made, kind)  # type: ignore[arg-type]
    return made.getvalue()


def with_cover(data: bytes, media_type: str = "image/jpeg") -> bytes:
    item = f'<item id="cover" href="cover.bin" media-type="{media_type}" properties="cover-image"/>'
    return epub("<dc:title>Pictured</dc:title>", items=item, files={"cover.bin": data})


def book_with(house: House, data: bytes) -> Book:
    put(house.settings.books[0] / "book.epub", data)
    scan(house)
    (book,) = all_books(house)
    return book


def made(house: House, book: Book, width: int, height: int, grey: bool = False) -> Image.Image:
    with house.database.read() as session:
        path = cover(house, session, book.id, width, height, grey=grey)
    assert path is not None
    return Image.open(path)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [((355, 530), (353, 530)), ((100, 1000), (100, 150)), ((5000, 5000), (600, 900)), ((0, -5), (11, 16))],
)
def test_it_fits_and_is_never_enlarged(house: House, asked: tuple[int, int], expected: tuple[int, int]) -> None:
    image = made(house, book_with(house, with_cover(picture((600, 900)))), *asked)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected)


@pytest.mark.parametrize(
    ("kind", "mode", "colour"),
    [
        ("PNG", "RGBA", (255, 0, 0, 0)),
        ("PNG", "P", 3),
        ("PNG", "LA", (0, 0)),
        ("PNG", "I;16", 40000),
        ("PNG", "1", 1),
        ("GIF", "P", 1),
        ("WEBP", "RGBA", (0, 255, 0, 128)),
        ("JPEG", "CMYK", (0, 0, 0, 0)),
        ("JPEG", "L", 128),
    ],
)
def test_kinds_of_pictures(house: House, kind: str, mode: str, colour: object) -> None:
    image = made(house, book_with(house, with_cover(picture((40, 60), kind, mode, colour), "image/png")), 40, 60)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (40, 60))
    if mode in ("RGBA", "LA") and kind == "PNG":  # what is transparent shows paper
        assert image.getpixel((5, 5)) == (255, 255, 255)


def test_grey_on_demand(house: House) -> None:
    book = book_with(house, with_cover(picture((60, 90))))
    assert made(house, book, 60, 90, grey=True).mode == "L"
    assert made(house, book, 60, 90).mode == "RGB"


def test_turned_upright(house: House) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = BytesIO()
    Image.new("RGB", (90, 60)).save(sideways, "JPEG", exif=exif)
    image = made(house, book_with(house, with_cover(sideways.getvalue())), 100, 100)
    assert image.size == (67, 100) or image.size == (60, 90)
    assert not image.getexif()


def test_made_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    book = book_with(house, with_cover(picture((60, 90))))
    with house.database.read() as session:
        first = cover(house, session, book.id, 60, 90)
        monkeypatch.setattr(covers, "_jpeg", lambda *_: pytest.fail("made again"))
        assert cover(house, session, book.id, 60, 90) == first
    # The disk with the books may sleep or be away; what was made is still there.
    (house.settings.books[0] / "book.epub").unlink()
    with house.database.read() as session:
        assert cover(house, session, book.id, 60, 90) == first
        assert cover(house, session, book.id, 30, 45) is None


def test_no_more_than_some_sizes_are_kept(house: House) -> None:
    book = book_with(house, with_cover(picture((60, 90))))
    for height in range(20, 20 + MAX_SIZES + 5):
        made(house, book, 60, height)
    (place,) = (house.settings.covers / picture_id(book)[:2]).iterdir()
    assert len(list(place.iterdir())) == MAX_SIZES
    made(house, book, 60, 20)


def test_all_pictures_together_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    book = book_with(house, with_cover(picture((60, 90))))
    share = house.settings.covers / picture_id(book)[:2]
    other = put(share / "another-picture" / "60x90.jpg", bytes(5000))
    made(house, book, 60, 30)
    assert other.exists()
    monkeypatch.setattr(covers, "MAX_BYTES", 5000 * covers.SHARES)
    made(house, book, 60, 40)
    made(house, book, 60, 50)
    assert not other.exists() and len(list(share.rglob("*.jpg"))) == 3


def test_another_picture_has_another_id(house: House) -> None:
    book = book_with(house, with_cover(picture((60, 90))))
    first = picture_id(book)
    put(house.settings.books[0] / "book.epub", with_cover(picture((60, 90), colour="red")))
    scan(house)
    (same,) = all_books(house)
    assert same.id == book.id and picture_id(same) != first
    red = made(house, same, 60, 90).getpixel((5, 5))
    assert isinstance(red, tuple) and red[0] > 200


def png_that_says(width: int, height: int) -> bytes:
    """A PNG that is small and claims to be large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"no picture at all",
        picture((60, 90))[:200],
        png_that_says(60, 90),
        png_that_says(MAX_PIXELS, 2),
        png_that_says(20_000, 20_000),
        png_that_says(200_000, 200_000),
        picture((900, 60)),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    ],
    ids=["text", "cut off", "too little data", "long", "large", "huge", "ornament", "svg", "postscript"],
)
def test_a_picture_that_cannot_be_used_gives_way_to_a_drawn_one(house: House, data: bytes) -> None:
    image = made(house, book_with(house, with_cover(data)), 200, 300)
    assert (image.format, image.size) == ("JPEG", (200, 300))


def test_a_book_without_a_cover(house: House) -> None:
    book = book_with(house, titled("Plain", author="Zoë Ångström"))
    assert book.cover_sha256 is None
    assert made(house, book, 200, 300).size == (200, 300)
    assert made(house, book, 16, 16).size <= (16, 16)
    other = Book(id="x", title="Plainer", sort_title="", added_at=book.added_at, changed_at=book.added_at)
    assert picture_id(book) != picture_id(other)
    with house.database.read() as session:
        assert cover(house, session, "no-such-book", 100, 100) is None


def test_nothing_half_made_is_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    book = book_with(house, with_cover(picture((60, 90))))

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("appliance.library.covers.os.replace", fail)
    with house.database.read() as session, pytest.raises(OSError, match="No space"):
        cover(house, session, book.id, 60, 90)
    assert [path for path in house.settings.covers.rglob("*") if path.is_file()] == []


def test_what_a_loss_of_power_left_goes(house: House) -> None:
    book = book_with(house, with_cover(picture((60, 90))))
    made(house, book, 60, 90)
    (kept,) = house.settings.covers.rglob("*.jpg")
    left, busy = put(kept.parent / ".making-left", b""), put(kept.parent / ".making-now", b"half")
    os.utime(left, (0, 0))
    made(house, book, 60, 80)
    assert not left.exists() and busy.exists() and kept.exists()


def test_a_file_that_cannot_be_read_now_gets_no_drawn_cover(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stand under the picture's name for ever."""
    book = book_with(house, with_cover(picture((60, 90))))

    def fail(*_arguments: object) -> bytes:
        raise BookError("the disk gives no answer")

    with monkeypatch.context() as broken, house.database.read() as session:
        broken.setattr(covers, "read_cover", fail)
        assert cover(house, session, book.id, 60, 90) is None
    blue = made(house, book, 60, 90).getpixel((5, 5))
    assert isinstance(blue, tuple) and blue[2] > 100


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=60), max_size=4), st.integers(-5, 700))
def test_any_title_can_be_drawn(title: str, authors: list[str], height: int) -> None:
    image = drawn_cover(title, authors, height)
    assert image.height == max(height, 24) and image.width == image.height * 2 // 3


def test_a_drawn_cover_shows_title_and_authors_and_differs_by_book() -> None:
    def dark_and_light(image: Image.Image) -> int:
        return sum(image.convert("L").histogram()[200:])

    blank = dark_and_light(drawn_cover("", [], 600))
    assert dark_and_light(drawn_cover("Title", [], 600)) > blank
    assert dark_and_light(drawn_cover("Title", ["Author"], 600)) > dark_and_light(drawn_cover("Title", [], 600))
    # Letters no font has are left out rather than drawn as boxes.
    assert dark_and_light(drawn_cover("\U0010fffd\U0010fffc", [], 600)) == blank
    assert drawn_cover("A", ["B"], 300).tobytes() == drawn_cover("A", ["B"], 300).tobytes()
    colours = {drawn_cover(str(n), [], 90).getpixel((0, 0)) for n in range(40)}
    assert len(colours) > 3


def test_the_original_is_found_in_another_file_of_the_book(house: House, folder: Path) -> None:
    book = book_with(house, with_cover(picture((60, 90))))
    copy = put(folder / "copy.epub", (folder / "book.epub").read_bytes())
    scan(house)
    (folder / "book.epub").unlink()
    scan(house)
    assert copy.exists() and made(house, book, 60, 90).size == (60, 90)
