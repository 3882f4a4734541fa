"""Properties 1, 10 and 11 of docs/reference/positions.md C.11 for XPointers, over every version of the engine."""

import re
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import OpenBook, Position, Reason, Status, xpointer
from appliance.positions.crengine.nodes import TextNode
from tests.kepub.bodies import TIDY
from tests.kepub.kepubs import document, epub
from tests.positions.documents import BODIES, both_of, tree_of

# What cautious programs take for an XPointer: Komga's, Kavita's and Readest's patterns, all at once.
CAUTIOUS = re.compile(
    r"/body(?:\[1\])?/DocFragment\[(?P<fragment>[1-9]\d*)\]"
    r"(?P<path>/body(?:\[1\])?(?:/[a-z][a-z0-9-]*(?:\[[1-9]\d*\])?)*(?:/text\(\)(?:\[[1-9]\d*\])?)?)?"
    r"\.(?P<offset>0|[1-9]\d*)"
)
DEEPEST = 16  # steps that all of them read

TAGS = re.compile(r"<\s*/?\s*([a-zA-Z][\w:-]*)")


def depth_of(body: str) -> int:
    """How deep the tags of a well-formed body nest."""
    deepest = depth = 0
    for end, closed in re.findall(r"<(/?)[a-zA-Z][^>]*?(/?)>", body):
        depth += -1 if end else not closed
        deepest = max(deepest, depth)
    return deepest


@given(BODIES, st.data())
def test_cautious_programs_can_read_what_is_written(body: str, data: st.DataObject) -> None:
    index, tree = both_of(body)
    k = data.draw(st.integers(0, index.length))
    affinity = data.draw(st.sampled_from(["after", "before"]))
    name = xpointer.point(tree, Position("d", 0, k, affinity))
    for indexed in (False, True):
        text = name.spell(2, 3, indexed=indexed)
        match = CAUTIOUS.fullmatch(text)
        assert match is not None, text
        names = re.findall(r"/([a-z][a-z0-9-]*)(?![a-z0-9(-])", match["path"] or "")
        assert set(names[1:]) <= set(TAGS.findall(body)), "no element is invented"
        assert text.count("/") <= max(DEEPEST, 4 + depth_of(body))
        if isinstance(name.node, TextNode):
            assert int(match["offset"]) <= len(name.node.text)
        else:
            assert match["offset"] == "0"
        assert indexed == ("[1]" in text.split("/")[1])


@given(st.lists(TIDY, min_size=2, max_size=3), st.data())
def test_a_book_reads_back_what_it_writes(bodies: list[str], data: st.DataObject) -> None:
    """Both spellings, both sides, through the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "b.epub"
        path.write_bytes(epub({f"{n}.xhtml": document(body) for n, body in enumerate(bodies)}))
        book = OpenBook.open(path, "b")
        entry = data.draw(st.sampled_from(book.summary.documents))
        k = data.draw(st.integers(0, entry.length))
        for indexed in (False, True):
            written = book.encode_xpointer(Position(entry.path, 0, k), indexed=indexed)
            assert written.locator is not None
            place = book.decode_xpointer(written.locator)
            assert place.position is not None
            assert place.position.document == entry.path
            if written.status is Status.EXACT:
                assert (place.status, place.position.k) == (Status.EXACT, k)
            else:
                assert place.position.k + written.distance == k
                assert written.reason is not Reason.NONE
        book.close()


STEPS = st.lists(
    st.sampled_from(
        "p p[2] div text() text()[1] text()[2] text()[9] b i span img svg math autoBoxing[1] autoBoxing[2] floatBox"
        " table tr 1 2 0 stylesheet body ?pi P é ² ٣ [1] text()[0] p[99999999] li section".split()
    ),
    max_size=7,
)


@given(BODIES, STEPS, st.one_of(st.none(), st.integers(0, 40), st.just(10**8)), st.text(max_size=3))
def test_what_leads_nowhere_is_never_exact(body: str, steps: list[str], offset: int | None, end: str) -> None:
    """Property 11: no exception for any path; exact only if the path leads to a node that is named so."""
    tree = tree_of(body)
    text = "/".join(["/body/DocFragment/body", *steps]) + ("" if offset is None else f".{offset}") + end
    pointer = xpointer.parse(text)
    if isinstance(pointer, Reason):
        return
    for as_end in (False, True):
        found = xpointer.find(tree, pointer, end=as_end)
        assert 0 <= found.k <= len(tree.ink)
        assert (found.status is Status.EXACT) == (found.reason in (Reason.NONE, Reason.WHOLE_DOCUMENT))
        if found.status is Status.EXACT and pointer.steps[1:]:
            assert not pointer.boxed
            wanted = [(name, nth) for name, nth in pointer.steps if not name.isdigit()]
            assert all(any(_names(node, *step) for node in _nodes(tree)) for step in wanted[1:])


def _names(node: object, name: str, nth: int) -> bool:
    called = "text()" if isinstance(node, TextNode) else getattr(node, "name", "")
    return called == name and getattr(node, "nth", 0) == nth


def _nodes(tree: object) -> list[object]:
    elements = tree.elements  # type: ignore[attr-defined]
    return [*elements, *(child for element in elements for child in element.children)]


@given(st.text(alphabet="/body[1]DocFragment().0text#_ p-é\0😀", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    pointer = xpointer.parse(text)
    assert isinstance(pointer, (Reason, xpointer.Pointer))
    if isinstance(pointer, xpointer.Pointer):
        assert pointer.fragment >= 0
        assert xpointer.find(tree_of("<p>a</p>"), pointer).k in (0, 1)
