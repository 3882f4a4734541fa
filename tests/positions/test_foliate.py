"""foliate-js itself, in Chromium, on the other end: it resolves what Bookwake writes, and Bookwake what it writes."""

import base64
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from appliance.epub.archive import Archive
from appliance.epub.document import parse_document
from appliance.positions import cfi, cfi_places
from appliance.positions.canonical import ATOM, Affinity, Position, Status
from appliance.positions.cfi import Cfi, Step
from appliance.positions.crengine.scan import decode
from appliance.positions.document import DocumentIndex
from appliance.positions.ink import ink
from appliance.positions.summary import summarise
from tests.chromium import chromium
from tests.conftest import ROOT
from tests.kepub.kepubs import document
from tests.positions.documents import BODIES, index_of

VENDOR = ROOT / "webreader" / "static" / "vendor"
BOOKS = ROOT / "tests" / "data" / "books"
PLACES = Path(__file__).with_name("places.js")
PACKAGE = (Step(6), Step(4))

# Names for pairs of places, given as numbers from 0 to 1; `null` for a point.
WRITE = """pairs => {
    if (!places.hasText()) return []
    return pairs.map(([from, to]) => {
        const start = places.pick(...from)
        const range = places.rangeOf(start, to ? places.pick(...to) : start)
        return [foliate.fromRange(range), ...places.placesOf(range)]
    })
}"""
READ = """texts => texts.map(text => {
    const parts = foliate.parse(text)
    ;(parts.parent ?? parts).shift()
    const range = foliate.toRange(places.theDocument(), parts)
    return [...places.placesOf(range), range.toString()]
})"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield open_page(browser, next(VENDOR.glob("foliate-js-*/epubcfi.js")), "foliate")


def open_page(browser: Browser, module: Path, name: str) -> Page:
    page = browser.new_page()
    page.set_default_timeout(60_000)
    for path, as_name in ((PLACES, "places"), (module, name)):
        source = base64.b64encode(path.read_bytes()).decode()
        page.evaluate(
            "async ([name, source]) => { window[name] = await import('data:text/javascript;base64,' + source) }",
            [as_name, source],
        )
    return page


def show(page: Page, data: bytes, media_type: str, index: DocumentIndex) -> None:
    """Make this document the page's. Its tree and its text are the index's."""
    mode, length = page.evaluate(
        "([source, type]) => places.open(places.read(source, type))", [decode(data), media_type]
    )
    assert (mode, length) == (index.mode, index.length)


Pair = tuple[tuple[float, float], tuple[float, float] | None]


def check_reading(page: Page, index: DocumentIndex, pairs: list[Pair]) -> int:
    """Bookwake reads what foliate-js writes, and writes the same for the same places."""
    written: list[tuple[str, int, int]] = page.evaluate(WRITE, pairs)
    for text, first, last in written:
        text = text.replace("epubcfi(", "epubcfi(/6/4!")
        start, end = cfi.parse(text)
        assert cfi_places.find(index, start)[:2] == (first, Status.EXACT), text
        if end is not None:
            assert cfi_places.find(index, end, end=True)[:2] == (last, Status.EXACT), text
            # Between two text nodes of one chunk foliate-js writes one place twice.
            empty = cfi.order(start) == cfi.order(end)
            assert cfi.write_range(start, end) == (str(start) if empty else text)
            assert cfi.order(start) <= cfi.order(end)
    return len(written)


def check_writing(page: Page, index: DocumentIndex, ranges: list[tuple[int, int]]) -> int:
    """foliate-js reads what Bookwake writes: the same places, and the text between them."""
    asked: list[tuple[str, int, int]] = []
    for first, last in ranges:
        start, end = name(index, first, "after"), name(index, last, "before")
        asked.append((str(start), first, first))
        if cfi.order(start) < cfi.order(end):
            asked.append((cfi.write_range(start, end), first, last))
    asked = [line for line in asked if line[1] < index.length]
    answers: list[tuple[int, int, str]] = page.evaluate(READ, [text for text, _, _ in asked])
    plain = all(element.name not in ("svg", "math", "iframe") for element in index.atoms.values())
    for (text, first, last), (found_first, found_last, words) in zip(asked, answers, strict=True):
        assert (found_first, found_last) == (first, last), text
        if plain and "script" not in index.body.name:
            assert ink(words) == index.text[first:last].replace(ATOM, ""), text
    return len(asked)


def name(index: DocumentIndex, k: int, affinity: Affinity) -> Cfi:
    named = cfi_places.point(index, Position("d", 0, k, affinity))
    assert named.k == k or k == index.length
    return Cfi(PACKAGE, named.steps, named.offset)


def some_pairs(chance: Random, count: int) -> list[Pair]:
    def place() -> tuple[float, float]:
        return chance.random() * 0.9999, chance.choice([0.0, 1.0, chance.random(), chance.random()])

    return [(place(), place() if chance.random() < 0.7 else None) for _ in range(count)]


def some_ranges(chance: Random, index: DocumentIndex, count: int) -> list[tuple[int, int]]:
    places = [chance.randint(0, index.length) for _ in range(2 * count)]
    # Images and the places beside them are rare in most books.
    beside = [min(max(k + by, 0), index.length) for k in list(index.atoms)[:40] for by in (0, 1, 2)]
    places += chance.sample(beside, len(beside) // 2 * 2)
    chance.shuffle(places)
    near = [(k, min(k + chance.randint(0, 60), index.length)) for k in places]
    return [tuple(sorted(pair)) for pair in zip(places[::2], places[1::2], strict=True)] + near  # type: ignore[misc]


@pytest.mark.parametrize("path", sorted(BOOKS.glob("*.epub")), ids=lambda path: path.stem)
def test_books(page: Page, path: Path) -> None:
    chance = Random(path.name)
    read = wrote = 0
    with Archive(path) as archive:
        documents = [document for document in summarise(archive).documents if document.path]
        for document_ in documents[:: -(-len(documents) // 8)]:
            data = archive.read(document_.path)
            index = DocumentIndex(parse_document(data, document_.media_type))
            show(page, data, document_.media_type, index)
            read += check_reading(page, index, some_pairs(chance, 60))
            wrote += check_writing(page, index, some_ranges(chance, index, 30))
    assert wrote
    assert read or path.stem in ("cnt-svg-support",)


COMMENTED = st.lists(
    st.sampled_from(
        [
            "<!--c-->", "<?p i?>", "<![CDATA[x <y>]]>", "ab ", "\n", "\u00a0", "é😀", "<b>b</b>", "<i/>",
            "<img/>", "<br/>",
            '<p id="a]b,c;=(^)">z</p>', '<span id="a">q</span>', "<p> <img/>\n</p>", "<pre>\n x</pre>",
            "<ruby>漢<rt>k</rt></ruby>",
        ]
    ),
    max_size=12,
).map("".join)  # fmt: skip


NESTED = st.builds("<div><p>{}</p>{}</div>{}".format, COMMENTED, COMMENTED, COMMENTED)


@given(st.one_of(BODIES, COMMENTED, NESTED), st.randoms(use_true_random=True))
def test_generated_documents(page: Page, body: str, chance: Random) -> None:
    index = index_of(body)
    show(page, document(body), "application/xhtml+xml", index)
    check_reading(page, index, some_pairs(chance, 6))
    check_writing(page, index, some_ranges(chance, index, 4))
