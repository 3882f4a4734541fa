"""What CFIs mean in a document and what a place is called there (docs/reference/positions.md B.2, B.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import cfi, cfi_places
from appliance.positions.canonical import Affinity, Position, Reason, Status
from appliance.positions.cfi import Cfi, Step
from appliance.positions.document import DocumentIndex
from tests.positions.documents import BODIES, index_of
from tests.positions.test_cfi import read_as_foliate_does

IMAGES = st.lists(
    st.sampled_from(["<img/>", "<img/>", " ", "a", "<br/>", "<p><img/></p>", "<video>x</video>", "<video/>"]),
    max_size=8,
).map("".join)

# positions.md B.2, the column of foliate-js: body, canonical index, affinity, document path.
WORKED = [
    ("<p>Hello world</p>", 3, "after", "/4/2/1:3"),
    ('<p id="a">Hello world</p>', 3, "after", "/4/2[a]/1:3"),
    ("<p><b>x</b><i>y</i>tail</p>", 3, "after", "/4/2/5:1"),
    ("<p>\n<b>x</b>\n<i>y</i>tail</p>", 3, "after", "/4/2/5:1"),
    ("<p>ab<!--c-->cd</p>", 3, "after", "/4/2/1:3"),
    ("<p>ab<![CDATA[cd]]>ef</p>", 5, "after", "/4/2/1:5"),
    ("<p>a😀b</p>", 2, "after", "/4/2/1:3"),
    ('<p id="p">one <em>two</em> three</p>', 8, "after", "/4/2[p]/3:3"),
    ('<p id="p">one <em>two</em> three</p>', 6, "after", "/4/2[p]/3:1"),
    ('<p id="p">one <em>two</em> three</p>', 6, "before", "/4/2[p]/2/1:3"),
    ('<div><img src="a"/></div>', 0, "after", "/4/2/2"),
    ('<p>a<img src="a"/></p>', 1, "before", "/4/2/1:1"),
    ('<p id="a]b,c">x</p>', 0, "after", "/4/2[a^]b^,c]/1:0"),
    ('<div id="book-columns"><div id="book-inner"><p><span id="kobo.1.1">Ab</span></p></div></div>', 1, "after",
     "/4/2[book-columns]/2[book-inner]/2/2[kobo.1.1]/1:1"),
    ("<p>end</p>", 3, "after", "/4/2/1:3"),
    ("", 0, "after", "/4"),
    # behind an atom: what follows there, the end of its parent, the next element
    ("<p>a<img/> b</p>", 2, "before", "/4/2/3:0"),
    ("<p>a<img/></p><p>b</p>", 2, "before", "/4/2/4"),
    ("<p>a<img/></p>", 2, "after", "/4/2/4"),
    ("<p>a<img/><br/>b</p>", 2, "before", "/4/2/4"),
    ("<p>a<img/><img/></p>", 2, "before", "/4/2/4"),
    ("<p>a<img/><img/></p>", 2, "after", "/4/2/4"),
    ("<p><video>x</video>y</p>", 1, "before", "/4/2/2/1:0"),
    ("<p><img/></p>", 0, "before", "/4"),
    # a last step with an id leads to the first element of that id
    ('<p><img id="a"/><img id="a"/></p>', 0, "after", "/4/2/2[a]"),
    ('<p><img id="a"/><img id="a"/></p>', 1, "after", "/4/2/4"),
]  # fmt: skip


def found(index: DocumentIndex, text: str, affinity: str = "after") -> cfi_places.Found:
    return cfi_places.find(index, cfi.parse(text)[0], end=affinity == "before")


@pytest.mark.parametrize(("body", "k", "affinity", "path"), WORKED)
def test_worked_cases(body: str, k: int, affinity: str, path: str) -> None:
    index = index_of(body)
    name = cfi_places.point(index, Position("d", 0, k, affinity))  # type: ignore[arg-type]
    assert str(Cfi((Step(6), Step(2)), name.steps, name.offset)) == f"epubcfi(/6/2!{path})"
    assert found(index, f"epubcfi(/6/2!{path})", affinity)[:2] == (k, Status.EXACT)


@pytest.mark.parametrize(
    ("path", "k", "status", "reason"),
    [
        ("", 0, Status.EXACT, Reason.WHOLE_DOCUMENT),
        ("/4", 0, Status.EXACT, Reason.NONE),
        ("/2/2/1:4", 0, Status.SNAPPED, Reason.NOT_ADDRESSABLE),  # in the head
        ("/4/2/3:2", 6, Status.EXACT, Reason.NONE),
        ("/4/2/3:20", 8, Status.APPROXIMATE, Reason.BEYOND_END),
        ("/4/2/5", 9, Status.EXACT, Reason.NONE),  # between the image and </p>
        ("/4/2/0", 0, Status.EXACT, Reason.NONE),  # before the first node
        ("/4/2/6", 9, Status.EXACT, Reason.NONE),  # behind the last
        ("/4/2/4", 8, Status.EXACT, Reason.NONE),  # the image
        ("/4/2/4/2/1:3", 8, Status.SNAPPED, Reason.NOT_ADDRESSABLE),  # inside it
        ("/4/2/8", 0, Status.APPROXIMATE, Reason.NO_PLACE),
        ("/4/9[p]/2[b]", 4, Status.EXACT, Reason.NONE),  # the last id wins, inner ones are not looked at
        ("/4/2:6", 6, Status.APPROXIMATE, Reason.OTHER_DIALECT),  # an offset on an element (row 30)
        ("/4/2/1/1:0", 0, Status.APPROXIMATE, Reason.NO_PLACE),  # a step below a text
    ],
)
def test_resolving(path: str, k: int, status: Status, reason: Reason) -> None:
    #             0123    4 5678      atom 8
    index = index_of('<p id="p">abcd<b id="b"/>efgh<img/></p>')
    assert found(index, f"epubcfi(/6/2!{path})")[:3] == (k, status, reason)


@pytest.mark.parametrize(
    ("path", "k"),
    [
        ("/4/2/3:0", 5),  # a text's start is where the image ends
        ("/4/2/4", 8),  # an element stands for its start (positions.md B.3)
        ("/4/2/4[i]", 8),
        ("/4/2/4/1:0", 9),
        ("/4/2", 0),
        ("/4/4", 9),  # the next paragraph
    ],
)
def test_resolving_the_end_of_a_range(path: str, k: int) -> None:
    index = index_of('<p>abcd<img/>fgh<img id="i"/></p><p>jk</p>')
    place = found(index, f"epubcfi(/6/2!{path})", "before")
    assert (place.k, place.affinity) == (k, "before")


@pytest.mark.parametrize(
    ("assertion", "status", "affinity"),
    [
        ("[xx,y]", Status.EXACT, "after"),
        ("[x x]", Status.EXACT, "after"),
        ("[,yyy0]", Status.EXACT, "after"),
        ("[xx;s=b]", Status.EXACT, "before"),
        ("[;s=a]", Status.EXACT, "after"),
        ("[x,z]", Status.APPROXIMATE, "after"),
        ("[yy]", Status.APPROXIMATE, "after"),
    ],
)
def test_text_that_the_writer_saw(assertion: str, status: Status, affinity: str) -> None:
    index = index_of("<p>xxx<em>yyy</em>0123456789</p>")
    place = found(index, f"epubcfi(/6/2!/4/2/1:3{assertion})")
    reason = Reason.NONE if status is Status.EXACT else Reason.DIFFERENT_TEXT
    assert place == (3, status, reason, affinity)


def test_a_guess_is_never_exact() -> None:
    index = index_of("<p>abcd</p>")
    for point in cfi.parse("epubcfi(/6/2!/4/2/1:1,/4/2/1:3)"):
        assert point is not None
        assert cfi_places.find(index, point)[:3] == (point.offset, Status.APPROXIMATE, Reason.OTHER_DIALECT)


@given(BODIES | IMAGES, st.data())
def test_every_place_is_found_again(body: str, data: st.DataObject) -> None:
    """Properties 1 and 9 of positions.md C.11: each place has a name with text behind it, which means that place."""
    index = index_of(body)
    k = data.draw(st.integers(0, index.length))
    for affinity in ("after", "before"):
        check_name(index, k, affinity)


def check_name(index: DocumentIndex, k: int, affinity: Affinity) -> None:
    name = cfi_places.point(index, Position("d", 0, k, affinity))
    assert name.k == k
    text = str(Cfi((Step(6), Step(2)), name.steps, name.offset))
    assert found(index, text, affinity)[:2] == (k, Status.EXACT)
    package, steps = read_as_foliate_does(text)[0]
    assert package == [(6, None, None), (2, None, None)]
    *_, (last, _, offset) = steps
    assert (offset is None) == (last % 2 == 0)
    element = index.root
    for step, _, _ in steps:
        if step % 2:
            chunk = element.chunks[step]
            assert chunk.text, "foliate-js cannot resolve a text that is not there"
            assert chunk.last > chunk.first or offset == 0
        elif 0 < step <= 2 * len(element.children):
            element = element.children[step // 2 - 1]
        else:
            assert (step, name.steps[-1].index) == (2 * len(element.children) + 2, step)


@given(BODIES | IMAGES)
def test_names_rise_with_places(body: str) -> None:
    """Property 2: the order of the names is that of the places, of starts and of ends."""
    index = index_of(body)
    for affinity in ("after", "before"):
        keys = []
        for k in range(index.length):
            name = cfi_places.point(index, Position("d", 0, k, affinity))
            keys.append(cfi.order(Cfi((), name.steps, name.offset)))
        assert keys == sorted(keys)


@given(BODIES | IMAGES, st.data())
def test_ranges_are_found_again(body: str, data: st.DataObject) -> None:
    index = index_of(body)
    first = data.draw(st.integers(0, index.length))
    last = data.draw(st.integers(first, index.length))
    ends = []
    for k, affinity in ((first, "after"), (last, "before")):
        name = cfi_places.point(index, Position("d", 0, k, affinity))
        ends.append(Cfi((Step(6), Step(2)), name.steps, name.offset))
    if first == last:
        return
    assert cfi.order(ends[0]) < cfi.order(ends[1])
    text = cfi.write_range(*ends)
    assert read_as_foliate_does(text) == tuple(read_as_foliate_does(str(end))[0] for end in ends)
    start, end = cfi.parse(text)
    assert end is not None
    assert cfi_places.find(index, start).k == first
    assert cfi_places.find(index, end, end=True).k == last
