"""How long years of reading take to come in: page visits as KOReader's statistics hold them, 500 in a message.

`python -m tests.bench.reading_time <folder>` does the work in a process of its own, so that its memory can be told, and
prints JSON.
"""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import func
from sqlmodel import select

from appliance.database import Database
from appliance.models import Book, Device, Digest, ReadingEvent, ReadingSession, Rendition, User
from appliance.reading.sessions.event import Event, Source
from appliance.reading.sessions.record import Counted, record_events
from tests.bench.row import Row

VISITS = 500_000
MESSAGE = 500
"""Visits in a message of the plugin (docs/reference/koreader.md 9.9)."""

BOOKS = 400
SECONDS = 60.0
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def measure(work: Path) -> Iterator[Row]:
    """Every visit must be there afterwards, and be read off the sessions to the second."""
    command = [sys.executable, "-m", "tests.bench.reading_time", str(work)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    yield Row(
        "reading time",
        f"import of {VISITS:,} page visits, {MESSAGE} in a commit",
        f"{found['seconds']:.1f} s (processor {found['processor']:.1f} s), peak {found['memory']:.0f} MB,"
        f" database {found['database']:.0f} MB",
        f"≤ {SECONDS:g} s",
        found["seconds"] <= SECONDS,
        numbers=found,
    )
    yield Row(
        "reading time", f"the same {VISITS:,} again", f"{found['again']:.1f} s", numbers={"seconds": found["again"]}
    )


def visits(count: int) -> Iterator[tuple[Event, bool]]:
    """Somebody reads one book after the other, sitting for sitting, up to now. Also whether a sitting begins."""
    chance = random.Random(1)
    moment, left, page, book = int(NOW.timestamp()) - count * 250, 0, 1, 0
    for _ in range(count):
        begins = left == 0
        if begins:
            left = chance.randrange(10, 60)
            moment += chance.randrange(1800, 9000)
            book = chance.randrange(max(0, book - 3), min(BOOKS, book + 4))
        seconds = chance.randrange(5, 121)
        yield (
            Event(Source.KOREADER_PAGE, moment, seconds, digest=f"{book:032x}", page=page % 400 + 1, pages=400),
            begins,
        )
        moment, left, page = moment + seconds + chance.choice((0, 0, 1, 4)), left - 1, page + 1


def household(database: Database) -> None:
    """A person with a KOReader, and the books."""
    with database.write() as session:
        session.add(User(id=1, name="Ida", name_key="ida", password_hash="-", created_at=NOW))
        session.flush()
        session.add(Device(id=1, user_id=1, kind="koreader", name="KOReader", created_at=NOW))
        for number in range(BOOKS):
            book_id, sha256 = f"{number:036x}", f"{number:064x}"
            session.add(Book(id=book_id, title="T", sort_title="t", added_at=NOW, changed_at=NOW))
            session.flush()
            session.add(Rendition(sha256=sha256, book_id=book_id, kind="epub", size=1, created_at=NOW))
            session.flush()
            session.add(Digest(value=f"{number:032x}", kind="partial_md5", sha256=sha256))


def send(database: Database, count: int) -> tuple[float, float, Counted]:
    """Seconds for all messages, each with a durable commit, and seconds of processor; what became of the visits. Making
    them up is not counted."""
    events = (event for event, _ in visits(count))
    new = duplicate = refused = doubted = 0
    seconds = processor = 0.0
    while message := list(islice(events, MESSAGE)):
        begun, used = time.perf_counter(), time.process_time()
        with database.write() as session:
            counted = record_events(session, 1, 1, message, NOW)
        seconds, processor = seconds + time.perf_counter() - begun, processor + time.process_time() - used
        new, duplicate = new + counted.new, duplicate + counted.duplicate
        refused, doubted = refused + counted.refused, doubted + counted.doubted
    return seconds, processor, Counted(new, duplicate, refused, doubted)


def check(database: Database, count: int) -> None:
    """Raises `AssertionError` when something is missing or counted twice."""
    with database.read() as session:
        stored = session.exec(select(func.count()).select_from(ReadingEvent)).one()
        seconds, sessions = session.exec(select(func.sum(ReadingSession.seconds), func.count())).one()
    expected = sum(event.seconds for event, _ in visits(count))
    if (stored, seconds) != (count, expected):
        raise AssertionError(f"{stored:,} of {count:,} visits, {seconds:,} of {expected:,} seconds")
    if sessions > sum(begins for _, begins in visits(count)):
        raise AssertionError(f"{sessions:,} sessions are more than somebody sat down")


def main(folder: Path, count: int) -> dict[str, float]:
    path = folder / "reading-time.sqlite3"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    household(database)
    seconds, processor, counted = send(database, count)
    again, _, known = send(database, count)
    assert (counted, known) == (Counted(new=count), Counted(duplicate=count)), (counted, known)
    check(database, count)
    database.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": seconds,
        "processor": processor,
        "again": again,
        "memory": memory,
        "database": path.stat().st_size / 1e6,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else VISITS)))
