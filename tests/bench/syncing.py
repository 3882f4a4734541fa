"""A Kobo's first sync of a whole library, against the peer with the same books in the same run."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from sqlmodel import col, select

from appliance.library import shelves
from appliance.models import Book, User
from tests.bench import calibre_web
from tests.bench.appliance import Appliance, wait_until_quiet
from tests.bench.generate import Book as Plan
from tests.bench.kobo_sync import Synced, sync
from tests.bench.row import Row

TIMES_FASTER = 20
SLOWEST_PAGE = 0.3
SHELVES = 40


def measure(appliance: Appliance, books: Sequence[Plan], peer: Path | str, work: Path) -> Iterator[Row]:
    """`peer`: the Python of its environment, or why there is none."""
    with appliance.start() as server:
        wait_until_quiet(server)
        # Added while it runs, so that no KEPUBs are being made ahead while the sync is measured.
        path = urlsplit(appliance.add_device("Sync", "kobo")["api_endpoint"]).path
        fill_shelves(appliance)
        before = server.processor_seconds()
        ours, token = sync(server.port, path)
        worked = server.processor_seconds() - before
        unchanged, _ = sync(server.port, path, token)
        memory = server.peak_memory()
    _check(ours, len(books))
    tags = sum("NewTag" in entry for entry in ours.entries)
    if tags != SHELVES:
        raise AssertionError(f"the sync offered {tags} of {SHELVES} collections")
    if isinstance(peer, str):
        theirs, said, reason = None, f"skipped: {peer}", peer
    else:
        theirs, reason = _peer(peer, appliance.books, books, work), ""
        said = (
            f"{theirs.seconds:,.1f} s ({theirs.spent[-1] - theirs.spent[0]:,.1f} s processor) in"
            f" {len(theirs.pages)} pages, slowest {max(theirs.pages):.2f} s, {theirs.bytes / 1e6:,.1f} MB"
        )
    name = f"first sync of {len(books):,} books"
    numbers = {"ours": _numbers(ours), "theirs": _numbers(theirs) if theirs else None, "peak_memory_mb": memory}
    yield Row(
        "Kobo",
        name,
        f"{ours.seconds:,.2f} s ({worked:,.2f} s processor) in {len(ours.pages)} pages with {SHELVES} shelves,"
        f" {ours.bytes / 1e6:,.1f} MB, peak {memory:,.0f} MB",
        peer=said,
        numbers=numbers,
    )
    if theirs:
        ratio = theirs.seconds / ours.seconds
        met = ratio >= TIMES_FASTER
        yield Row(
            "Kobo", f"{name}, ratio", f"{ratio:,.1f} × faster", f"≥ {TIMES_FASTER} ×", met, numbers={"ratio": ratio}
        )
    else:
        yield Row("Kobo", f"{name}, ratio", target=f"≥ {TIMES_FASTER} ×", skipped=reason)
    slowest = max(ours.pages)
    yield Row(
        "Kobo",
        f"{name}, slowest page",
        f"{slowest:.3f} s",
        f"< {SLOWEST_PAGE:g} s",
        slowest < SLOWEST_PAGE,
        numbers={"seconds": slowest},
    )
    yield Row(
        "Kobo",
        f"sync of {len(books):,} books, nothing changed",
        f"{unchanged.seconds * 1000:,.0f} ms",
        numbers={"seconds": unchanged.seconds, "entries": len(unchanged.entries)},
    )


def fill_shelves(appliance: Appliance) -> None:
    """`SHELVES` shelves of the person "Sync", each with every fortieth book. The peer has none."""
    house = appliance.open()
    with house.database.write() as session:
        owner = session.exec(select(User).where(User.name == "Sync")).one()
        ids = session.exec(select(Book.id).order_by(col(Book.changed_at), col(Book.id))).all()
        assert owner.id is not None
        for number in range(SHELVES):
            shelf = shelves.add_shelf(session, owner.id, f"Shelf {number:02}", house.now())
            shelves.put_on(session, shelf, ids[number::SHELVES], house.now())
    house.database.close()


def _peer(python: Path, source: Path, books: Sequence[Plan], work: Path) -> Synced:
    library = calibre_web.make_library(python, work, source, books)
    with calibre_web.start(python, library) as server:
        found, _ = sync(server.port, f"/kobo/{library.token}", meter=server.processor_seconds)
    _check(found, len(books))
    return found


def _check(synced: Synced, count: int) -> None:
    if synced.books != count:
        raise AssertionError(f"the sync offered {synced.books} of {count} books")


def _numbers(synced: Synced) -> dict[str, float]:
    return {
        "seconds": synced.seconds,
        "pages": len(synced.pages),
        "slowest_page_seconds": max(synced.pages),
        "bytes": synced.bytes,
    }
