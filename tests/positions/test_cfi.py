"""CFIs as foliate-js reads and writes them (docs/reference/positions.md B.2, B.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import cfi, cfi_places
from appliance.positions.canonical import Position, Reason, Status
from appliance.positions.cfi import Cfi, CfiSyntaxError, Step
from tests.positions.documents import BODIES, index_of

IDS = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
STEPS = st.lists(
    st.integers(0, 49).flatmap(lambda half: st.builds(Step, st.just(2 * half), IDS))
    | st.builds(Step, st.integers(0, 49).map(lambda half: 2 * half + 1)),
    max_size=6,
).map(tuple)
CFIS = st.builds(Cfi, STEPS.filter(bool), st.none() | STEPS, st.none() | st.integers(0, 9999))


@given(CFIS)
def test_what_is_written_is_read_back(value: Cfi) -> None:
    assert cfi.parse(str(value)) == (value, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("epubcfi(/6/4!/4/2/1:3)", Cfi((Step(6), Step(4)), (Step(4), Step(2), Step(1)), 3)),
        ("epubcfi(/6[sp]/2[ra]!/4)", Cfi((Step(6, "sp"), Step(2, "ra")), (Step(4),))),
        ("epubcfi(/6/4)", Cfi((Step(6), Step(4)), None)),
        ("epubcfi(/6/4!)", Cfi((Step(6), Step(4)), ())),
        ("epubcfi(/6/4!/4[a^]b^,c]/1:2)", Cfi((Step(6), Step(4)), (Step(4, "a]b,c"), Step(1)), 2)),
        ("epubcfi(/6/4!/4/1:3[some text])", Cfi((Step(6), Step(4)), (Step(4), Step(1)), 3)),
        ("epubcfi(/6/4!/4/1:3[;s=b])", Cfi((Step(6), Step(4)), (Step(4), Step(1)), 3)),
        ("epubcfi(/6/4!/4/8~3.5@10:20)", Cfi((Step(6), Step(4)), (Step(4), Step(8)))),
        (" epubcfi(/6/4!/4) ", Cfi((Step(6), Step(4)), (Step(4),))),
    ],
)
def test_points(text: str, value: Cfi) -> None:
    assert cfi.parse(text) == (value, None)


def test_a_range_has_a_parent_and_two_ends() -> None:
    start, end = cfi.parse("epubcfi(/6/4!/4/2,/1:3,/3:8)")
    assert str(start) == "epubcfi(/6/4!/4/2/1:3)"
    assert str(end) == "epubcfi(/6/4!/4/2/3:8)"
    start, end = cfi.parse("epubcfi(/6/4!/4,,/4/1:1)")
    assert (str(start), str(end)) == ("epubcfi(/6/4!/4)", "epubcfi(/6/4!/4/4/1:1)")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epubcfi()",
        "epubcfi(/6/4,/4)",
        "epubcfi(/6/4!/4,/2,/4,/6)",
        "epubcfi(/6/4!/4/2/1:3/5)",
        "epubcfi(/6/4!/x)",
        "epubcfi(/6/4",
        "/body/DocFragment[2]/body",
        "epubcfi(/6/4!/4/" + "9" * 40 + ")",
        "epubcfi(" + "/2" * 4096 + ")",
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(CfiSyntaxError):
        cfi.parse(text)


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
]  # fmt: skip


@pytest.mark.parametrize(("body", "k", "affinity", "path"), WORKED)
def test_worked_cases(body: str, k: int, affinity: str, path: str) -> None:
    index = index_of(body)
    name = cfi_places.point(index, Position("d", 0, k, affinity))  # type: ignore[arg-type]
    assert str(Cfi((Step(6), Step(2)), name.steps, name.offset)) == f"epubcfi(/6/2!{path})"
    assert cfi_places.find(index, Cfi((), name.steps, name.offset))[:2] == (k, Status.EXACT)


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
    read, _ = cfi.parse(f"epubcfi(/6/2!{path})")
    found = cfi_places.find(index, read)
    assert found[:3] == (k, status, reason)


@given(BODIES, st.data())
def test_every_place_is_found_again(body: str, data: st.DataObject) -> None:
    """Properties 1 and 9 of positions.md C.11: each place has a name with text behind it, which means that place."""
    index = index_of(body)
    k = data.draw(st.integers(0, index.length))
    for affinity in ("after", "before"):
        name = cfi_places.point(index, Position("d", 0, k, affinity))  # type: ignore[arg-type]
        assert name.k == k or (name.k == k - 1 and k - 1 in index.atoms), "only behind an atom there is no name"
        assert cfi_places.find(index, Cfi((), name.steps, name.offset))[:2] == (name.k, Status.EXACT)
        assert name.steps
        if name.steps[-1].index % 2:
            chunk = index.chunk_at(min(name.k, index.length - 1)) if affinity == "after" else index.chunk_at(k - 1)
            assert name.offset is not None
            assert chunk is None or chunk.last > chunk.first
        else:
            assert name.offset is None


@given(BODIES)
def test_names_rise_with_places(body: str) -> None:
    """Property 2: document order of the paths is the order of the places."""
    index = index_of(body)
    keys = []
    for k in range(index.length):
        name = cfi_places.point(index, Position("d", 0, k))
        keys.append(([step.index for step in name.steps], name.offset or 0))
    assert keys == sorted(keys)
