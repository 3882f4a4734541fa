"""The parts of a book over HTTP."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.epub.archive import Archive
from appliance.epub.package import read_package
from appliance.positions import OpenBook
from tests.server import BOOKS, Browser, Server, running_server
from tests.webreader.open_reader import books
from webreader.fonts import font_masks, unmask

NOVEL = BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub"
SHA256 = hashlib.sha256(NOVEL.read_bytes()).hexdigest()
CHAPTER = f"/books/{SHA256}/1/document/epub/text/chapter-1.xhtml"
SHEET = f"/books/{SHA256}/1/entry/epub/css/core.css"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[NOVEL, BOOKS / "sisu_live-manual-fr.epub"]) as server:
        server.add_user("Ida")
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Browser]:
    with server.browser("Ida") as client:
        yield client


def test_only_for_people_who_are_signed_in(server: Server) -> None:
    for path in (CHAPTER, SHEET, f"/api/books/{books(server)[NOVEL.name]}/manifest"):
        answer = httpx.get(server.url + path, headers={"Accept": "application/json"}, trust_env=False)
        assert answer.status_code in (401, 303), path
        assert "Pumpkinhead" not in answer.text


def test_browsers_keep_them_and_ask_again_cheaply(client: Browser) -> None:
    for path, media_type in ((CHAPTER, "application/xhtml+xml; charset=utf-8"), (SHEET, "text/css; charset=utf-8")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304 and not again.content


@pytest.mark.parametrize(
    "path",
    [
        f"/books/{SHA256}/1/document/epub/text/chapter-99.xhtml",
        f"/books/{SHA256}/1/entry/epub/content.opf",
        f"/books/{SHA256}/1/entry/epub/text/chapter-1.xhtml",
        f"/books/{SHA256}/1/entry/../../../../etc/passwd",
        f"/books/{SHA256}/1/entry/%2e%2e/%2e%2e/etc/passwd",
        f"/books/{SHA256}/1/entry/%2Fetc%2Fpasswd",
        f"/books/{'0' * 64}/1/document/epub/text/chapter-1.xhtml",
        f"/books/{SHA256}/0/document/epub/text/chapter-1.xhtml",
    ],
)
def test_everything_else_is_not_there(client: Browser, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_every_reference_of_a_book_is_served(client: Browser, server: Server) -> None:
    manifest = client.get(f"/api/books/{books(server)[NOVEL.name]}/manifest").json()
    assert manifest["title"] == "The Marvelous Land of Oz"
    loaded: set[str] = set()
    for section in manifest["sections"]:
        text = client.get(section["address"]).text
        loaded |= {part.split('"')[0] for part in text.split('"/books/')[1:]}
    assert len(loaded) >= 3
    for address in loaded:
        assert client.get(f"/books/{address}").status_code == 200, address


@pytest.mark.parametrize("name", [NOVEL.name, "sisu_live-manual-fr.epub"])
def test_sections_are_numbered_as_positions_number_them(client: Browser, server: Server, name: str) -> None:
    manifest = client.get(f"/api/books/{books(server)[name]}/manifest").json()
    book = OpenBook.open(BOOKS / name, "0" * 64)
    assert len(manifest["sections"]) == len(book.summary.documents)
    assert sum(section["length"] for section in manifest["sections"]) == book.summary.total
    for section, document in zip(manifest["sections"], book.summary.documents, strict=True):
        place = book.decode_cfi(section["cfi"].removesuffix(")") + "!/4)")
        assert place.position is not None
        assert (place.position.document, place.position.occurrence) == (document.path, document.occurrence)


def test_contents_lead_to_documents(client: Browser, server: Server) -> None:
    manifest = client.get(f"/api/books/{books(server)[NOVEL.name]}/manifest").json()
    paths = {section["path"] for section in manifest["sections"]}

    def check(lines: list[dict[str, object]]) -> int:
        for line in lines:
            assert line["href"] is None or str(line["href"]).lstrip("/").split("#")[0] in paths
        return len(lines) + sum(check(line["subitems"]) for line in lines)  # type: ignore[arg-type]

    assert check(manifest["contents"]) > 25


OBFUSCATED = """<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"
 xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:EncryptionMethod Algorithm="{}"/>
 <enc:CipherData><enc:CipherReference URI="fonts/f.otf"/></enc:CipherData></enc:EncryptedData></encryption>"""
IDENTIFIER = "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"


@pytest.mark.parametrize(
    ("algorithm", "key", "length"),
    [
        ("http://www.idpf.org/2008/embedding", hashlib.sha1(IDENTIFIER.encode()).digest(), 1040),
        ("http://ns.adobe.com/pdf/enc#RC", bytes.fromhex("1b4e28ba2fa111d2883f0016d3cca427"), 1024),
    ],
)
def test_fonts_are_made_readable(algorithm: str, key: bytes, length: int) -> None:
    font = b"OTTO" + bytes(range(256)) * 8
    hidden = bytes(byte ^ key[at % len(key)] if at < length else byte for at, byte in enumerate(font))
    package = f"""<package xmlns="http://www.idpf.org/2007/opf" unique-identifier="id"><metadata
      xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier>other</dc:identifier>
      <dc:identifier id="id"> {IDENTIFIER}\n</dc:identifier></metadata><manifest>
      <item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>
      <spine><itemref idref="a"/></spine></package>"""
    container = '<container><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (
            ("META-INF/container.xml", container),
            ("META-INF/encryption.xml", OBFUSCATED.format(algorithm)),
            ("p.opf", package),
            ("a.xhtml", "<html/>"),
            ("fonts/f.otf", hidden),
        ):
            archive.writestr(name, data)
    with Archive(buffer) as opened:
        masks = font_masks(opened, read_package(opened))
        assert unmask(opened.read("fonts/f.otf"), masks["fonts/f.otf"]) == font


def test_a_real_obfuscated_font(shared: Path) -> None:
    with Archive(shared / "corpus" / "w3c-tests" / "ocf-font_obfuscation.epub") as archive:
        for path, mask in font_masks(archive, read_package(archive)).items():
            font = unmask(archive.read(path), mask)
            assert font[:4] in (b"OTTO", b"\0\1\0\0", b"wOFF", b"wOF2", b"true"), path
            break
        else:
            raise AssertionError("no obfuscated font found")
