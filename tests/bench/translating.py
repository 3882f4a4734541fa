"""Positions: how long a translation takes when nothing is known of the chapter, when all is, and when a chapter is as
long as a book. Processor time, because other work on the machine says nothing about the code."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from appliance.epub.archive import Archive
from appliance.kepub import convert
from appliance.positions import OpenBook, Position, Reason, Shelf, Status, dialects
from appliance.positions.aside import PATIENCE
from appliance.positions.dialects import Dialect
from appliance.positions.open_document import Documents
from appliance.positions.recent import Recent
from appliance.positions.summary import BookSummary, SpineDocument, summarise
from appliance.positions.translate import translate
from tests.bench.row import Row
from tests.conftest import ROOT, SHARED
from tests.kepub.kepubs import document, epub

CHAPTERS = ROOT / "tests" / "data" / "books" / "ebookmaker-epub2_pride-and-prejudice.epub"
"""A real book whose chapters have 45 to 56 kB."""

WAR_AND_PEACE = SHARED / "corpus" / "standardebooks" / "leo-tolstoy_war-and-peace_louise-maude-aylmer-maude.epub"
OUTLIER = 15_000_000  # bytes in one document: more is refused
CAPACITY = 32 * 1024 * 1024  # of indices, as the appliance keeps them
WORDS = 2_000

DIRECTIONS: list[tuple[Dialect, Dialect]] = list(permutations(("xpointer", "cfi", "kobo"), 2))


class Pair:
    """An EPUB and its KEPUB with nothing indexed; summaries are known, as the appliance keeps them."""

    def __init__(self, epub: Path, kepub: Path, summaries: tuple[BookSummary, BookSummary]) -> None:
        documents: Documents = Recent(CAPACITY)
        self.epub = OpenBook.open(epub, "epub", summaries[0], documents)
        self.kepub = OpenBook.open(kepub, "kepub", summaries[1], documents)

    def translate(self, spoken: Dialect, asked: Dialect, locator: dialects.Locator) -> None:
        """From one dialect to another, as the appliance does it."""
        source, target = self.file(spoken), self.file(asked)
        place = translate(dialects.decode(source, spoken, (locator,)), source, target)  # type: ignore[arg-type]
        assert place.position is not None
        assert _encoded(target, asked, place.position).status is Status.EXACT

    def file(self, dialect: Dialect) -> OpenBook:
        """The one that this dialect is spoken of."""
        return self.kepub if dialect == "kobo" else self.epub

    def name(self, dialect: Dialect, chapter: SpineDocument, k: int | None = None) -> Any:
        """A place in the middle, or another, of a chapter."""
        at = Position(chapter.path, 0, chapter.length // 2 if k is None else k)
        return _encoded(self.file(dialect), dialect, at).locator


def _encoded(book: OpenBook, dialect: Dialect, position: Position) -> Any:
    if dialect == "kobo":
        return book.encode_kobo(position, offset=True)
    return book.encode_xpointer(position) if dialect == "xpointer" else book.encode_cfi(position)


def _summary(path: Path) -> BookSummary:
    with Archive(path) as archive:
        return summarise(archive)


def _timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measure(work: Path) -> Iterator[Row]:
    kepub = work / "chapters.kepub.epub"
    convert(CHAPTERS, kepub, "built-in")
    summaries = _summary(CHAPTERS), _summary(kepub)
    yield _cold(kepub, summaries)
    yield from _warm(kepub, summaries)
    yield from _whole_book()
    yield from _outlier(work)


def _cold(kepub: Path, summaries: tuple[BookSummary, BookSummary]) -> Row:
    """The first translation in each chapter, in each of the six directions; the files are open."""
    chapters = [document for document in summaries[0].documents if 45_000 <= document.size <= 56_000]
    times: dict[str, float] = {}
    for spoken, asked in DIRECTIONS:
        named = [(chapter, Pair(CHAPTERS, kepub, summaries).name(spoken, chapter)) for chapter in chapters]
        found = []
        for chapter, locator in named:
            pair = Pair(CHAPTERS, kepub, summaries)
            other = chapters[0] if chapter is not chapters[0] else chapters[1]
            pair.translate(spoken, asked, pair.name(spoken, other))
            found.append(_timed(partial(pair.translate, spoken, asked, locator)))
        times[f"{spoken} → {asked}"] = 1000 * median(found)
    slowest = max(times.values())
    return Row(
        "positions",
        f"first translation in a chapter of 50 kB (median of {len(chapters)})",
        f"{min(times.values()):.1f} ms ({min(times, key=times.__getitem__)}) to {slowest:.1f} ms"
        f" ({max(times, key=times.__getitem__)})",
        "≤ 5 ms",
        slowest <= 5,
        numbers={"milliseconds": times},
    )


def _warm(kepub: Path, summaries: tuple[BookSummary, BookSummary]) -> Iterator[Row]:
    """Random places of a chapter, a sixth of them in each direction."""
    pair = Pair(CHAPTERS, kepub, summaries)
    random = Random(1)
    chapters = [document for document in summaries[0].documents if 45_000 <= document.size <= 56_000][:3]
    work = []
    for spoken, asked in DIRECTIONS:
        for _ in range(WORDS):
            chapter = random.choice(chapters)
            locator = pair.name(spoken, chapter, random.randrange(chapter.length))
            work.append((spoken, asked, locator))
    random.shuffle(work)
    for spoken, asked, locator in work[:100]:
        pair.translate(spoken, asked, locator)
    each: dict[str, list[float]] = {}
    begun = time.process_time()
    for spoken, asked, locator in work:
        pair.translate(spoken, asked, locator)
    seconds = time.process_time() - begun
    for spoken, asked, locator in work:
        seconds_each = _timed(partial(pair.translate, spoken, asked, locator))
        each.setdefault(f"{spoken} → {asked}", []).append(seconds_each)
    medians = {name: 1000 * median(times) for name, times in each.items()}
    slowest = max(medians, key=medians.__getitem__)
    yield Row(
        "positions",
        "a translation in a known chapter",
        f"{1000 * seconds / len(work):.2f} ms on average (median of the slowest direction, {slowest}:"
        f" {medians[slowest]:.2f} ms)",
        "≤ 0.2 ms",
        1000 * seconds / len(work) <= 0.2,
        numbers={"milliseconds": medians},
    )
    rate = len(work) / seconds
    yield Row(
        "positions",
        "translations in known chapters, all six directions in equal parts",
        f"{rate:,.0f}/s",
        "≥ 5,000/s",
        rate >= 5_000,
        numbers={"per_second": rate},
    )


def _whole_book() -> Iterator[Row]:
    name = "summary of War and Peace"
    if not WAR_AND_PEACE.exists():
        yield Row("positions", name, target="≤ 1 s", skipped="the developers' corpus is not at hand")
        return
    seconds = min(_timed(lambda: _summary(WAR_AND_PEACE)) for _ in range(3))
    characters = _summary(WAR_AND_PEACE).total
    yield Row(
        "positions",
        name,
        f"{seconds:.2f} s ({characters:,} characters)",
        "≤ 1 s",
        seconds <= 1,
        numbers={"seconds": seconds},
    )
    peak = _alone("memory", WAR_AND_PEACE)["megabytes"]
    yield Row(
        "positions",
        "memory for indexing all of War and Peace",
        f"{peak:.0f} MB at most above the idle process",
        "≤ 60 MB",
        peak <= 60,
        numbers={"megabytes": peak},
    )


def _outlier(work: Path) -> Iterator[Row]:
    """A document that no library should have, and what becomes of the requests meanwhile."""
    book = work / "outlier.epub"
    paragraph = "<p>It is a <i>truth</i> universally acknowledged, that a single man must be in want of a wife.</p>\n"
    long = document(paragraph * (OUTLIER // len(paragraph)))
    book.write_bytes(epub({"short.xhtml": document("<p>A short one.</p>"), "long.xhtml": long}))
    found = _alone("outlier", book)
    yield Row(
        "positions",
        f"first request for a place in one document of {len(long) / 1e6:.0f} MB",
        f"answered after {found['answered']:.1f} s ({found['reason']}), exactly after {found['exact']:.0f} s; meanwhile"
        f" another document took {1000 * found['other']:.0f} ms; {found['megabytes']:.0f} MB",
        "off the request path",
        found["reason"] == Reason.INDEXING and found["answered"] < PATIENCE + 1 and found["other"] < 1,
        numbers=found,
    )


def _alone(what: str, book: Path) -> dict[str, Any]:
    """Measured in a process of its own, whose memory holds nothing else."""
    command = [sys.executable, "-m", "tests.bench.translating", what, str(book)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _resident(field: str) -> float:
    """Megabytes: VmRSS for now, VmHWM for the most there was."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(field + ":")[2].split()[0]) / 1024


def memory(path: Path) -> dict[str, Any]:
    """Every document indexed for every dialect, one after the other, on a shelf like the appliance's."""
    summary = _summary(path)
    shelf = Shelf(capacity=CAPACITY)
    book = shelf.book("x", path, summary)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the summary
    before = _resident("VmRSS")
    for chapter in summary.documents:
        if chapter.length:
            book.encode_xpointer(Position(chapter.path, 0, chapter.length // 2))
            book.encode_cfi(Position(chapter.path, 0, chapter.length // 2))
    return {"megabytes": _resident("VmHWM") - before}


def outlier(path: Path) -> dict[str, Any]:
    """Requests for a long document and a short one, until the long one is exact."""
    summary = _summary(path)
    book = Shelf(capacity=CAPACITY).book("x", path, summary)
    pointer = "/body/DocFragment[2]/body/p[1000]/text()[2].5"
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    begun = time.monotonic()
    first = book.decode_xpointer(pointer)
    answered = time.monotonic() - begun
    book.decode_xpointer("/body/DocFragment[1]/body/p/text().2")
    other = time.monotonic() - begun - answered
    while book.decode_xpointer(pointer).status is not Status.EXACT:
        pass  # each waits its time
    exact = time.monotonic() - begun
    megabytes = _resident("VmHWM") - before
    return {
        "reason": first.reason,
        "answered": answered,
        "other": other,
        "exact": exact,
        "megabytes": megabytes,
    }


if __name__ == "__main__":
    print(json.dumps({"memory": memory, "outlier": outlier}[sys.argv[1]](Path(sys.argv[2]))))
