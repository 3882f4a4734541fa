"""CFIs as epub.js writes and resolves them: the answers of epub.js itself, recorded (tests/data/epubjs/README.md)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import OpenBook, Range, Status, cfi
from appliance.positions.canonical import Position, Reason
from appliance.positions.cfi import Cfi, Step
from appliance.positions.epubjs import EpubjsView
from tests.conftest import ROOT
from tests.kepub.kepubs import document
from tests.positions.documents import BODIES, book_file, index_of

HERE = ROOT / "tests" / "data" / "epubjs"
RECORDED = sorted(HERE.glob("*.json"))


def write(book: OpenBook, range: Range) -> str | None:
    """A range in this dialect, `None` where an end cannot be named."""
    start = book.encode_cfi(range.start, dialect="epubjs")
    end = book.encode_cfi(range.end, dialect="epubjs")
    if start.status is not Status.EXACT or end.status is not Status.EXACT:
        return None
    first, last = cfi.parse(str(start.locator))[0], cfi.parse(str(end.locator))[0]
    # Here the order of the steps is not that of the places: in `<b>x</b>y` the text is /1 and the element /2.
    return cfi.write_range(first, last) if range.start.k < range.end.k else str(first)


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[OpenBook, list[dict[str, Any]]]:
    value = json.loads(request.param.read_text())
    if "bodies" in value:
        path = book_file(tmp_path / "generated.epub", *value["bodies"])
    else:
        path = ROOT / "tests" / "data" / "books" / f"{request.param.stem}.epub"
    return OpenBook.open(path, path.name), value["documents"]


def test_what_epubjs_writes_is_read(recorded: tuple[OpenBook, list[dict[str, Any]]]) -> None:
    book, documents = recorded
    for answers in documents:
        found = book.summary.documents[answers["ordinal"]]
        for text, first, last, _ in answers["written"]:
            places = [book.decode_cfi(text, dialect="epubjs")]
            places += [book.decode_cfi(text, end=True, dialect="epubjs")] if cfi.parse(text, "epubjs")[1] else []
            ks = []
            same = answers["length"] == found.length  # else it shows another text: CDATA is partly hidden
            for place in places:
                assert place.status is Status.EXACT or (place.status is Status.SNAPPED and not same), text
                assert place.position is not None
                assert place.position.document == found.path, text
                ks.append(place.position.k)
            if same:
                assert ks == [first, last][: len(ks)], text
            else:
                points = [point for point in cfi.parse(text, "epubjs") if point is not None]
                shown = [book._view(found)._find(point.steps or (), point.offset).k for point in points]
                assert shown == [first, last][: len(shown)], text


def test_epubjs_finds_what_is_written_for_it(recorded: tuple[OpenBook, list[dict[str, Any]]]) -> None:
    book, documents = recorded
    for answers in documents:
        found = book.summary.documents[answers["ordinal"]]
        for first, last, text, resolved in answers["resolved"]:
            start = Position(found.path, found.occurrence, first)
            assert write(book, Range(start, Position(found.path, found.occurrence, last, "before"))) == text
            assert resolved is not None, text
            if answers["length"] == found.length:
                assert resolved == [first, last], text


# positions.md B.2, the column of epub.js. It shows the file as HTML, where CDATA is a comment.
WORKED = [
    ("<p>Hello world</p>", 3, "/4/2/1:3"),
    ("<p><b>x</b><i>y</i>tail</p>", 3, "/4/2/1:1"),
    ("<p>\n<b>x</b>\n<i>y</i>tail</p>", 3, "/4/2/5:1"),
    ("<p>ab<!--c-->cd</p>", 3, "/4/2/3:1"),
    ("<p>ab<![CDATA[cd]]>ef</p>", 5, "/4/2/3:1"),
    ("<p>a😀b</p>", 2, "/4/2/1:3"),
    ('<p id="p">one <em>two</em> three</p>', 7, "/4/2[p]/3:2"),
    ('<p><img id="i"/></p>', 0, "/4/2/2[i]"),
    ("<table><tr><td>q</td></tr></table>", 0, "/4/2/2/2/2/1:0"),
    ('<p id="a]b,c">x</p>', 0, "/4/2/1:0"),  # epub.js cannot read this id itself
]


@pytest.mark.parametrize(("body", "k", "path"), WORKED)
def test_worked_cases(body: str, k: int, path: str) -> None:
    view = view_of(body)
    name = view.point(Position("d", 0, k))
    assert str(Cfi((Step(6), Step(2)), name.steps, name.offset)) == f"epubcfi(/6/2!{path})"
    assert view.find(Cfi((), name.steps, name.offset))[:2] == (k, Status.EXACT)


def view_of(body: str) -> EpubjsView:
    return EpubjsView(document(body), "application/xhtml+xml", index_of(body).text)


@pytest.mark.parametrize(
    ("path", "k", "status", "reason"),
    [
        ("/4/2[p]/3:1", 4, Status.EXACT, Reason.NONE),
        ("/4/2[q]/3:1", 0, Status.APPROXIMATE, Reason.NO_PLACE),  # the id must be there
        ("/4/4[p]/3:1", 0, Status.APPROXIMATE, Reason.NO_PLACE),  # and the number right
        ("/4/2/5:0", 0, Status.APPROXIMATE, Reason.NO_PLACE),
        ("/4/2/3:9", 6, Status.APPROXIMATE, Reason.BEYOND_END),
        ("/4/2/2/1:0", 2, Status.EXACT, Reason.NONE),  # an image, as epub.js writes it and cannot read it
        ("/4/2", 0, Status.EXACT, Reason.NONE),
        ("/4/1:0", 0, Status.EXACT, Reason.NONE),  # the top of the body
    ],
)
def test_resolving(path: str, k: int, status: Status, reason: Reason) -> None:
    found = view_of('<p id="p">ab<img/>cde</p>').find(cfi.parse(f"epubcfi(/6/2!{path})", "epubjs")[0])
    assert found[:3] == (k, status, reason)


def test_ids_stand_there_as_they_are() -> None:
    start, end = cfi.parse("epubcfi(/6/4[a:b]!/4/2[c]d,e],/1:3,/2[f!g]/1:8)", "epubjs")
    assert start == Cfi((Step(6), Step(4, "a:b")), (Step(4), Step(2, "c]d,e"), Step(1)), 3)
    assert end == Cfi((Step(6), Step(4, "a:b")), (Step(4), Step(2, "c]d,e"), Step(2, "f!g"), Step(1)), 8)


@given(BODIES, st.data())
def test_every_place_is_found_again(body: str, data: st.DataObject) -> None:
    view, length = view_of(body), index_of(body).length
    k = data.draw(st.integers(0, length))
    for affinity in ("after", "before"):
        name = view.point(Position("d", 0, k, affinity))  # type: ignore[arg-type]
        assert name.k in (k, k - 1)
        point = cfi.parse(str(Cfi((Step(6), Step(2)), name.steps, name.offset)), "epubjs")[0]
        assert view.find(point, end=affinity == "before")[:2] == (name.k, Status.EXACT)


def test_a_cfi_of_unknown_origin(tmp_path: Path) -> None:
    """What leads nowhere by the standard is tried as epub.js's, and is then a guess."""
    book = OpenBook.open(book_file(tmp_path / "a.epub", "<p>ab<!--c-->cd<b>e</b></p>"), "a")
    for text, k, status, reason in (
        ("epubcfi(/6/2!/4/2/1:3)", 3, Status.EXACT, Reason.NONE),
        ("epubcfi(/6/2!/4/2/3:1)", 3, Status.APPROXIMATE, Reason.OTHER_DIALECT),
        ("epubcfi(/6/2!/4/2/7:1)", 0, Status.APPROXIMATE, Reason.NO_PLACE),
    ):
        place = book.decode_cfi(text)
        assert place.position is not None
        assert (place.position.k, place.status, place.reason) == (k, status, reason)
    assert book.decode_cfi("epubcfi(/6/2!/4/2/3:1)", dialect="epubjs").status is Status.EXACT
