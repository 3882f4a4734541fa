"""`make bench`: measure, print a table, write bench-results.json.

`python -m tests.bench scan kobo` measures only those parts. The first run generates the books and installs the peer,
which takes some minutes and a network; both are kept for the next run.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from tests.bench import (
    calibre_web,
    converting,
    generate,
    highlighting,
    kobo_notes,
    many_books,
    reading_time,
    recording,
    resting,
    scanning,
    storing,
    syncing,
    translating,
)
from tests.bench.appliance import Appliance
from tests.bench.place import CACHE, books
from tests.bench.row import Row, table, write_json
from tests.conftest import ROOT

RESULTS = ROOT / "bench-results.json"
FEW, MANY, VERY_MANY = 1_000, 10_000, 50_000


class Bench:
    """What the parts share."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.appliance = Appliance(work / "novels", books(FEW, small=False))
        self.plans = [generate.plan(number) for number in range(FEW)]

    @cached_property
    def peer(self) -> Path | str:
        """The Python of the peer's environment, or why there is none."""
        try:
            return _said("the peer", calibre_web.install)
        except calibre_web.Missing as missing:
            return str(missing)

    @cached_property
    def scanned(self) -> list[Row]:
        size = _said(f"{FEW:,} novels", lambda: generate.write_library(self.appliance.books, FEW))
        return list(scanning.measure(self.appliance, FEW, size))

    @cached_property
    def library(self) -> Appliance:
        """The novels, scanned and with covers."""
        assert self.scanned
        _said("covers", lambda: self.appliance.cli("sweeps", "--run", "preparation"))
        return self.appliance

    def scan(self) -> Iterator[Row]:
        yield from self.scanned

    def kobo(self) -> Iterator[Row]:
        yield from syncing.measure(self.library, self.plans, self.peer, self.work / "peer")
        source = books(MANY, small=True)
        size = _said(f"{MANY:,} small books", lambda: generate.write_library(source, MANY, small=True))
        appliance = Appliance(self.work / "many", source)
        yield from scanning.measure(appliance, MANY, size)
        _said("covers", lambda: appliance.cli("sweeps", "--run", "preparation"))
        plans = [generate.plan(number, small=True) for number in range(MANY)]
        yield from syncing.measure(appliance, plans, self.peer, self.work / "peer-many")
        yield from self.many()

    def many(self) -> Iterator[Row]:
        yield from many_books.measure(self.work, VERY_MANY)

    def notes(self) -> Iterator[Row]:
        yield from kobo_notes.measure(self.work)

    def store(self) -> Iterator[Row]:
        yield from storing.measure(self.library, self.plans, self.peer, self.work)

    def record(self) -> Iterator[Row]:
        yield from recording.measure(self.work)

    def highlights(self) -> Iterator[Row]:
        yield from highlighting.measure(self.work)

    def time(self) -> Iterator[Row]:
        yield from reading_time.measure(self.work)

    def convert(self) -> Iterator[Row]:
        yield from converting.measure(self.work)

    def positions(self) -> Iterator[Row]:
        yield from translating.measure(self.work)

    def rest(self) -> Iterator[Row]:
        yield from resting.measure(self.library, FEW)


Result = TypeVar("Result")
PARTS = ("scan", "rest", "kobo", "notes", "store", "record", "highlights", "time", "convert", "positions")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="what to measure (default: everything)")
    wanted = parser.parse_args().part or PARTS
    CACHE.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    loads = {"before": os.getloadavg()[0]}
    # Beside the cache, so that the peer's library can be links to the same files.
    with tempfile.TemporaryDirectory(prefix="run-", dir=CACHE) as work:
        bench = Bench(Path(work))
        for part in PARTS:
            if part in wanted:
                try:
                    rows += _said(part, lambda part=part: list(getattr(bench, part)()))
                except Exception as error:  # one part that cannot be measured must not hide the others
                    rows.append(Row(part, "not measured", skipped=f"{type(error).__name__}: {error}"))
    loads["after"] = os.getloadavg()[0]
    print(table(rows))
    print(f"Load average {loads['before']:.1f} before, {loads['after']:.1f} after, {os.cpu_count()} processors.")
    write_json(rows, loads, RESULTS)
    return 0


def _said(what: str, work: Callable[[], Result]) -> Result:
    print(f"… {what}", file=sys.stderr, flush=True)
    return work()


if __name__ == "__main__":
    sys.exit(main())
