"""Make small EPUBs, and read spans out of KEPUBs, without any code of the converter."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from lxml import etree

from tests.conftest import ROOT, SHARED

XHTML = "http://www.w3.org/1999/xhtml"
BOOKS = ROOT / "tests" / "data" / "books"
BROKEN = ROOT / "tests" / "data" / "broken"


def books() -> list[Path]:
    """The books of the test data and, where it is at hand, the whole corpus."""
    shared = [path for path in (SHARED / "corpus").rglob("*.epub") if path.parent.name != "broken"]
    known = {path.name for path in shared}
    return sorted(shared + [path for path in BOOKS.glob("*.epub") if path.name not in known])


def broken() -> list[Path]:
    """The damaged and hostile files, likewise."""
    shared = sorted((SHARED / "corpus" / "broken").glob("*.epub"))
    return shared or sorted(BROKEN.glob("*.epub"))


def document(body: str, *, head: str = "<title>t</title>", doctype: str = "<!DOCTYPE html>") -> bytes:
    return (
        f'{doctype}<html xmlns="{XHTML}" xmlns:epub="http://www.idpf.org/2007/ops" xmlns:mbp="m">'
        f"<head>{head}</head><body>{body}</body></html>"
    ).encode()


def epub(documents: Mapping[str, bytes], *, extra: Mapping[str, bytes] | None = None, package: str = "") -> bytes:
    """An EPUB with these documents in its spine. `extra`: further entries; `package`: the package document instead."""
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(documents)
    )
    refs = "".join(f'<itemref idref="i{n}"/>' for n in range(len(documents)))
    opf = package or (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="u"><metadata/>'
        f"<manifest>{items}</manifest><spine>{refs}</spine></package>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        archive.writestr("book.opf", opf)
        for name, data in {**documents, **(extra or {})}.items():
            archive.writestr(name, data)
    return out.getvalue()


def tree(data: bytes) -> etree._Element:
    """Strictly parsed: a KEPUB document that is not well-formed fails the test."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True))


def spans(data: bytes) -> list[tuple[str, str]]:
    """Ids (without "kobo.") and texts of the koboSpans, in document order; an image's text is "[img]"."""
    return [
        (element.get("id").removeprefix("kobo."), shown(element))
        for element in tree(data).iter(f"{{{XHTML}}}span")
        if element.get("class") == "koboSpan"
    ]


def shown(element: etree._Element) -> str:
    image = any(etree.QName(child).localname in ("img", "image") for child in element)
    return "[img]" if image else "".join(element.itertext())


def ink(text: str) -> str:
    """The text without white space."""
    return "".join(text.split())


def body_text(data: bytes) -> str:
    """The whole text of the body."""
    body = tree(data).find(f"{{{XHTML}}}body")
    return "".join(body.itertext(etree.Element)) if body is not None else ""


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)
