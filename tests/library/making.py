"""Small EPUBs for tests, written entry by entry so that every oddity can be had."""

import zipfile
from collections.abc import Container, Mapping
from io import BytesIO
from pathlib import Path

CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
<rootfile full-path="OPS/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""

XHTML = """<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>"""

PROSE = "The lamp on the quay burned low, and nobody came to trim it before the morning. " * 20
"""Long enough to tell a book by."""


def epub(
    metadata: str = "<dc:title>A Book</dc:title>",
    chapters: Mapping[str, str] | None = None,
    items: str = "",
    files: Mapping[str, str | bytes] | None = None,
    version: str = "3.0",
    spine: str = "",
    guide: str = "",
    aside: Container[str] = (),
) -> bytes:
    """An EPUB. `metadata`: the inside of the metadata element. `chapters`: bodies by file name, all in the spine, those
    in `aside` outside the reading order. `items`: further manifest items; `files`: further entries, below OPS/. The
    unique identifier has the id "id"."""
    chapters = {"one.xhtml": f"<p>{PROSE}</p>"} if chapters is None else chapters
    manifest = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(chapters)
    )
    linear = {True: ' linear="no"', False: ""}
    refs = "".join(f'<itemref idref="c{n}"{linear[name in aside]}/>' for n, name in enumerate(chapters))
    package = (
        f'<package xmlns="http://www.idpf.org/2007/opf" version="{version}" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opf="http://www.idpf.org/2007/opf">'
        f"{metadata}</metadata><manifest>{manifest}{items}</manifest><spine {spine}>{refs}</spine>{guide}</package>"
    )
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entries: dict[str, str | bytes] = {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "OPS/package.opf": package,
        }
        entries |= {f"OPS/{name}": XHTML.format(body) for name, body in chapters.items()}
        entries |= {f"OPS/{name}": content for name, content in (files or {}).items()}
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


def titled(title: str, identifier: str = "", text: str | None = None, author: str = "Ann Author") -> bytes:
    """A book of one chapter."""
    body = f"<h1>{title}</h1><p>{PROSE}</p>" if text is None else text
    return epub(
        f"<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator>"
        f'<dc:identifier id="id">{identifier or title}</dc:identifier><dc:language>en</dc:language>',
        {"one.xhtml": body},
    )


def put(path: Path, data: bytes) -> Path:
    """Write a file, and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
