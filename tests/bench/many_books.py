"""What a Kobo costs with a library that nobody reads to its end: 50,000 books, which only the database knows.

Their folder is empty, so that they stay listed as if its disk were not connected. A sync does not notice: it offers
what will be made when a device asks for it.
"""

import statistics
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from appliance.library import kobo_choice, shelves
from appliance.models import Book, KoboDelivery, LibraryFile, Rendition, User
from tests.bench.appliance import Appliance, wait_until_quiet
from tests.bench.kobo_sync import sync
from tests.bench.row import Row

SLOWEST_PAGE = 1.0
SLOWEST_IDLE = 0.030
FLAT = 1.25
CHOSEN = 200
IDLE_SYNCS = 31


def measure(work: Path, count: int) -> Iterator[Row]:
    """A first sync, one in which nothing changed, a device that takes only one shelf, and one person's full devices."""
    (work / "no-books").mkdir(parents=True, exist_ok=True)
    appliance = Appliance(work / "many-rows", work / "no-books")
    device = appliance.add_device("Many", "kobo")
    few = appliance.add_device("Many", "kobo")
    with appliance.start() as server:
        wait_until_quiet(server)
        # While it runs, so that no sweep sees them before the sync.
        fill(appliance, count, few["device"])
        path = urlsplit(device["api_endpoint"]).path
        full, token = sync(server.port, path, meter=server.processor_seconds)
        if full.books != count:
            raise AssertionError(f"the sync offered {full.books} of {count} books")
        hold_everything(appliance, device["device"])
        idle = idle_seconds(server.port, path, token)
        small, _ = sync(server.port, urlsplit(few["api_endpoint"]).path)
        if small.books != CHOSEN:
            raise AssertionError(f"the sync of one shelf offered {small.books} of {CHOSEN} books")
        memory = server.peak_memory()
    fifth = max(len(full.pages) // 5, 1)
    # The fast pages of each: what else the machine does makes some slow.
    ratio = statistics.quantiles(full.pages[-fifth - 1 : -1])[0] / statistics.quantiles(full.pages[1 : fifth + 1])[0]
    worked = (full.spent[-2] - full.spent[-2 - fifth]) / max(full.spent[1 + fifth] - full.spent[1], 0.01)
    slowest = max(full.pages)
    name = f"{count:,} books (rows only)"
    yield Row(
        "Kobo",
        f"first sync of {name}",
        f"{full.seconds:,.2f} s in {len(full.pages)} pages, {full.bytes / 1e6:,.1f} MB, peak {memory:,.0f} MB",
        numbers={"seconds": full.seconds, "pages": len(full.pages), "peak_memory_mb": memory},
    )
    yield Row(
        "Kobo",
        f"first sync of {name}, slowest page",
        f"{slowest:.3f} s",
        f"< {SLOWEST_PAGE:g} s",
        slowest < SLOWEST_PAGE,
        numbers={"seconds": slowest},
    )
    yield Row(
        "Kobo",
        f"first sync of {name}, cost of a book in the last fifth to that in the first",
        f"{ratio:.2f} × ({worked:.2f} × in processor time)",
        f"≤ {FLAT} ×",
        ratio <= FLAT,
        numbers={"ratio": ratio, "processor_ratio": worked},
    )
    yield Row(
        "Kobo",
        f"sync of {name}, all held, nothing changed (median of {IDLE_SYNCS})",
        f"{statistics.median(idle) * 1000:,.1f} ms, slowest {max(idle) * 1000:,.1f} ms",
        f"≤ {SLOWEST_IDLE * 1000:.0f} ms",
        statistics.median(idle) <= SLOWEST_IDLE,
        numbers={"seconds": statistics.median(idle), "slowest": max(idle)},
    )
    yield Row(
        "Kobo",
        f"first sync of a shelf of {CHOSEN} among {name}",
        f"{small.seconds * 1000:,.0f} ms in {len(small.pages)} pages",
        numbers={"seconds": small.seconds},
    )


def idle_seconds(port: int, path: str, token: str) -> list[float]:
    """Seconds of each sync in which nothing is new; the first, which settles what was told, does not count."""
    _, token = sync(port, path, token)
    return [sync(port, path, token)[0].seconds for _ in range(IDLE_SYNCS)]


def fill(appliance: Appliance, count: int, chooser: int) -> None:
    """Books of a day ago, and a shelf that is all that device `chooser` gets."""
    house = appliance.open()
    then = house.now() - timedelta(days=1)
    with house.database.write() as session:
        connection = session.connection()
        for start in range(0, count, 5_000):
            ids = [(str(uuid.uuid4()), uuid.uuid4().hex * 2) for _ in range(min(5_000, count - start))]
            numbered = list(enumerate(ids, start))
            connection.execute(Book.__table__.insert(), [_book(number, *each, then) for number, each in numbered])
            connection.execute(Rendition.__table__.insert(), [_rendition(*each, then) for each in ids])
            connection.execute(LibraryFile.__table__.insert(), [_file(appliance, sha256) for _, sha256 in ids])
        owner = session.query(User).filter(User.name == "Many").one()
        shelf = shelves.add_shelf(session, owner.id, "Few", house.now())
        shelves.put_on(session, shelf, [id for id, _ in ids[:CHOSEN]], house.now())
        kobo_choice.choose(session, chooser, everything=False, shelves=[shelf.id], series=[])
    house.database.close()


def hold_everything(appliance: Appliance, device_id: int) -> None:
    """As if the device had downloaded every book."""
    house = appliance.open()
    with house.database.write() as session:
        delivery = KoboDelivery.__table__
        held = {"began_at": house.now(), "downloaded_at": house.now(), "sha256": "0" * 64}
        session.execute(delivery.update().where(delivery.c.device_id == device_id).values(held))
    house.database.close()
    time.sleep(0.5)


def _book(number: int, id: str, sha256: str, then: datetime) -> dict[str, object]:
    title = f"The {number:05}th Book of Lamps and Letters"
    return {
        "id": id,
        "title": title,
        "sort_title": title,
        "title_key": title.lower(),
        "authors": [f"Author {number % 4_000}"],
        "sort_author": f"Author {number % 4_000}",
        "author_key": f"author {number % 4_000}",
        "search_text": title.lower(),
        "language": "en",
        "identifiers": [f"uuid:{id}"],
        "series": f"Series {number % 3_000}",
        "series_index": number // 3_000,
        "description": "A lighthouse keeper answers letters for the dead. " * 12,
        "subjects": [],
        "publisher": "Harbour Row",
        "published": "2019-05-14",
        "main_sha256": sha256,
        "added_at": then,
        "changed_at": then + timedelta(milliseconds=number),
    }


def _rendition(id: str, sha256: str, then: datetime) -> dict[str, object]:
    return {
        "sha256": sha256,
        "book_id": id,
        "kind": "epub",
        "size": 400_000,
        "text_fingerprint": sha256[:32],
        "cover_embedded": False,
        "summary": "",
        "contents": [],
        "doubts": [],
        "created_at": then,
    }


def _file(appliance: Appliance, sha256: str) -> dict[str, object]:
    path = str(appliance.books / f"{sha256}.epub")
    return {"path": path, "size": 400_000, "mtime_ns": 1, "sha256": sha256, "examined": 99}
