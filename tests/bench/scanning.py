"""How fast a library is taken in, and how fast it is looked through when nothing has changed."""

import time
from collections.abc import Iterator

from appliance.house import House
from appliance.library.scan import ScanResult, scan
from tests.bench.appliance import Appliance
from tests.bench.row import Row

PER_SECOND = 50
RESCAN_SECONDS = 1.0


def measure(appliance: Appliance, count: int, size: int) -> Iterator[Row]:
    """Scan `count` books of `size` bytes together with the function that the sweep calls; then scan again, thrice."""
    house = appliance.open()
    try:
        cold, found = _timed(house)
        if found.added != count or found.refused or found.problems:
            raise AssertionError(f"the scan of {count} books found {found}")
        again = min(_timed(house)[0] for _ in range(3))
    finally:
        house.database.close()
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


def _timed(house: House) -> tuple[float, ScanResult]:
    begun = time.perf_counter()
    result = scan(house)
    return time.perf_counter() - begun, result
