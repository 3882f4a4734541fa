"""Places as three real engines name them: each must be carried to the other two without loss.

A line of `tests/data/vectors` is the first character of a word: `xpointer` is what crengine of KOReader v2026.07.2
calls it, `cfi` what foliate-js calls it in Chromium, `span` and `span_offset` (code points) the koboSpan that holds it
in the KEPUB that kepubify makes, `quote` the next 24 characters without white space, U+00AD, U+200B and U+FEFF. The
lines were joined by counting characters in each engine, so none depends on any translation code.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.kepub import convert
from appliance.positions import OpenBook, Place, Status, translate
from appliance.positions.recent import Recent
from tests import needs
from tests.conftest import ROOT, SHARED
from tests.kepub.kepubs import books

SAMPLES = ROOT / "tests" / "data" / "vectors"
PATHS = {path.name: path for path in books()}

# Lines that cannot be exact, or that the vectors have otherwise than the reference; each is looked at below.
#
# The text of `math` is one atom: what KOReader shows there is not what the file says (xpointer.md 9).
IN_FORMULA = {"/body/DocFragment[19]/body/section/p[1]/math[7]/semantics/annotation/text().0"}
# foliate-js shows a document that is not well-formed as HTML; this line is from a tree of Chromium that has an element
# for the error message, which shifts the body from /4 to /6.
FROM_ERROR_PAGE = {"epubcfi(/6/380!/6/2/2/2/2/2/1:0)"}


@dataclass
class Line:
    """One line of a vector file."""

    xpointer: str
    cfi: str
    href: str
    span: str | None
    span_offset: int | None
    quote: str


def lines(path: Path) -> Iterator[Line]:
    for text in path.read_text().split("\n")[:-1]:
        value: dict[str, Any] = json.loads(text)
        yield Line(
            value["xpointer"],
            value["cfi"],
            value["href"],
            value.get("span"),
            value.get("span_offset"),
            value["quote"],
        )


@dataclass
class Vectors:
    """The lines of one file, and the book that they are from. `name`: of the file."""

    name: str
    lines: list[Line]
    book: OpenBook

    def place(self, line: Line) -> Place:
        """Where a line is, for the tests that look at the KEPUB; `test_epub` looks at this itself."""
        return (
            self.book.decode_xpointer(line.xpointer) if line.cfi in FROM_ERROR_PAGE else self.book.decode_cfi(line.cfi)
        )


def files() -> list[Path]:
    """The vectors, or where they are not at hand the part of them that is kept with the tests."""
    return sorted((SHARED / "vectors").glob("*.jsonl")) or sorted(SAMPLES.glob("*.jsonl"))


def each_file(others: pytest.MarkDecorator) -> pytest.MarkDecorator:
    """A test for each file. `others`: how those are marked whose book is not kept with the tests."""
    kept = {path.name for path in SAMPLES.glob("*.jsonl")}
    return pytest.mark.parametrize(
        "vectors",
        [
            pytest.param(path, id=path.name.removesuffix(".epub.jsonl"), marks=() if path.name in kept else others)
            for path in files()
        ],
        indirect=True,
    )


# Of the module, so that the tests of one file follow each other, and its book is indexed once.
@pytest.fixture(scope="module")
def vectors(request: pytest.FixtureRequest) -> Vectors:
    path: Path = request.param
    # All documents are kept: of a novel in one file, several indices do not fit into what is kept by default.
    book = OpenBook.open(PATHS[path.name.removesuffix(".jsonl")], "epub", documents=Recent(2**30))
    return Vectors(path.name, list(lines(path)), book)


def same(one: Place, other: Place) -> bool:
    """The same character: a file that stands in the spine twice has it twice."""
    assert one.position is not None
    assert other.position is not None
    return (one.position.document, one.position.k) == (other.position.document, other.position.k)


@each_file(others=pytest.mark.slow)
def test_epub(vectors: Vectors) -> None:
    """Decode both names, compare the places, and write each name again from each of them."""
    book = vectors.book
    for line in vectors.lines:
        by_cfi, by_xpointer = book.decode_cfi(line.cfi), book.decode_xpointer(line.xpointer)
        if line.xpointer in IN_FORMULA:
            assert by_cfi.status is Status.SNAPPED, line
            assert by_xpointer.status is Status.SNAPPED, line
            assert same(by_cfi, by_xpointer), line
            continue
        if line.cfi in FROM_ERROR_PAGE:
            assert by_cfi.status is Status.APPROXIMATE, line
            by_cfi = by_xpointer
        assert by_cfi.status is Status.EXACT, line
        assert by_xpointer.status is Status.EXACT, line
        assert same(by_cfi, by_xpointer), line
        assert by_cfi.position is not None
        assert by_xpointer.position is not None
        suffix = re.sub(r"[\s\u00ad\u200b\ufeff\ufffc]", "", book.quote(by_cfi.position, 0, 60).suffix)
        if "math" not in vectors.name:
            assert suffix.startswith(re.sub(r"[\s\ufffc]", "", line.quote)[:8]), line
        # A CFI of a repeated file stands for its first place, so the CFI is asked of the pointer's place and back.
        written = book.encode_cfi(by_xpointer.position)
        assert written.status is Status.EXACT, line
        if by_xpointer.position == by_cfi.position and line.cfi not in FROM_ERROR_PAGE:
            assert written.locator == line.cfi
        pointed = book.encode_xpointer(by_xpointer.position)
        assert (pointed.status, pointed.locator) == (Status.EXACT, line.xpointer)
        again = book.decode_xpointer(str(book.encode_xpointer(by_cfi.position, indexed=True).locator))
        assert same(again, by_cfi), line


def check_kepub(vectors: Vectors, kepub: OpenBook, span_offsets: bool) -> None:
    """Each place is in the span that the vectors name, and what a Kobo says of it leads back to it."""
    for line in vectors.lines:
        if line.span is None or line.xpointer in IN_FORMULA:
            continue
        here = vectors.place(line)
        place = translate(here, vectors.book, kepub)
        assert place.status is Status.EXACT, line
        assert place.position is not None
        progress = kepub.encode_kobo(place.position)
        assert progress.status is Status.EXACT, line
        assert progress.locator is not None
        assert (progress.locator.source, progress.locator.value) == (line.href, line.span)
        annotated = kepub.encode_kobo(place.position, offset=True).locator
        assert annotated is not None
        assert annotated.value == line.span
        if span_offsets:
            index = kepub._index(kepub.summary.documents[_ordinal(kepub, line.href)])
            text = "".join(chunk.text for chunk in index.span_by_id[line.span].texts())
            assert annotated.offset == len(text[: line.span_offset].encode("utf-16-le")) // 2, line
        back = translate(kepub.decode_kobo(line.href, line.span, annotated.offset), kepub, vectors.book)
        assert back.status is Status.EXACT, line
        assert same(back, here), line
        start = kepub.decode_kobo(line.href, line.span)
        assert start.position is not None
        assert start.position.k + progress.distance == place.position.k, "a Kobo's progress is the start of the span"


def _ordinal(book: OpenBook, path: str) -> int:
    return next(document.ordinal for document in book.summary.documents if document.path == path)


# That both converters give the same spans to every book is shown in tests/kepub/test_engines_agree.py.
@each_file(others=pytest.mark.nightly)
def test_built_in_converter(vectors: Vectors, tmp_path: Path) -> None:
    if "encoding_" in vectors.name:
        return  # kepubify takes UTF-16 for UTF-8, so its spans are not those of a converter that reads it rightly
    target = tmp_path / "book.kepub.epub"
    convert(vectors.book.path, target, engine="built-in")
    # Where the HTML algorithm drops elements, kepubify's spans hold other white space; the vectors are from its files.
    check_kepub(vectors, OpenBook.open(target, "kepub"), span_offsets=False)


@each_file(others=pytest.mark.slow)
def test_kepubify(vectors: Vectors, tmp_path: Path) -> None:
    target = tmp_path / "book.kepub.epub"
    convert(vectors.book.path, target, engine="kepubify", kepubify=needs.kepubify())
    # In the UTF-16 file the span is the whole source text, and the vectors count it with its indentation folded.
    check_kepub(vectors, OpenBook.open(target, "kepub"), span_offsets="encoding_" not in vectors.name)
