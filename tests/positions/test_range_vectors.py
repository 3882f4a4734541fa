"""Ranges as three real engines name them: each must be carried to the other two with both ends, and hold the same text.

A line of `tests/data/vectors/ranges` is a range from the start of a word to the end of another, made in Chromium:
`pos0` and `pos1` are crengine's two XPointers (KOReader v2026.07.2), `cfi` what foliate-js writes, `kobo` the koboSpans
and offsets (code points, end exclusive) in the KEPUB that kepubify makes, missing where an end is in no span, `ink` the
text without white space, U+00AD, U+200B and U+FEFF. The lines were joined by counting characters in each engine.
"""

import html
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.kepub import convert
from appliance.positions import (
    KoboLocator,
    OpenBook,
    Range,
    RangePlace,
    Status,
    decode_cfi_range,
    decode_kobo_range,
    decode_xpointer_range,
    encode_cfi_range,
    encode_kobo_range,
    encode_xpointer_range,
    range_text,
    translate_range,
)
from appliance.positions.kobospan import selector
from tests import needs
from tests.conftest import ROOT, SHARED
from tests.kepub.kepubs import books

SAMPLES = ROOT / "tests" / "data" / "vectors" / "ranges"
PATHS = {path.name: path for path in books()}

# What the vectors have otherwise than their own description; each is looked at below.
#
# kepubify takes this UTF-16 document for bytes: its page is the source text in one span, indentation and all. There are
# 236 characters before "This" and 287 before "Thank"; the vectors count 216 and 263, which is other text.
GARBLED = {"EPUB/xhtml/file-utf16-w-bom.xhtml"}


@dataclass
class Line:
    """One line of a range file."""

    href: str
    pos0: str
    pos1: str
    cfi: str
    ink: str
    kobo: dict[str, Any] | None


def lines(path: Path) -> Iterator[Line]:
    for text in path.read_text().split("\n")[:-1]:
        value = json.loads(text)
        yield Line(value["href"], value["pos0"], value["pos1"], value["cfi"], value["ink"], value.get("kobo"))


def files() -> list[Path]:
    """The vectors, or where they are not at hand the part of them that is kept with the tests."""
    return sorted((SHARED / "vectors" / "ranges").glob("*.jsonl")) or sorted(SAMPLES.glob("*.jsonl"))


def each_file(others: pytest.MarkDecorator) -> pytest.MarkDecorator:
    """A test for each file. `others`: how those are marked whose book is not kept with the tests."""
    kept = {path.name for path in SAMPLES.glob("*.jsonl")}
    return pytest.mark.parametrize(
        "path",
        [
            pytest.param(path, id=path.name.removesuffix(".epub.jsonl"), marks=() if path.name in kept else others)
            for path in files()
        ],
    )


def visible(text: str) -> str:
    """As the vectors' `ink`; they know no atoms."""
    return re.sub(r"[\s\u00ad\u200b\ufeff\ufffc\ufffd]", "", text)


def known(found: RangePlace, line: Line) -> Range:
    """The range, which must be exact."""
    assert found.status is Status.EXACT, (line, found)
    assert found.range is not None
    return found.range


def places(range: Range) -> tuple[str, int, str, int]:
    """A file that stands in the spine twice has the same text twice; a koboSpan cannot tell which."""
    return range.start.document, range.start.k, range.end.document, range.end.k


def check(path: Path, kepub: OpenBook, book: OpenBook, *, by_kepubify: bool) -> None:
    """Read the range in each dialect, compare, and write it in each dialect from what each one said."""
    for line in lines(path):
        pointed = known(decode_xpointer_range(book, line.pos0, line.pos1), line)
        written = known(decode_cfi_range(book, line.cfi), line)
        assert places(pointed) == places(written), line
        if "math" not in path.name:  # the vectors have the text of formulas
            assert visible(range_text(book, pointed)) == visible(line.ink), line
        for range in (pointed, written):
            name = encode_cfi_range(book, range)
            assert name.status is Status.EXACT, line
            if range == written:
                assert name.locator == line.cfi
            pointers = encode_xpointer_range(book, range)
            assert pointers.status is Status.EXACT, line
            if range == pointed:
                assert pointers.locator == (line.pos0, line.pos1)
            indexed = encode_xpointer_range(book, range, indexed=True).locator
            assert indexed is not None
            assert decode_xpointer_range(book, *indexed).range == range, line
        there = translate_range(decode_cfi_range(book, line.cfi), book, kepub)
        if there.status is not Status.EXACT and (line.kobo is None or line.href in GARBLED):
            assert there.range is not None
            assert range_text(kepub, there.range) != range_text(book, written), "the KEPUB has another text"
            continue
        spans = encode_kobo_range(kepub, known(there, line))
        assert spans.locator is not None, line
        heard = decode_kobo_range(kepub, *spans.locator)
        back = translate_range(heard, kepub, book)
        if line.kobo is None and spans.status is not Status.EXACT:
            # An end is in no span, so the range is another, and by how much is known.
            assert spans.status in (Status.SNAPPED, Status.APPROXIMATE), line
            assert heard.start.tick == (there.start.tick or 0) - spans.start_distance, line
            assert heard.end.tick == (there.end.tick or 0) - spans.end_distance, line
            continue
        assert spans.status is Status.EXACT, line
        assert places(known(back, line)) == places(written), line
        assert visible(range_text(kepub, known(heard, line))) == visible(range_text(book, written)), line
        if line.kobo is not None and (by_kepubify or path.name not in OTHER_SPANS):
            compare_spans(kepub, line, spans.locator, offsets=by_kepubify)


# Documents that the built-in converter reads rightly and kepubify does not.
OTHER_SPANS = {"encoding_8b-8-8b.epub.jsonl"}


def compare_spans(kepub: OpenBook, line: Line, ours: tuple[KoboLocator, KoboLocator], *, offsets: bool) -> None:
    """The spans of the vectors, and what a Kobo would send of them, in both spellings of its paths."""
    assert line.kobo is not None
    start, end = ours
    assert (start.source, end.source) == (line.href, line.href)
    assert (start.value, end.value) == (line.kobo["start"], line.kobo["end"])
    if not offsets:  # where the HTML algorithm drops elements, kepubify's spans hold other white space
        return
    text = text_of(kepub, line.href, start.value), text_of(kepub, line.href, end.value)
    begin, stop = line.kobo["start_offset"], line.kobo["end_offset"]
    if line.href in GARBLED:
        assert visible(text[0][start.offset : end.offset]) == line.ink
        assert visible(text[0][begin:stop]) != line.ink
        return
    expected = len(text[0][:begin].encode("utf-16-le")) // 2, len(text[1][:stop].encode("utf-16-le")) // 2
    assert (start.offset, end.offset) == expected, line
    sent = (
        KoboLocator("/" + line.href, selector(start.value), start.offset),
        KoboLocator(f"0d1f!!{line.href}", f"{line.href}#{end.value}", end.offset),
    )
    assert decode_kobo_range(kepub, *sent) == decode_kobo_range(kepub, *ours), line


def text_of(kepub: OpenBook, href: str, span: str) -> str:
    document = next(document for document in kepub.summary.documents if document.path == href)
    return "".join(chunk.text for chunk in kepub._index(document).span_by_id[span].texts())


@each_file(others=pytest.mark.nightly)
def test_built_in_converter(path: Path, tmp_path: Path) -> None:
    book = OpenBook.open(PATHS[path.name.removesuffix(".jsonl")], "epub")
    convert(book.path, tmp_path / "book.kepub.epub", engine="built-in")
    check(path, OpenBook.open(tmp_path / "book.kepub.epub", "kepub"), book, by_kepubify=False)


@each_file(others=pytest.mark.slow)
def test_kepubify(path: Path, tmp_path: Path) -> None:
    book = OpenBook.open(PATHS[path.name.removesuffix(".jsonl")], "epub")
    convert(book.path, tmp_path / "book.kepub.epub", engine="kepubify", kepubify=needs.kepubify())
    check(path, OpenBook.open(tmp_path / "book.kepub.epub", "kepub"), book, by_kepubify=True)


def test_offsets_in_a_page_of_source_text(tmp_path: Path) -> None:
    """Why `GARBLED`: what is in kepubify's file, looked at without any code of positions."""
    target = tmp_path / "book.kepub.epub"
    convert(PATHS["encoding_8b-8-8b.epub"], target, engine="kepubify", kepubify=needs.kepubify())
    with zipfile.ZipFile(target) as archive:
        page = archive.read("EPUB/xhtml/file-utf16-w-bom.xhtml")
    assert page.count(b"koboSpan") == 1
    source = page.partition(b'id="kobo.0.1">')[2].partition(b"</span>")[0]
    text = html.unescape(source.decode("latin-1"))
    assert (text.index("This"), text.index("Thank")) == (236, 287)
    for line in lines(SAMPLES / "encoding_8b-8-8b.epub.jsonl"):
        if line.href in GARBLED and line.kobo:
            assert line.ink in visible(text)
            assert visible(text[line.kobo["start_offset"] : line.kobo["end_offset"]]) != line.ink
