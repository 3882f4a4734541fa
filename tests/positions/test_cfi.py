"""The grammar of CFIs: points, ranges, their order (docs/reference/positions.md B.2, B.3)."""

import json
import re
from dataclasses import replace
from functools import cmp_to_key

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import cfi
from appliance.positions.cfi import Cfi, CfiSyntaxError, Step
from tests.conftest import SHARED

IDS = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
# One id for each step: two paths to the same element name it alike.
STEP = st.integers(0, 9).map(lambda index: Step(index, f"i{index}" if index in (2, 6) else None))
STEPS = st.lists(STEP, max_size=6).map(tuple)
CFIS = st.builds(Cfi, STEPS.filter(bool), st.none() | STEPS, st.none() | st.integers(0, 30))
# As a document has them: even steps, at the end perhaps a text with an offset.
WHERE = st.builds(
    lambda elements, text: ((*elements, Step(2 * text[0] + 1)), text[1]) if text else (elements, None),
    st.lists(st.integers(1, 3).map(lambda half: Step(2 * half)), min_size=1, max_size=5).map(tuple),
    st.none() | st.tuples(st.integers(0, 3), st.integers(0, 30)),
)
SPINE = st.integers(1, 3).map(lambda half: (Step(6), Step(2 * half)))
PLACES = st.builds(lambda package, where: Cfi(package, *where), SPINE, WHERE)


@given(CFIS, IDS)
def test_what_is_written_is_read_back(value: Cfi, identifier: str | None) -> None:
    value = replace(value, package=(*value.package, Step(4, identifier)))
    assert cfi.parse(str(value)) == (value, None)


@given(PLACES, PLACES)
def test_what_is_written_of_ranges_is_read_back(start: Cfi, end: Cfi) -> None:
    text = cfi.write_range(start, end)
    if cfi.order(start) == cfi.order(end):
        assert cfi.parse(text) == (start, None)
        return
    assert cfi.parse(text) == (start, end)
    assert read_as_foliate_does(text) == (tokens(start), tokens(end))
    assert all(re.search(r"/\d", path) for path in text[len("epubcfi(") : -1].split(",")), "no path is empty"


@given(CFIS, CFIS)
def test_no_range_without_a_common_package(start: Cfi, end: Cfi) -> None:
    try:
        text = cfi.write_range(start, end)
    except ValueError:
        assert start.package[0] != end.package[0] or min(len(start.package), len(end.package)) == 1
    else:
        assert cfi.parse(text) == (start, None if cfi.order(start) == cfi.order(end) else end)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        # positions.md B.2, the column of foliate-js
        ("/6/4!/4/2/1:3", "/6/4!/4/2/1:8", "/6/4!/4/2,/1:3,/1:8"),
        ("/6/4!/4/2[a]/1:3", "/6/4!/4/2[a]/1:8", "/6/4!/4/2[a],/1:3,/1:8"),
        ("/6/4!/4/2/5:1", "/6/4!/4/2/5:3", "/6/4!/4/2,/5:1,/5:3"),
        ("/6/4!/4/2[p]/1:1", "/6/4!/4/2[p]/3:3", "/6/4!/4/2[p],/1:1,/3:3"),
        ("/6/4!/4/2/1:2", "/6/4!/4/4/1:1", "/6/4!/4,/2/1:2,/4/1:1"),
        ("/6/4!/4/2/1:0", "/6/4!/4/2/1:5", "/6/4!/4/2,/1:0,/1:5"),
        ("/6/4!/4/2[b]/2[i]/2/2[kobo.1.1]/1:1", "/6/4!/4/2[b]/2[i]/2/4[kobo.1.2]/1:2",
         "/6/4!/4/2[b]/2[i]/2,/2[kobo.1.1]/1:1,/4[kobo.1.2]/1:2"),
        # nothing between: a point
        ("/6/4!/4/2/1:3", "/6/4!/4/2/1:3", "/6/4!/4/2/1:3"),
        # foliate-js leaves the start empty here, which others cannot read
        ("/6/4!/4", "/6/4!/4/4/1:1", "/6/4!,/4,/4/4/1:1"),
        # an SVG document has no body
        ("/6/4!/2/1:0", "/6/4!/4/1:3", "/6/4!,/2/1:0,/4/1:3"),
        # across documents
        ("/6/4!/4/2/1:0", "/6/6!/4/2/1:3", "/6,/4!/4/2/1:0,/6!/4/2/1:3"),
        ("/6[s]/4[a]!/4/2/1:0", "/6[s]/6[b]!/4/2/1:3", "/6[s],/4[a]!/4/2/1:0,/6[b]!/4/2/1:3"),
        ("/6/4", "/6/4!/4/2/1:3", "/6,/4,/4!/4/2/1:3"),
    ],
)  # fmt: skip
def test_ranges_as_foliate_writes_them(start: str, end: str, text: str) -> None:
    ends = [cfi.parse(f"epubcfi({path})")[0] for path in (start, end)]
    assert cfi.write_range(*ends) == f"epubcfi({text})"


@pytest.mark.slow
def test_all_ranges_of_the_vectors() -> None:
    """Each range that foliate-js wrote in Chromium is read and written again as it was."""
    paths = sorted((SHARED / "vectors" / "ranges").glob("*.jsonl"))
    if not paths:
        pytest.skip("needs the developers' vectors in ../shared")
    for path in paths:
        for line in path.read_text().split("\n")[:-1]:
            text = json.loads(line)["cfi"]
            start, end = cfi.parse(text)
            assert end is not None
            assert cfi.write_range(start, end) == text
            assert cfi.order(start) < cfi.order(end)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("epubcfi(/6/4!/4/2/1:3)", Cfi((Step(6), Step(4)), (Step(4), Step(2), Step(1)), 3)),
        ("epubcfi(/6[sp]/2[ra]!/4)", Cfi((Step(6, "sp"), Step(2, "ra")), (Step(4),))),
        ("epubcfi(/6/4)", Cfi((Step(6), Step(4)), None)),
        ("epubcfi(/6/4!)", Cfi((Step(6), Step(4)), ())),
        ("epubcfi(/6/4!/4[a^]b^,c]/1:2)", Cfi((Step(6), Step(4)), (Step(4, "a]b,c"), Step(1)), 2)),
        ("epubcfi(/6/4!/4[a^^]/1:2)", Cfi((Step(6), Step(4)), (Step(4, "a^"), Step(1)), 2)),
        ("epubcfi(/6/4!/4/1:3[;s=b])", Cfi((Step(6), Step(4)), (Step(4), Step(1)), 3)),
        ("epubcfi(/6/4!/4/8~3.5@10:20)", Cfi((Step(6), Step(4)), (Step(4), Step(8)))),
        ("epubcfi(/6/4!/4/8!/4/2/1:3)", Cfi((Step(6), Step(4)), (Step(4), Step(8)))),
        (" epubcfi(/6/4!/4) ", Cfi((Step(6), Step(4)), (Step(4),))),
    ],
)
def test_points(text: str, value: Cfi) -> None:
    assert cfi.parse(text) == (value, None)


@pytest.mark.parametrize(
    ("assertion", "before", "after", "side"),
    [
        ("[xx,y]", "xx", "y", None),
        ("[some text]", "some text", "", None),
        ("[,y]", "", "y", None),
        ("[a^,b,c^]d]", "a,b", "c]d", None),
        ("[;s=b]", "", "", "b"),
        ("[xx,y;s=a]", "xx", "y", "a"),
        ("[x^;s=a]", "x;s=a", "", None),
        ("[x^^;s=a]", "x^", "", "a"),
        ("[xx;vnd.example=1]", "xx", "", None),
    ],
)
def test_assertions_are_kept(assertion: str, before: str, after: str, side: str | None) -> None:
    for text in (f"epubcfi(/6/4!/4/1:3{assertion})", f"epubcfi(/6/4!/4,/1:0,/1:3{assertion})"):
        start, end = cfi.parse(text)
        point = start if end is None else end
        assert (point.before, point.after, point.side) == (before, after, side)


def test_a_range_has_a_parent_and_two_ends() -> None:
    start, end = cfi.parse("epubcfi(/6/4!/4/2,/1:3,/3:8)")
    assert str(start) == "epubcfi(/6/4!/4/2/1:3)"
    assert str(end) == "epubcfi(/6/4!/4/2/3:8)"
    start, end = cfi.parse("epubcfi(/6/4!/4,,/4/1:1)")  # written by foliate-js where a range starts in the body
    assert (str(start), str(end)) == ("epubcfi(/6/4!/4)", "epubcfi(/6/4!/4/4/1:1)")
    start, end = cfi.parse("epubcfi(/6/4!/4/2/1,:3,:8)")  # an offset alone is a path of the specification
    assert (str(start), str(end)) == ("epubcfi(/6/4!/4/2/1:3)", "epubcfi(/6/4!/4/2/1:8)")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("/6/14!/4/2/1:0,/6/14!/4/2/1:20", "/6/14!/4/2/1:0", "/6/14!/4/2/1:20"),
        ("/6/8!/4/2/6:12,/4/2/8:3", "/6/8!/4/2/6:12", "/6/8!/4/2/8:3"),  # Grimmory
        ("/6/8!/4/2/6/1:12,/4/4/1:3", "/6/8!/4/2/6/1:12", "/6/8!/4/4/1:3"),
        ("/6/4!/4/2/10/1:0,/1:45", "/6/4!/4/2/10/1:0", "/6/4!/4/2/10/1:45"),
        ("/6/4!/4/2/10/1:0,/12/1:45", "/6/4!/4/2/10/1:0", "/6/4!/4/2/12/1:45"),
    ],
)
def test_a_pair_without_parent_is_read_as_what_it_can_only_mean(text: str, start: str, end: str) -> None:
    first, last = cfi.parse(f"epubcfi({text})")
    assert last is not None
    assert (str(first), str(last)) == (f"epubcfi({start})", f"epubcfi({end})")
    assert first.guessed
    assert last.guessed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epubcfi()",
        "epubcfi(/6/4,/4)",
        "epubcfi(/6/4!,/4)",
        "epubcfi(/6/4!/4/2/1:0,)",
        "epubcfi(,/6/4!/4,/6/6!/4)x",
        "epubcfi(/6/4!/4,/2,/4,/6)",
        "epubcfi(/6/4!/4/2/1:3/5)",
        "epubcfi(/6/4!/x)",
        "epubcfi(/6/4!/٤)",
        "epubcfi(/6/4",
        "/body/DocFragment[2]/body",
        "epubcfi(/6/4!/4/" + "9" * 40 + ")",
        "epubcfi(" + "/2" * 4096 + ")",
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(CfiSyntaxError):
        cfi.parse(text)


IN_ORDER = [
    "/6/2",
    "/6/4",
    "/6/4!/4",
    "/6/4!/4/0",
    "/6/4!/4/1:1",
    "/6/4!/4/2[z]",
    "/6/4!/4/2/1:9",
    "/6/4!/4/2/1:10",
    "/6/4!/4/2/2/1:0",
    "/6/4!/4/2/3",
    "/6/4!/4/10[a]/1:0",
    "/6/4!/4/10,/1:0,/1:3",
    "/6/4!/4/10,/1:0,/3:1",
    "/6/4!/4/10/1:1",
    "/6/10!/4/2",
]


def test_the_order_of_the_specification() -> None:
    texts = [f"epubcfi({path})" for path in IN_ORDER]
    shuffled = texts[::2] + texts[1::2]
    assert sorted(shuffled, key=cmp_to_key(cfi.compare)) == texts
    for at, text in enumerate(texts):
        assert cfi.compare(text, text) == 0
        assert all(cfi.compare(text, later) == -1 for later in texts[at + 1 :])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/6/4!/4/2[a]/1:3", "/6/4!/4/2[b]/1:3"),
        ("/6/4!/4/2/1:3[xx,y]", "/6/4!/4/2/1:3[;s=a]"),
        ("/6/4!/4/2/1", "/6/4!/4/2/1:0"),
        ("/6/4!/4/8~3@1:2", "/6/4!/4/8"),
        ("/6/4!/4/2,/1:3,/1:3", "/6/4!/4/2/1:3"),
    ],
)
def test_what_does_not_count_for_the_order(one: str, other: str) -> None:
    assert cfi.compare(f"epubcfi({one})", f"epubcfi({other})") == 0


@given(PLACES, PLACES, PLACES)
def test_the_order_is_total(a: Cfi, b: Cfi, c: Cfi) -> None:
    one, two, three = str(a), str(b), str(c)
    assert cfi.compare(one, two) == -cfi.compare(two, one)
    if cfi.compare(one, two) <= 0 and cfi.compare(two, three) <= 0:
        assert cfi.compare(one, three) <= 0
    if cfi.compare(one, two) == 0:
        assert (a.package, a.steps, a.offset or 0) == (b.package, b.steps, b.offset or 0)
        assert cfi.compare(one, three) == cfi.compare(two, three)


@given(st.text("epubcfi(/6!:4,[];s=ab^)~@.1 ", max_size=40).map(lambda text: f"epubcfi({text})") | st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        start, end = cfi.parse(text)
    except CfiSyntaxError:
        return
    for point in (start, end or start):
        assert cfi.parse(str(point)) == (point, None)


# -- How foliate-js reads a CFI, told in Python without a look at the package's own reader.

Part = tuple[int, str | None, int | None]


def tokens(point: Cfi) -> list[list[Part]]:
    """The parts of a point as `read_as_foliate_does` gives them."""
    levels = [point.package, *([] if point.steps is None else [point.steps])]
    parts: list[list[Part]] = [[(step.index, step.id, None) for step in level] for level in levels]
    if parts[-1] and point.offset is not None:
        parts[-1][-1] = (*parts[-1][-1][:2], point.offset)
    return parts


def read_as_foliate_does(text: str) -> tuple[list[list[Part]], list[list[Part]] | None]:
    """Parts of a point, or of both ends of a range; fails where foliate-js does."""
    body = re.fullmatch(r"epubcfi\((.*)\)", text)
    assert body is not None
    paths: list[list[list[Part]]] = [[[]]]
    rest = body.group(1)
    while rest:
        if rest[0] == ",":
            paths.append([[]])
            rest = rest[1:]
        elif rest[0] == "!":
            paths[-1].append([])
            rest = rest[1:]
        else:
            part = re.match(r"/(\d+)(?:\[((?:\^.|[^\]^;,])*)\])?(?::(\d+))?", rest)
            assert part is not None, rest
            index, identifier, offset = part.groups()
            assert offset is None or int(index) % 2, "an offset counts characters of a text"
            name = None if identifier is None else re.sub(r"\^(.)", r"\1", identifier)
            paths[-1][-1].append((int(index), name, None if offset is None else int(offset)))
            rest = rest[part.end() :]
    if len(paths) == 1:
        return paths[0], None
    assert len(paths) == 3, "two commas or none"
    parent, start, end = paths
    assert all(offset is None for level in parent for *_, offset in level)
    assert any(start)
    assert any(end)
    return [*parent[:-1], parent[-1] + start[0], *start[1:]], [*parent[:-1], parent[-1] + end[0], *end[1:]]
