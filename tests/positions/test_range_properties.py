"""Properties 1, 2 and 6 of docs/reference/positions.md C.11, for ranges on generated documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.kepub.document import kepub_document
from appliance.positions import (
    Affinity,
    EncodedRange,
    KoboLocator,
    OpenBook,
    Position,
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
)
from appliance.positions.cfi import compare
from tests.kepub.kepubs import document, epub
from tests.positions.documents import BODIES
from tests.positions.selected import Fragment, Layout

OTHER = "<p>before 😀 <img src='a'/></p>"


class Books:
    """A generated document between two others, as an EPUB and as its KEPUB."""

    def __init__(self, folder: Path, body: str) -> None:
        self.pages = [document(text) for text in (OTHER, body, "<h1>behind</h1>")]
        self.kepub_pages = [kepub_document(page) or page for page in self.pages]
        self.epub = self._open(folder / "book.epub", self.pages)
        self.kepub = self._open(folder / "book.kepub.epub", self.kepub_pages)
        self.length = self.epub.summary.documents[1].length

    def _open(self, path: Path, pages: list[bytes]) -> OpenBook:
        path.write_bytes(epub({f"d{number}.xhtml": page for number, page in enumerate(pages)}))
        return OpenBook.open(path, path.name)

    def fragment(self) -> Fragment | None:
        """The document as KOReader's engine has it, where that has the same text."""
        tree = self.epub._tree(self.epub.summary.documents[1])
        return None if tree.alignment is not None or tree.undecided else Fragment(tree)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranges")


@contextmanager
def opened(folder: Path, body: str) -> Iterator[Books]:
    books = Books(folder, body)
    try:
        yield books
    finally:
        books.epub.close()
        books.kepub.close()


def drawn(data: st.DataObject, books: Books, *, within: bool = False) -> Range:
    """A range of at least one character, in the generated document or from and to its neighbours."""
    bases = books.epub.summary.bases
    low, high = (bases[1], bases[2]) if within else (0, bases[3])
    start = data.draw(st.integers(low, high - 1), "start")
    end = data.draw(st.integers(start + 1, high), "end")
    first = next(n for n in (2, 1, 0) if bases[n] <= start and bases[n + 1] > start)
    last = next(n for n in (0, 1, 2) if bases[n] < end <= bases[n + 1])
    return Range(
        Position(f"d{first}.xhtml", 0, start - bases[first]), Position(f"d{last}.xhtml", 0, end - bases[last], "before")
    )


def holds(name: EncodedRange[object], read: RangePlace, range: Range, book: OpenBook) -> None:
    """What is called exact is the same range; anything else is as far away as it says."""
    if name.status is Status.EXACT:
        assert read.status is Status.EXACT
        assert read.range == range
        assert (name.start_distance, name.end_distance) == (0, 0)
    bases = book.summary.bases
    start = bases[int(range.start.document[1])] + range.start.k
    end = bases[int(range.end.document[1])] + range.end.k
    assert (read.start.tick, read.end.tick) == (start - name.start_distance, end - name.end_distance)


@given(BODIES, st.data())
def test_a_range_is_found_again(folder: Path, body: str, data: st.DataObject) -> None:
    """Property 1."""
    with opened(folder, body) as books:
        range = drawn(data, books)
        written = encode_cfi_range(books.epub, range)
        assert written.locator is not None
        assert written.status is Status.EXACT, "a browser can name everything"
        holds(written, decode_cfi_range(books.epub, written.locator), range, books.epub)
        for book in (books.epub, books.kepub):
            for indexed in (False, True):
                pointed = encode_xpointer_range(book, range, indexed=indexed)
                assert pointed.locator is not None
                holds(pointed, decode_xpointer_range(book, *pointed.locator), range, book)
        spans = encode_kobo_range(books.kepub, range)
        assert spans.locator is not None
        holds(spans, decode_kobo_range(books.kepub, *spans.locator), range, books.kepub)


@given(BODIES, st.data())
def test_every_reader_selects_the_same_text(folder: Path, body: str, data: st.DataObject) -> None:
    """Property 6."""
    with opened(folder, body) as books:
        if not books.length:
            return
        range = drawn(data, books, within=True)
        text = range_text(books.epub, range)
        assert range_text(books.kepub, range) == text
        for book, page in ((books.epub, books.pages[1]), (books.kepub, books.kepub_pages[1])):
            written = encode_cfi_range(book, range).locator
            assert written is not None
            assert Layout(page).of_cfi(written) == text
        spans = encode_kobo_range(books.kepub, range)
        if spans.status is Status.EXACT:
            assert spans.locator is not None
            assert Layout(books.kepub_pages[1]).of_spans(*spans.locator) == text
        fragment = books.fragment()
        pointed = encode_xpointer_range(books.epub, range)
        if fragment is not None:
            assert pointed.locator is not None
            if pointed.status is Status.EXACT:
                assert fragment.of_pointers(*pointed.locator) == text
            else:
                assert text[-1] == "\ufffc", "only the place behind the last image has no name"
                assert fragment.of_pointers(*pointed.locator) == text[:-1]


@given(BODIES, st.sampled_from(["after", "before"]))
def test_names_rise_with_places(folder: Path, body: str, affinity: Affinity) -> None:
    """Property 2."""
    with opened(folder, body) as books:
        positions = [Position("d1.xhtml", 0, k, affinity) for k in range(books.length + 1)]
        cfis = [str(books.epub.encode_cfi(position).locator) for position in positions]
        assert all(compare(one, other) <= 0 for one, other in pairwise(cfis))
        spans = [name.locator for name in (books.kepub.encode_kobo(position, offset=True) for position in positions)]
        ids = list(Layout(books.kepub_pages[1]).spans)
        ranks = [_rank(ids, locator) for locator in spans if locator is not None]
        assert ranks == sorted(ranks)
        fragment = books.fragment()
        if fragment is not None:
            pointers = [fragment.rank(str(books.epub.encode_xpointer(position).locator)) for position in positions]
            assert pointers == sorted(pointers)


def _rank(ids: list[str], locator: KoboLocator) -> tuple[int, int]:
    return (ids.index(locator.value) if locator.value else -1, locator.offset or 0)
