"""A book with a thousand highlights: the first exchange, one without news, and the way to the other devices."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from appliance.positions import Status
from appliance.positions.dialects import Dialect
from appliance.reading.annotations.palette import Surface
from appliance.reading.annotations.projection import ProjectedAnnotation
from appliance.reading.annotations.record import exchange, follow, offer
from appliance.reading.annotations.report import Caller, Said
from tests.bench.novel import Novel, open_novel
from tests.bench.row import Row
from tests.simulators.engine import Word

HIGHLIGHTS = 1_000
FIRST, UNCHANGED = 1.0, 0.020  # seconds
TIMES = 5
"""How often what changes nothing is measured; the median counts."""


def measure(work: Path, count: int = HIGHLIGHTS, small: bool = False) -> Iterator[Row]:
    """A KOReader brings its highlights; another KOReader and a browser are given them."""
    with open_novel(work / "highlighting", small) as novel:
        said = [_said(novel.words, number, count) for number in range(count)]
        koreader = _caller(novel, "koreader", "xpointer")
        answers, first = _timed(lambda: exchange(novel.house, koreader, said, complete=True))
        assert {answer.reason for answer in answers} == {"created"} and len(answers) == count
        yield _row(f"first upload of {count:,} highlights, nothing of the book indexed", first, FIRST)
        for what, work_again in {
            f"exchange of {count:,} highlights, nothing changed": lambda: exchange(
                novel.house, koreader, said, complete=True
            ),
            "what the same device has to be told: nothing": lambda: offer(novel.house, koreader),
        }.items():
            timed = sorted(_timed(work_again)[1] for _ in range(TIMES))
            yield _row(what, timed[TIMES // 2], UNCHANGED)
        for name, surface, dialect in (("another KOReader", "koreader", "xpointer"), ("a browser", "web", "cfi")):
            yield _row(f"offering them to {name}", _offered(novel, _caller(novel, surface, dialect), count), None)


def _offered(novel: Novel, caller: Caller, count: int) -> tuple[float, float]:
    """Time to offer everything. Each must be exact, and be known as held once the device has followed."""
    offers: list[ProjectedAnnotation]
    offers, taken = _timed(lambda: offer(novel.house, caller))
    assert len(offers) == count and {one.status for one in offers} == {Status.EXACT}
    follow(novel.house, caller, {one.native_id: one.row["version"] for one in offers})
    assert not offer(novel.house, caller)
    return taken


def _said(words: list[Word], number: int, count: int) -> Said:
    """Nine words."""
    first = number * (len(words) - 20) // count
    fields = {"text": "", "note": f"Note {number}" if number % 5 == 0 else "", "colour": "yellow", "style": "highlight"}
    return Said(f"note-{number}", "highlight", [words[first].xpointer, words[first + 9].xpointer], fields)


def _caller(novel: Novel, surface: Surface, dialect: Dialect) -> Caller:
    device_id = novel.device({"web": "browser"}.get(surface, surface))
    now = novel.house.now()
    return Caller(novel.user_id, device_id, novel.book_id, surface, dialect, novel.sha256, now, timedelta(0))


def _timed(work: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """What it gives, and the seconds: by the clock, and of processor."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, (time.perf_counter() - clock, time.process_time() - processor)


def _row(name: str, taken: tuple[float, float], target: float | None) -> Row:
    seconds, processor = taken
    words = f"{seconds:.2f} s ({processor:.2f} s processor)"
    if seconds < 0.5:
        words = f"{seconds * 1000:.0f} ms ({processor * 1000:.0f} ms processor)"
    return Row(
        "highlights",
        name,
        words,
        "" if target is None else f"≤ {target:g} s" if target >= 1 else f"≤ {target * 1000:g} ms",
        None if target is None else seconds <= target,
        numbers={"seconds": seconds, "processor_seconds": processor},
    )
