"""Container and package document."""

import io
from pathlib import Path

import pytest

from appliance.epub.archive import Archive
from appliance.epub.errors import BookError, MissingEntry, NotAnEpub, Protected
from appliance.epub.package import Package, read_package, resolve
from tests.kepub.kepubs import BOOKS, BROKEN, books, document, epub


def package_of(opf: str, **documents: bytes) -> Package:
    named = {f"{name}.xhtml": data for name, data in documents.items()}
    with Archive(io.BytesIO(epub(named, package=opf))) as archive:
        return read_package(archive)


@pytest.mark.parametrize(
    ("base", "href", "path"),
    [
        ("OEBPS/a.opf", "b.xhtml", "OEBPS/b.xhtml"),
        ("OEBPS/a.opf", "../b.xhtml#x", "b.xhtml"),
        ("a.opf", "../../b%20c.xhtml?q", "b c.xhtml"),
        ("OEBPS/a.opf", "/b.xhtml", "b.xhtml"),
        ("OEBPS/a.opf", "./x//y/./z.xhtml", "OEBPS/x/y/z.xhtml"),
        ("OEBPS/a.opf", "#here", "OEBPS/a.opf"),
        ("OEBPS/a.opf", "..%2F..%2Fetc/passwd", "etc/passwd"),
    ],
)
def test_references_stay_in_the_book(base: str, href: str, path: str) -> None:
    assert resolve(base, href) == path


def test_both_numberings_of_the_spine() -> None:
    package = package_of(
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="b" href="b.xhtml" media-type=" Application/XHTML+xml "/></manifest>'
        '<spine id="s" toc="t"><itemref idref="ghost"/><!-- c --><itemref idref="a" id="r"/><x/>'
        '<itemref idref="b" linear=" No "/><itemref idref="a"/></spine></package>',
        a=document("a"),
    )
    assert [(item.idref, item.cfi_step, item.fragment, item.linear) for item in package.spine] == [
        ("ghost", 2, None, True),
        ("a", 4, 1, True),
        ("b", 8, 2, False),
        ("a", 10, 3, True),
    ]
    assert (package.spine_cfi_step, package.spine_cfi_id, package.toc_id) == (6, "s", "t")
    assert package.spine[1].cfi_id == "r"
    assert [item.exists for item in package.items.values()] == [True, False]
    assert package.items["b"].media_type == "application/xhtml+xml"
    assert len(package.doubts) == 2


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("container-points-nowhere.epub", MissingEntry, "does-not-exist.opf"),
        ("empty-spine.epub", NotAnEpub, "lists no text"),
        ("drm-adept.epub", Protected, "DRM"),
    ],
)
def test_what_cannot_be_used(name: str, error: type[BookError], words: str) -> None:
    with Archive(BROKEN / name) as archive, pytest.raises(error, match=words) as caught:
        read_package(archive)
    assert caught.value.remedy


def test_a_missing_container_is_forgiven_once() -> None:
    with Archive(BROKEN / "no-container.epub") as archive:
        package = read_package(archive)
    assert package.path.endswith(".opf") and "container.xml" in package.doubts[0]


@pytest.mark.parametrize(
    ("algorithm", "path", "usable"),
    [
        ("http://www.idpf.org/2008/embedding", "font.otf", True),
        ("http://ns.adobe.com/pdf/enc#RC", "font.otf", True),
        ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "0.xhtml", False),
    ],
)
def test_obfuscated_fonts_are_no_protection(algorithm: str, path: str, usable: bool) -> None:
    encryption = (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"'
        ' xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
        f'<enc:EncryptionMethod Algorithm="{algorithm}"/><enc:CipherData><enc:CipherReference URI="{path}"/>'
        "</enc:CipherData></enc:EncryptedData></encryption>"
    )
    extra = {"META-INF/encryption.xml": encryption.encode(), "font.otf": b"x"}
    with Archive(io.BytesIO(epub({"0.xhtml": document("x")}, extra=extra))) as archive:
        if usable:
            assert read_package(archive).spine
        else:
            with pytest.raises(Protected):
                read_package(archive)


def test_nothing_is_fetched_or_read() -> None:
    with Archive(BROKEN / "xxe-opf-title.epub") as archive:
        package = read_package(archive)
    assert "root:" not in "".join(package.root.itertext())


@pytest.mark.parametrize("book", books(), ids=lambda book: book.stem[:40])
def test_every_real_book_opens(book: Path) -> None:
    with Archive(book) as archive:
        package = read_package(archive)
        assert any(item.item is not None and item.item.exists for item in package.spine)


def test_a_remote_item_is_no_file() -> None:
    package = package_of(
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="r" href="https://example.org/a.mp4" media-type="video/mp4"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>',
        a=document("a"),
    )
    assert not package.items["r"].exists and package.doubts == ()


def test_the_first_rendition_counts() -> None:
    with Archive(BOOKS / "minimal-v2.epub") as archive:
        assert read_package(archive).path == "OEBPS/package.opf"
