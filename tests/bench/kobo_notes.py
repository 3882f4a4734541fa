"""Notes on a Kobo: how long it takes to be given three thousand of them, page by page. Processor time, because other
work on the machine says nothing about the code."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from kobo_api.reading_services import Request, content
from tests.bench.row import Row
from tests.kobo_api.annotations.note_house import NoteHouse, NoteKobo
from tests.kobo_api.conftest import open_home
from tests.library.making import epub

MANY = 3_000
CHAPTERS = 30


def measure(work: Path) -> Iterator[Row]:
    """A person with one book, `MANY` highlights in it, and two Kobos."""
    folder = work / "notes"
    folder.mkdir(parents=True)
    with open_home(folder) as home:
        each = MANY // CHAPTERS
        chapters = {
            f"c{chapter}.xhtml": "".join(
                f"<p>In house {chapter * each + n} of the long street nobody knew who had lit the lamp.</p>"
                for n in range(each)
            )
            for chapter in range(CHAPTERS)
        }
        (folder / "books" / "street.epub").write_bytes(epub(chapters=chapters))
        house = NoteHouse(home, None)
        kobo = house.kobo(one_by_one=False)
        kobo.mark_many(MANY)
        begun = time.process_time()
        kobo.sim.patch(kobo.book)
        yield _row(f"{MANY:,} highlights taken in", time.process_time() - begun)
        assert not kobo.book.pending
        yield _row(f"{MANY:,} given back after a download", _pages(house, kobo))
        house.changes(house.rows()[0]["id"], note="one change")
        begun = time.process_time()
        named = _ask(house, kobo, "POST", "/checkforchanges", body=[{"ContentId": kobo.id, "etag": ""}])
        yield _row(f"finding out that one of {MANY:,} changed", time.process_time() - begun)
        assert named == [kobo.id]
        seconds = _pages(house, kobo)
        yield _row(f"{MANY:,} given in pages of 100", seconds, "≤ 0.3 s", seconds <= 0.3)
        other = house.kobo(asks_after_download=False)
        yield _row(f"{MANY:,} written for another Kobo", _pages(house, other))


def _row(name: str, seconds: float, target: str = "", met: bool | None = None) -> Row:
    return Row("notes", name, f"{seconds:.2f} s", target, met, numbers={"seconds": seconds})


def _pages(house: NoteHouse, kobo: NoteKobo) -> float:
    """Processor seconds until the last page is there."""
    path, query, taken = f"/{kobo.id}/annotations", "limit=100", 0.0
    count = 0
    while True:
        begun = time.process_time()
        answer = content(house.home.house, Request("GET", path, query, kobo.wire.headers))
        taken += time.process_time() - begun
        page = json.loads(answer.body)
        count += len(page["annotations"])
        if page["nextPageOffsetToken"] is None:
            assert count == MANY and answer.on_sent is not None
            answer.on_sent()
            return taken
        query = f"limit=100&pageOffsetToken={page['nextPageOffsetToken']}"


def _ask(house: NoteHouse, kobo: NoteKobo, method: str, path: str, body: object) -> object:
    request = Request(method, path, "", kobo.wire.headers, json.dumps(body).encode())
    return json.loads(content(house.home.house, request).body)
