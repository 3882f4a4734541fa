"""Random ranges over real books, through every pair of dialects: the text selected stays the same (positions.md C.10).

The systems are KOReader and the browser, each in the EPUB and in its KEPUB, and the Kobo.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.kepub import convert
from appliance.positions import (
    EncodedRange,
    OpenBook,
    Position,
    Range,
    RangePlace,
    SpineDocument,
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
from appliance.positions.canonical import ATOM
from appliance.positions.ink import ink_offset
from appliance.positions.recent import Recent
from tests.conftest import ROOT
from tests.kepub.kepubs import books
from tests.positions.selected import Fragment, Layout

SAMPLES = ROOT / "tests" / "data" / "books"
DOCUMENTS = 8  # of a book, so that most of the time goes into ranges


@dataclass
class System:
    """A dialect in the coordinates of one file."""

    name: str
    book: OpenBook
    encode: Callable[[OpenBook, Range], EncodedRange[Any]]
    decode: Callable[..., RangePlace]


def systems(book: OpenBook, kepub: OpenBook) -> list[System]:
    return [
        System("X-EPUB", book, encode_xpointer_range, decode_xpointer_range),
        System("C-EPUB", book, encode_cfi_range, lambda opened, text: decode_cfi_range(opened, text)),
        System("X-KEPUB", kepub, encode_xpointer_range, decode_xpointer_range),
        System("C-KEPUB", kepub, encode_cfi_range, lambda opened, text: decode_cfi_range(opened, text)),
        System("K", kepub, encode_kobo_range, decode_kobo_range),
    ]


def read(system: System, locator: Any) -> RangePlace:
    return system.decode(system.book, *locator) if isinstance(locator, tuple) else system.decode(system.book, locator)


def drawn(book: OpenBook, chance: random.Random, ranges: int) -> Iterator[Range]:
    """Ranges of a few letters, over several blocks, from and to images, and over several documents."""
    documents = [document for document in book.summary.documents if document.length and not document.occurrence]
    some = chance.sample(range(len(documents)), min(DOCUMENTS, len(documents)))
    for number in range(ranges if documents else 0):
        at = chance.choice(some)
        document = documents[at]
        text = book.canonical_text(document)
        atoms = [k for k, character in enumerate(text) if character == ATOM]
        start = chance.randrange(len(text))
        end = min(len(text), start + 1 + chance.randrange(30 if number % 2 else 600))
        last = document
        if number % 5 == 0 and atoms:
            atom = chance.choice(atoms)
            start, end = (atom, max(end, atom + 1)) if number % 10 else (min(start, atom), atom + 1)
        elif number % 5 == 1:
            last = documents[min(at + 1, len(documents) - 1)]
            end = 1 + chance.randrange(last.length) if last is not document else end
        yield Range(Position(document.path, 0, start), Position(last.path, 0, end, "before"))


class Looked:
    """The documents of a book and its KEPUB as each reader has them."""

    def __init__(self, book: OpenBook, kepub: OpenBook) -> None:
        self.books = {"EPUB": book, "KEPUB": kepub}
        self._layouts: dict[tuple[str, str], Layout] = {}
        self._fragments: dict[tuple[str, str], Fragment] = {}

    def layout(self, file: str, path: str) -> Layout:
        if (file, path) not in self._layouts:
            document = self.document(file, path)
            with Archive(self.books[file].path) as archive:
                self._layouts[file, path] = Layout(archive.read(path, MAX_MARKUP), document.media_type)
        return self._layouts[file, path]

    def document(self, file: str, path: str) -> SpineDocument:
        found = self.books[file].summary.document(path, 0)
        assert found is not None
        return found

    def selected(self, system: str, range: Range, locator: Any) -> str | None:
        """The text between two locators without any code of the codecs; `None` across documents."""
        if range.start.document != range.end.document:
            return None
        dialect, _, file = system.partition("-")
        if dialect == "X":
            tree = self.books[file]._tree(self.document(file, range.start.document))
            if tree.alignment is not None or len(tree.bodies) != 1:
                return None
            key = file, range.start.document
            if key not in self._fragments:
                self._fragments[key] = Fragment(tree)
            return self._fragments[key].of_pointers(*locator)
        layout = self.layout(file or "KEPUB", range.start.document)
        return layout.of_cfi(locator) if dialect == "C" else layout.of_spans(*locator)

    def has_no_name(self, system: str, range: Range) -> bool:
        """Whether a system cannot name the range: for KOReader where its tree has other text or is not certain, for a
        Kobo where an end is in no span, and for both behind an image that nothing follows."""
        dialect, _, file = system.partition("-")
        if dialect == "C":
            return False
        file = file or "KEPUB"
        last = self.document(file, range.end.document)
        text = self.books[file].canonical_text(last)
        if text[range.end.k - 1] == ATOM and range.end.k == last.length:
            return True
        ends = [(range.start.document, range.start.k), (range.end.document, range.end.k - 1)]
        if text[range.end.k - 1] == ATOM:
            ends.append((range.end.document, range.end.k))
        if dialect == "K":
            return not all(self._in_span(path, k) for path, k in ends)
        trees = [self.books[file]._tree(self.document(file, path)) for path, _ in ends]
        return any(tree.undecided or tree.alignment is not None for tree in trees)

    def _in_span(self, path: str, k: int) -> bool:
        layout = self.layout("KEPUB", path)
        at = ink_offset(layout.raw, k)
        return any(first <= at < last for first, last in layout.extents.values())


def check(path: Path, folder: Path, ranges: int) -> Counter[tuple[str, Status]]:
    """How many ranges each system could name, and how well."""
    convert(path, folder / "book.kepub.epub", engine="built-in")
    # All documents are kept: of a novel in one file, two do not fit into what is kept by default.
    book = OpenBook.open(path, "epub", documents=Recent(2**30))
    kepub = OpenBook.open(folder / "book.kepub.epub", "kepub", documents=Recent(2**30))
    everyone = systems(book, kepub)
    counts: Counter[tuple[str, Status]] = Counter()
    look = Looked(book, kepub)
    for range in drawn(book, random.Random(path.name), ranges):
        wanted = range_text(book, range)
        there = translate_range(RangePlace(book.place(range.start), book.place(range.end)), book, kepub)
        names = {}
        for system in everyone:
            own = range if system.book is book else there.range
            if own is None or (system.book is kepub and there.status is not Status.EXACT):
                counts[system.name, there.status] += 1
                continue
            name = system.encode(system.book, own)
            counts[system.name, name.status] += 1
            assert name.locator is not None, (system.name, range)
            found = read(system, name.locator)
            assert found.range is not None
            if name.status is not Status.EXACT:
                assert look.has_no_name(system.name, own), (system.name, own, name)
                continue
            assert range_text(system.book, found.range) == wanted, (system.name, range, name)
            assert look.selected(system.name, own, name.locator) in (wanted, None), (system.name, range, name)
            names[system.name] = name.locator
        for source in everyone:
            for target in everyone:
                if source.name in names and target.name in names:
                    heard = translate_range(read(source, names[source.name]), source.book, target.book)
                    assert heard.status is Status.EXACT
                    assert heard.range is not None
                    said = target.encode(target.book, heard.range)
                    assert said.status is Status.EXACT
                    assert said.locator == names[target.name], (source.name, target.name, range)
    return counts


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.epub")), ids=lambda path: path.stem)
def test_sample_books(path: Path, tmp_path: Path) -> None:
    check(path, tmp_path, 10)


@pytest.mark.slow
@pytest.mark.parametrize("path", books()[::4], ids=lambda path: path.stem)
def test_corpus(path: Path, tmp_path: Path) -> None:
    check(path, tmp_path, 8)


@pytest.mark.nightly
@pytest.mark.parametrize("path", books(), ids=lambda path: path.stem)
def test_corpus_at_length(path: Path, tmp_path: Path) -> None:
    check(path, tmp_path, 40)
