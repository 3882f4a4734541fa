"""Thousands of notes on Kobos, over HTTP as the devices speak it: taken in at once, given back after a download,
brought to another Kobo of the same person, and given anew because of one more."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from sqlmodel import select

from appliance.models import User
from tests.bench.appliance import Appliance, wait_until_quiet
from tests.bench.row import Row
from tests.bench.server import Server
from tests.library.making import epub
from tests.simulators.kobo import Kobo
from tests.simulators.kobo.annotations import Habits

MANY = 3_000
CHAPTERS = 30
SECONDS = 0.3
LATER = 5.0  # seconds between the end of the file and the question for the notes
PERSON = "Notes"
HABITS = Habits(one_by_one=False, asks_after_download=False)


def measure(work: Path, count: int = MANY) -> Iterator[Row]:
    """A person with one book, `count` highlights in it, and three Kobos."""
    appliance = Appliance(work / "notes", work / "street")
    appliance.books.mkdir(parents=True)
    (appliance.books / "street.epub").write_bytes(_street(count))
    with appliance.start() as server:
        wait_until_quiet(server)
        kobo, other, third = (_Reader(appliance, server, work / name) for name in ("one", "other", "third"))
        _switch_on(appliance)
        kobo.fetch()
        kobo.mark(count)
        yield kobo.row(f"{count:,} taken in, in one upload", kobo.upload)
        yield kobo.row(f"{count:,} given back, asked for right behind the file", kobo.fetch, SECONDS)
        yield other.row(f"{count:,} given to another Kobo, asked for right behind the file", other.fetch, SECONDS)
        name = f"{count:,} given to a third Kobo, asked for {LATER:g} s after the file"
        yield third.row(name, lambda: third.fetch(LATER), SECONDS)
        other.mark(1)
        other.upload()
        yield kobo.row(f"{count:,} given again because of one more", kobo.check, SECONDS)
        held = [len(each.book.notes) for each in (kobo, other, third)]
        if held != [count + 1, count + 1, count]:
            raise AssertionError(f"the Kobos hold {held} notes")


def _street(count: int) -> bytes:
    each = count // CHAPTERS + 1
    chapters = {
        f"c{chapter}.xhtml": "".join(
            f"<p>In house {chapter * each + n} of the long street nobody knew who had lit the lamp.</p>"
            for n in range(each)
        )
        for chapter in range(CHAPTERS)
    }
    return epub(chapters=chapters)


def _switch_on(appliance: Appliance) -> None:
    """The person wants notes from elsewhere on their Kobos."""
    house = appliance.open()
    with house.database.write() as session:
        session.exec(select(User).where(User.name == PERSON)).one().kobo_pushes = True
    house.database.close()


class _Reader:
    """A Kobo with the only book there is, and the clock and the meter at the server."""

    def __init__(self, appliance: Appliance, server: Server, folder: Path) -> None:
        path = urlsplit(appliance.add_device(PERSON, "kobo")["api_endpoint"]).path
        self.kobo = Kobo(f"http://127.0.0.1:{server.port}{path}", folder, habits=HABITS)
        self.kobo.sync()
        [self.book] = self.kobo.shelf.books.values()
        self.server = server

    def fetch(self, pause: float = 0.0) -> None:
        self.kobo.download(self.book)
        time.sleep(pause)
        self.kobo.annotations.get(self.book)

    def mark(self, count: int) -> None:
        """Highlight whole sentences, those behind the ones that are highlighted already."""
        spans = [span for document in self.kobo.file(self.book).documents for span in document.spans]
        at = len(self.book.notes)
        for span in spans[at : at + count]:
            self.kobo.annotations.add(self.book, span, None, self.kobo.stamp())

    def upload(self) -> None:
        self.kobo.annotations.patch(self.book)
        if self.book.pending:
            raise AssertionError("notes were not taken")

    def check(self) -> None:
        self.kobo.annotations.check_for_changes([self.book])

    def row(self, name: str, work: Callable[[], None], target: float | None = None) -> Row:
        """The time of all requests about notes, and what the server had to do for them."""
        seconds: list[float] = []
        send = self.kobo.connection.send

        def timed(method: str, url: str, *parts: Any) -> Any:
            begun = time.perf_counter()
            answer = send(method, url, *parts)
            if "/content/" in url:
                seconds.append(time.perf_counter() - begun)
            return answer

        before = self.server.processor_seconds()
        with patch.object(self.kobo.connection, "send", timed):
            work()
        processor = self.server.processor_seconds() - before
        taken = sum(seconds)
        said = f"{taken:.2f} s in {len(seconds)} requests, slowest {max(seconds):.2f} s (processor {processor:.2f} s)"
        met = None if target is None else taken <= target
        numbers = {"seconds": seconds, "processor_seconds": processor}
        return Row("notes", name, said, "" if target is None else f"≤ {target:g} s", met, numbers=numbers)
