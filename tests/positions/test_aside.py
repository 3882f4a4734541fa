"""Long documents are indexed beside the requests that need them; meanwhile nothing wrong is said of them."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from appliance.positions import OpenBook, Place, Position, Reason, Shelf, Status, book
from appliance.positions.aside import Aside, StillWorking
from appliance.positions.document import DocumentIndex
from tests.positions.documents import book_file

WAIT = 30  # seconds; nothing takes so long


@pytest.fixture
def aside() -> Iterator[Aside]:
    worker = Aside(patience=0.01)
    yield worker
    worker.close()


def wait(aside: Aside) -> None:
    """Until the one thread has nothing left to do."""
    done = Event()
    try:
        aside.make(object(), done.set)
    except StillWorking:
        assert done.wait(WAIT)


def test_who_asks_waits_a_little_and_finds_it_later(aside: Aside) -> None:
    begun, go, made = Event(), Event(), []

    def work() -> str:
        begun.set()
        assert go.wait(WAIT)
        made.append("thing")
        return "thing"

    for _ in range(3):  # all three wait for the same work
        with pytest.raises(StillWorking):
            aside.make("name", work)
    assert begun.wait(WAIT)
    go.set()
    wait(aside)
    assert made == ["thing"]
    assert Aside(patience=WAIT).make("name", lambda: 7) == 7


def test_what_goes_wrong_is_told_to_who_asked() -> None:
    patient = Aside(patience=WAIT)
    with pytest.raises(OSError, match="gone"):
        patient.make("name", lambda: _fail(OSError("gone")))
    assert patient.make("name", lambda: 7) == 7
    patient.close()
    assert patient.make("name", lambda: 8) == 8, "a shelf that was closed can be used again"
    patient.close()


def _fail(error: Exception) -> Any:
    raise error


def test_a_long_document_answers_at_once_and_exactly_later(
    tmp_path: Path, aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book_file(tmp_path / "long.epub", "<p>short</p>", "".join(f"<p>Paragraph {n}.</p>" for n in range(400)))
    monkeypatch.setattr(book, "LONG", 2000)
    go = Event()

    def slow(document: Any) -> DocumentIndex:
        assert go.wait(WAIT)
        return DocumentIndex(document)

    monkeypatch.setattr(book, "DocumentIndex", slow)
    rendition = OpenBook.open(path, "long")
    rendition.aside = aside
    at = Position("d1.xhtml", 0, 1000)
    pointer = "/body/DocFragment[2]/body/p[90]/text().3"
    assert rendition.decode_xpointer(pointer) == Place(
        None, Status.FAILED, Reason.INDEXING, None, rendition.summary.total
    )
    assert rendition.decode_cfi("epubcfi(/6/4!/4/180/1:3)").reason is Reason.INDEXING
    for encoded in (rendition.encode_xpointer(at), rendition.encode_cfi(at), rendition.encode_kobo(at)):
        assert (encoded.locator, encoded.status, encoded.reason) == (None, Status.FAILED, Reason.INDEXING)
    assert rendition.quote(at).suffix == ""
    # What a percentage says needs no index, only lands where no paragraph begins.
    half = rendition.decode_fraction(0.5)
    assert half.status is Status.APPROXIMATE and half.position is not None
    assert abs(2 * half.position.k - rendition.summary.total) < 20
    go.set()
    wait(aside)
    place = rendition.decode_cfi("epubcfi(/6/4!/4/180/1:3)")
    assert (place.status, place.position) == (Status.EXACT, Position("d1.xhtml", 0, 1061))
    while rendition.decode_xpointer(pointer).reason is Reason.INDEXING:  # the tree of KOReader's engine is made next
        wait(aside)
    assert rendition.decode_xpointer(pointer).position == place.position


def test_a_shelf_gives_its_books_somebody_to_do_that(tmp_path: Path) -> None:
    shelf = Shelf()
    one, other = (shelf.book(name, book_file(tmp_path / f"{name}.epub", "<p>a</p>")) for name in ("a", "b"))
    assert one.aside is not None and one.aside is other.aside
    shelf.close()


def test_a_document_that_would_take_all_memory_is_not_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book_file(tmp_path / "long.epub", "<p>short</p>", "".join(f"<p>Paragraph {n}.</p>" for n in range(400)))
    monkeypatch.setattr(book, "TOO_LARGE", 2000)
    rendition = OpenBook.open(path, "long")
    for place in (
        rendition.decode_xpointer("/body/DocFragment[2]/body/p[90]/text().3"),
        rendition.decode_cfi("epubcfi(/6/4!/4/180/1:3)"),
    ):
        assert (place.position, place.status, place.reason) == (None, Status.FAILED, Reason.TOO_LARGE)
    at = Position("d1.xhtml", 0, 1000)
    for encoded in (rendition.encode_xpointer(at), rendition.encode_cfi(at), rendition.encode_kobo(at)):
        assert (encoded.locator, encoded.status, encoded.reason) == (None, Status.FAILED, Reason.TOO_LARGE)
    assert rendition.decode_fraction(0.5).position is not None, "the share of the text is known all the same"
    assert rendition.decode_xpointer("/body/DocFragment[1]/body/p/text().3").status is Status.EXACT
