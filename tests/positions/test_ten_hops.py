"""A place that goes from reader to reader ten times stays where it is (docs/reference/positions.md C.10, "drift").

The systems are KOReader and browsers, each in the EPUB and in its KEPUB, epub.js (for points) and the Kobo. A Kobo's
progress names a sentence, so a place moves to its start at the first such hop and no further; that the sync engine does
not let even that happen (the echo rule) is shown in tests/reading/progress/test_echo.py.
"""

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kepub import convert
from appliance.positions import (
    Encoded,
    EncodedRange,
    OpenBook,
    Place,
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
    translate,
    translate_range,
)
from tests.conftest import ROOT
from tests.kepub.kepubs import books, document, epub
from tests.positions.documents import BODIES

SAMPLES = sorted((ROOT / "tests" / "data" / "books").glob("*.epub"))
HOPS = 10


@dataclass(frozen=True)
class System:
    """A dialect in one file, for points and for ranges."""

    name: str
    book: OpenBook
    encode: Callable[[Position], Encoded[Any]]
    decode: Callable[[Any], Place]
    encode_range: Callable[[Range], EncodedRange[Any]]
    decode_range: Callable[[Any], RangePlace]


def systems(book: OpenBook, kepub: OpenBook) -> list[System]:
    def koreader(name: str, file: OpenBook, indexed: bool) -> System:
        return System(
            name,
            file,
            lambda position: file.encode_xpointer(position, indexed=indexed),
            file.decode_xpointer,
            lambda range: encode_xpointer_range(file, range, indexed=indexed),
            lambda pair: decode_xpointer_range(file, *pair),
        )

    def browser(name: str, file: OpenBook, dialect: Literal["standard", "epubjs"] = "standard") -> System:
        return System(
            name,
            file,
            lambda position: file.encode_cfi(position, dialect=dialect),
            lambda text: file.decode_cfi(text, dialect=dialect),
            lambda range: encode_cfi_range(file, range),
            lambda text: decode_cfi_range(file, text),
        )

    kobo = System(
        "K",
        kepub,
        lambda position: kepub.encode_kobo(position, offset=True),
        lambda locator: kepub.decode_kobo(locator.source, locator.value, locator.offset),
        lambda range: encode_kobo_range(kepub, range),
        lambda pair: decode_kobo_range(kepub, *pair),
    )
    found = [
        koreader("X", book, False),
        koreader("X[1]", book, True),
        koreader("X'", kepub, False),
        browser("C", book),
        browser("C'", kepub),
        browser("epub.js", book, "epubjs"),
    ]
    return found if repeats(book) else [*found, kobo]


def repeats(book: OpenBook) -> bool:
    """Whether a file stands in the spine twice; a Kobo names files, so it cannot say in which place of the spine."""
    return any(document.occurrence for document in book.summary.documents)


def progress(kepub: OpenBook) -> System:
    """A Kobo's own place: the span."""
    [*_, kobo] = systems(kepub, kepub)
    return replace(kobo, name="K-progress", encode=kepub.encode_kobo)


def opened(path: Path, folder: Path) -> tuple[OpenBook, OpenBook]:
    convert(path, folder / "k.kepub.epub", engine="built-in")
    return OpenBook.open(path, "epub"), OpenBook.open(folder / "k.kepub.epub", "kepub")


def hop(place: Place, at: OpenBook, to: System) -> Place:
    """The place as the next reader names it and is understood again; the status is the weaker of both."""
    there = translate(place, at, to.book)
    assert there.position is not None
    encoded = to.encode(there.position)
    if encoded.locator is None:
        assert (to.name, encoded.status) == ("epub.js", Status.FAILED), (
            "only epub.js has no name at all for some places"
        )
        return replace(place, status=Status.FAILED)
    heard = to.decode(encoded.locator)
    weaker = max(there.status, encoded.status, heard.status, key=lambda status: status.rank)
    return replace(heard, status=weaker)


def spelled(place: Place) -> Position:
    """The place apart from the side it is looked at from."""
    assert place.position is not None
    return replace(place.position, affinity="after")


def check_points(book: OpenBook, kepub: OpenBook, chance: random.Random, count: int) -> int:
    """Random orders of the systems from random places. Where a system cannot name a place it says so, and the walk ends
    there; returns how many walks were exact to the end."""
    known = systems(book, kepub)
    whole = 0
    for _ in range(count):
        start = book.at_tick(chance.randrange(book.summary.total + 1))
        order = [chance.choice(known) for _ in range(HOPS)]
        place, at = start, book
        for system in order:
            place, at = hop(place, at, system), system.book
            if place.status is not Status.EXACT:
                break
            back = translate(place, at, book)
            assert spelled(back) == spelled(start), [system.name for system in order]
        else:
            whole += 1
    return whole


def check_ranges(book: OpenBook, kepub: OpenBook, chance: random.Random, count: int) -> int:
    """The same for both ends of random ranges."""
    known = systems(book, kepub)
    whole = 0
    for _ in range(count):
        first = chance.randrange(book.summary.total)
        start, end = book.at_tick(first).position, book.at_tick(first + 1 + chance.randrange(400)).position
        assert start is not None and end is not None
        end = replace(end, affinity="before")
        if start == replace(end, affinity="after"):
            continue
        original = RangePlace(book.place(start), book.place(end))
        place, at = original, book
        order = [chance.choice(known) for _ in range(HOPS)]
        for system in order:
            there = translate_range(place, at, system.book)
            assert there.range is not None
            encoded = system.encode_range(there.range)
            if there.status is not Status.EXACT or encoded.status is not Status.EXACT:
                break
            place, at = system.decode_range(encoded.locator), system.book
            assert place.status is Status.EXACT, (encoded, [system.name for system in order])
            back = translate_range(place, at, book).range
            assert back is not None
            ticks = [book.place(one).tick for one in (back.start, back.end)]
            assert ticks == [original.start.tick, original.end.tick], (encoded, [system.name for system in order])
        else:
            whole += 1
    return whole


def check_progress(book: OpenBook, kepub: OpenBook, chance: random.Random, count: int) -> None:
    """With a Kobo's progress among the hops: to the start of the sentence at once, and never further."""
    known = [*systems(book, kepub), progress(kepub)]
    for _ in range(count):
        start = book.at_tick(chance.randrange(book.summary.total + 1))
        order = [progress(kepub), *(chance.choice(known) for _ in range(HOPS - 1))]
        place, at = start, book
        landed = None
        for system in order:
            place, at = hop(place, at, system), system.book
            if place.status is not Status.EXACT:
                break
            back = translate(place, at, book)
            landed = landed or back
            assert spelled(back) == spelled(landed), [system.name for system in order]
        if landed is not None:
            there = translate(start, book, kepub).position
            assert there is not None and start.tick is not None and landed.tick is not None
            span = kepub.encode_kobo(there)
            assert 0 <= start.tick - landed.tick == span.distance


def check_book(path: Path, folder: Path, count: int) -> None:
    book, kepub = opened(path, folder)
    chance = random.Random(path.name)
    if book.summary.total < 2:
        return
    check_points(book, kepub, chance, count)
    check_ranges(book, kepub, chance, count)
    if not repeats(book):
        check_progress(book, kepub, chance, count // 2)


@given(body=BODIES, seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_generated_documents(body: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "b.epub"
        path.write_bytes(epub({"d0.xhtml": document(body), "d1.xhtml": document("<p>And then. More.</p>")}))
        book, kepub = opened(path, Path(folder))
        chance = random.Random(seed)
        check_points(book, kepub, chance, 6)
        check_ranges(book, kepub, chance, 6)
        check_progress(book, kepub, chance, 3)
        book.close()
        kepub.close()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_real_books(path: Path, tmp_path: Path) -> None:
    check_book(path, tmp_path, 40)


def test_a_novel_is_exact_in_every_walk(tmp_path: Path) -> None:
    book, kepub = opened(ROOT / "tests/data/books/l-frank-baum_the-marvelous-land-of-oz.epub", tmp_path)
    chance = random.Random("oz")
    assert check_points(book, kepub, chance, 200) == 200
    assert check_ranges(book, kepub, chance, 100) >= 98


@pytest.mark.slow
@pytest.mark.parametrize("path", books()[::4], ids=lambda path: path.stem)
def test_the_corpus(path: Path, tmp_path: Path) -> None:
    if path.stat().st_size > 8_000_000:
        pytest.skip("its documents take longer than its words are worth")
    check_book(path, tmp_path, 8)


@pytest.mark.nightly
@pytest.mark.parametrize("path", books(), ids=lambda path: path.stem)
def test_the_corpus_at_length(path: Path, tmp_path: Path) -> None:
    if path.stat().st_size > 8_000_000:
        pytest.skip("its documents take longer than its words are worth")
    check_book(path, tmp_path, 60)
