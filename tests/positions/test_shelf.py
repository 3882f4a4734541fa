"""Books kept open within bounds."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import Shelf, Status
from appliance.positions.recent import Recent
from tests.positions.documents import book_file


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=60), st.integers(1, 20))
def test_what_was_used_last_stays(uses: list[tuple[int, int]], capacity: int) -> None:
    recent: Recent[int, str] = Recent(capacity)
    weights: dict[int, int] = {}
    order: list[int] = []
    for key, weight in uses:
        recent.put(key, str(key), weight)
        weights[key] = weight
        order = [*(k for k in order if k != key), key]
        while sum(weights[k] for k in order) > capacity and len(order) > 1:
            order.pop(0)
        assert len(recent) == len(order)
        assert recent.get(key) == str(key)
    held = [k for k in order if recent.get(k) == str(k)]
    assert held == order
    assert sorted(recent.clear()) == sorted(str(k) for k in order)
    assert len(recent) == 0


def test_a_book_is_opened_once_and_closed_when_it_must_go(tmp_path: Path) -> None:
    paths = [book_file(tmp_path / f"{n}.epub", f"<p>book {n}</p>") for n in range(4)]
    shelf = Shelf(books=2)
    first = shelf.book("0", paths[0])
    assert shelf.book("0", paths[0]) is first
    assert first.decode_cfi("epubcfi(/6/2!/4/2/1:1)").status is Status.EXACT
    for n in (1, 2, 3):
        shelf.book(str(n), paths[n])
    assert first._archive is None
    assert shelf.book("0", paths[0]) is not first
    shelf.close()


def test_a_book_that_moved_is_opened_where_it_is(tmp_path: Path) -> None:
    path = book_file(tmp_path / "a.epub", "<p>book</p>")
    shelf = Shelf()
    book = shelf.book("a", path)
    assert book.decode_fraction(0).status is Status.APPROXIMATE
    moved = path.rename(tmp_path / "b.epub")
    assert shelf.book("a", moved).path == moved
    shelf.close()


def test_many_threads_share_a_shelf(tmp_path: Path) -> None:
    paths = [book_file(tmp_path / f"{n}.epub", *[f"<p>{d} words of book {n}</p>" for d in range(5)]) for n in range(4)]
    shelf = Shelf(books=2, capacity=20_000)

    def use(turn: int) -> bool:
        n, d = turn % 4, turn % 5
        book = shelf.book(str(n), paths[n])
        place = book.decode_cfi(f"epubcfi(/6/{2 * d + 2}!/4/2/1:2)")
        pointer = book.encode_xpointer(place.position) if place.position is not None else None
        return pointer is not None and pointer.locator == f"/body/DocFragment[{d + 1}]/body/p/text().2"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(400)))
    shelf.close()
