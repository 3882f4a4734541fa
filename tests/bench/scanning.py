"""How fast a library is taken in, and how fast it is looked through when nothing has changed."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from tests.bench.appliance import Appliance
from tests.bench.row import Row

PER_SECOND = 50
RESCAN_SECONDS = 1.0


def measure(appliance: Appliance, count: int, size: int) -> Iterator[Row]:
    """Scan `count` books of `size` bytes together, in one process that also starts and ends; then scan again."""
    start_up = _timed(appliance, "sweeps")
    cold = _timed(appliance, "scan") - start_up
    with closing(sqlite3.connect(appliance.database)) as database:
        found = database.execute("SELECT count(*) FROM book").fetchone()[0]
    if found != count:
        raise AssertionError(f"the scan found {found} of {count} books")
    again = min(_timed(appliance, "scan") for _ in range(3)) - start_up
    rate = count / cold
    yield Row(
        "scan",
        f"{count:,} EPUBs ({size / 1e6:,.0f} MB), all new",
        f"{rate:,.0f} books/s ({cold:,.1f} s)",
        f"≥ {PER_SECOND} books/s",
        rate >= PER_SECOND,
        numbers={"books": count, "bytes": size, "seconds": cold, "books_per_second": rate},
    )
    yield Row(
        "scan",
        f"{count:,} EPUBs, nothing changed",
        f"{again:,.2f} s",
        f"< {RESCAN_SECONDS:g} s",
        again < RESCAN_SECONDS,
        numbers={"books": count, "seconds": again},
    )


def _timed(appliance: Appliance, command: str) -> float:
    begun = time.perf_counter()
    appliance.cli(command)
    return time.perf_counter() - begun
