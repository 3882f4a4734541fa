"""Places across a book whose documents were divided for a Kobo: as exact as if they had not been (positions.md C.2)."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kepub import make_kepub
from appliance.positions import OpenBook, RangePlace, Status, range_text, translate, translate_range
from tests.kepub.kepubs import BOOKS

NAMES = ["calibre-docx_alice.epub", "ebookmaker-epub2_pride-and-prejudice.epub", "childrens-literature.epub"]


@pytest.fixture(scope="module", params=NAMES)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[OpenBook, OpenBook]]:
    target = tmp_path_factory.mktemp("divided") / "made.kepub.epub"
    make_kepub(BOOKS / request.param, target, "built-in")
    epub, kepub = OpenBook.open(BOOKS / request.param, "e"), OpenBook.open(target, "k")
    assert len(kepub.summary.documents) > len(epub.summary.documents)
    yield epub, kepub
    epub.close()
    kepub.close()


def edges(book: OpenBook) -> list[int]:
    """Where a document begins, and the characters around it."""
    near = {base + step for base in book.summary.bases for step in (-1, 0, 1)}
    return sorted(tick for tick in near if 0 <= tick <= book.summary.total)


def test_the_text_is_the_same(both: tuple[OpenBook, OpenBook]) -> None:
    epub, kepub = both
    assert "".join(map(epub.canonical_text, epub.summary.documents)) == "".join(
        map(kepub.canonical_text, kepub.summary.documents)
    )


def test_every_edge_there_and_back(both: tuple[OpenBook, OpenBook]) -> None:
    epub, kepub = both
    for here, there in ((epub, kepub), (kepub, epub)):
        for tick in edges(kepub):
            place = here.at_tick(tick)
            carried = translate(place, here, there)
            assert (carried.status, carried.tick) == (Status.EXACT, tick)
            back = translate(carried, there, here)
            assert (back.status, back.tick) == (Status.EXACT, tick)


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1), length=st.integers(1, 3000))
def test_ranges_across_the_cuts(both: tuple[OpenBook, OpenBook], share: float, length: int) -> None:
    epub, kepub = both
    start = int(share * (epub.summary.total - 1))
    found = RangePlace(epub.at_tick(start), epub.at_tick(min(start + length, epub.summary.total)))
    carried = translate_range(found, epub, kepub)
    assert carried.status is Status.EXACT and found.range is not None and carried.range is not None
    assert range_text(kepub, carried.range) == range_text(epub, found.range)


def test_in_every_dialect(both: tuple[OpenBook, OpenBook]) -> None:
    """What a Kobo says of its file is the same word for KOReader and a browser, and back."""
    epub, kepub = both
    for tick in range(0, epub.summary.total, epub.summary.total // 150):
        place = kepub.at_tick(tick)
        assert place.position is not None
        said = kepub.encode_kobo(place.position).locator
        assert said is not None
        heard = kepub.decode_kobo(said.source, said.value, said.offset)
        there = translate(heard, kepub, epub)
        assert there.status is Status.EXACT and there.position is not None
        for encode, decode in ((epub.encode_xpointer, epub.decode_xpointer), (epub.encode_cfi, epub.decode_cfi)):
            spoken = encode(there.position).locator
            assert spoken is not None
            again = translate(decode(spoken), epub, kepub)
            assert (again.status, again.tick) == (heard.status, heard.tick)
