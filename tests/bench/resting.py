"""How soon the appliance is there, and what it costs while nobody reads."""

import time
from collections.abc import Iterator
from statistics import median

from tests.bench.appliance import Appliance, wait_until_quiet
from tests.bench.row import Row

START_SECONDS = 2.0
IDLE_MEMORY = 120
ROUNDS = 5
IDLE_SECONDS = 60


def measure(appliance: Appliance, count: int) -> Iterator[Row]:
    """With a library of `count` books that is scanned and prepared."""
    seconds, processor = [], []
    for _ in range(ROUNDS):
        with appliance.start() as server:
            seconds.append(server.seconds)
            processor.append(server.processor_seconds())
    start = median(seconds)
    yield Row(
        "start",
        f"process to healthy, {count:,} books",
        f"{start:.2f} s (median of {ROUNDS}, slowest {max(seconds):.2f} s; processor {median(processor):.2f} s)",
        f"< {START_SECONDS:g} s",
        start < START_SECONDS,
        numbers={"seconds": seconds, "processor_seconds": processor},
    )
    with appliance.start() as server:
        fresh = server.memory()
        wait_until_quiet(server)
        written, used = server.written(), server.processor_seconds()
        time.sleep(IDLE_SECONDS)
        memory, written, used = server.memory(), server.written() - written, server.processor_seconds() - used
    yield Row(
        "idle",
        f"memory, {count:,} books, after the first sweeps",
        f"{memory:,.0f} MB ({fresh:,.0f} MB just started)",
        f"< {IDLE_MEMORY} MB",
        memory < IDLE_MEMORY,
        numbers={"megabytes": memory, "just_started": fresh},
    )
    yield Row(
        "idle",
        f"written to the disk in {IDLE_SECONDS} s",
        f"{written:,} bytes",
        "0 bytes",
        written == 0,
        numbers={"bytes": written},
    )
    yield Row(
        "idle",
        f"processor time in {IDLE_SECONDS} s",
        f"{used * 1000:,.0f} ms",
        numbers={"seconds": used},
    )
