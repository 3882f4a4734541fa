"""How many reports a second go into the journal and become the current position, each with a durable commit.

The transaction alone, which every surface ends in; what a whole request costs is in the rows of `storing`.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func
from sqlmodel import select

from appliance.models import JournalEntry, Progress
from appliance.reading.progress.locate import Located, locate
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Report
from tests.bench.novel import Novel, open_novel
from tests.bench.row import Row

REPORTS = 3_000
PER_SECOND = 500


def measure(work: Path, reports: int = REPORTS, small: bool = False) -> Iterator[Row]:
    """Somebody reads the novel from beginning to end in KOReader."""
    with open_novel(work / "recording", small) as novel:
        device_id, begun = novel.device("koreader"), datetime.now(UTC) - timedelta(days=1)
        spoken = [novel.words[step * len(novel.words) // reports].xpointer for step in range(reports)]
        for word in spoken[:: reports // 100]:
            _locate(novel, device_id, word)  # which indexes the chapters
        clock, processor = time.perf_counter(), time.process_time()
        places = [_locate(novel, device_id, word) for word in spoken]
        found = (time.perf_counter() - clock) / reports, (time.process_time() - processor) / reports
        said = [
            _report(novel, device_id, begun + timedelta(seconds=20 * step), *each)
            for step, each in enumerate(zip(spoken, places, strict=True))
        ]
        clock, processor = time.perf_counter(), time.process_time()
        for report in said:
            with novel.house.database.write() as session:
                record(session, report)
        seconds, used = time.perf_counter() - clock, time.process_time() - processor
        _check(novel, said)
    numbers = {"per_second": reports / seconds, "processor_seconds_each": used / reports}
    yield Row(
        "record",
        f"{reports:,} reports into the journal, the current position derived, each committed durably",
        f"{reports / seconds:,.0f}/s ({used / reports * 1000:.2f} ms processor each,"
        f" so at most {reports / used:,.0f}/s)",
        f"≥ {PER_SECOND}/s",
        reports / seconds >= PER_SECOND,
        numbers=numbers,
    )
    yield Row(
        "record",
        "finding the place of a report in the book before",
        f"{found[0] * 1000:.2f} ms ({found[1] * 1000:.2f} ms processor)",
        numbers={"seconds_each": found[0], "processor_seconds_each": found[1]},
    )


def _locate(novel: Novel, device_id: int, word: str) -> Located:
    house = novel.house
    with house.database.read() as session:
        return locate(house, session, novel.book_id, novel.sha256, "xpointer", word, device_id=device_id)


def _report(novel: Novel, device_id: int, at: datetime, word: str, located: Located) -> Report:
    return Report(
        user_id=novel.user_id,
        device_id=device_id,
        received_at=at,
        dialect="xpointer",
        locator=word,
        place=located.place,
        book_id=novel.book_id,
        sha256=novel.sha256,
        reference_sha256=located.reference_sha256,
        claimed_at=at,
        error=located.error,
        fraction=located.fraction,
        is_aside=located.is_aside,
    )


def _check(novel: Novel, said: list[Report]) -> None:
    """Raises `AssertionError` unless every report is in the journal and every one moved the current position."""
    with novel.house.database.read() as session:
        entries = session.exec(select(func.count()).select_from(JournalEntry)).one()
        current = session.exec(select(Progress)).one()
    assert (entries, current.version, current.tick) == (len(said), len(said), said[-1].place.tick)
