"""Thousands of notes on Kobos, over HTTP as the devices speak it: taken in at once, given back after a download,
brought to another Kobo of the same person, and given anew because of one more."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
AFTER = 1.0  # seconds in which the server writes down what was taken
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
        yield _row(f"{count:,} taken in, in one upload", kobo.timed(kobo.upload))
        name = "asked for right behind the file"
        yield _row(f"{count:,} given back after a download, {name}", kobo.timed(kobo.fetch), SECONDS)
        yield _row(f"{count:,} given to another Kobo, {name}", other.timed(other.fetch), SECONDS)
        name = f"{count:,} given to a third Kobo, asked for {LATER:g} s after the file"
        yield _row(name, third.timed(lambda: third.fetch(LATER)), SECONDS)
        other.mark(1)
        other.upload()
        yield _row(f"finding out that there is one more than {count:,}", kobo.timed(kobo.check))
        yield _row(f"{count + 1:,} given then", kobo.timed(kobo.get), SECONDS)
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
        self.get()

    def get(self) -> None:
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
        """Ask whether anything changed, and nothing more."""
        annotations = self.kobo.annotations
        asked = [{"ContentId": self.book.id, "etag": self.book.notes_etag}]
        answer = self.kobo.connection.send("POST", f"{annotations.host}/api/v3/content/checkforchanges", asked)
        if answer.json() != [self.book.id]:
            raise AssertionError("the book was not named")

    def timed(self, work: Callable[[], None]) -> "_Taken":
        """`work`, by its requests about notes."""
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
        time.sleep(AFTER)
        return _Taken(seconds, self.server.processor_seconds() - before)


@dataclass(frozen=True)
class _Taken:
    """`seconds`: of each request. `processor`: seconds that the server worked, also before and after them."""

    seconds: list[float]
    processor: float


def _row(name: str, taken: _Taken, target: float | None = None) -> Row:
    total, slowest = sum(taken.seconds), max(taken.seconds)
    parts = f" in {len(taken.seconds)} requests, slowest {slowest:.2f} s" if len(taken.seconds) > 1 else ""
    said = f"{total:.2f} s{parts} (processor {taken.processor:.2f} s)"
    met = None if target is None else total <= target
    numbers = {"seconds": taken.seconds, "processor_seconds": taken.processor}
    return Row("notes", name, said, "" if target is None else f"≤ {target:g} s", met, numbers=numbers)
