"""koboSpans: progress and annotations (docs/reference/kepub.md 14, kobo-protocol.md 5.3, 7.9)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.epub.document import parse_document
from appliance.kepub.document import kepub_document
from appliance.positions import kobospan
from appliance.positions.canonical import Position, Reason, Status
from appliance.positions.document import DocumentIndex
from tests.kepub.kepubs import document
from tests.positions.documents import BODIES, index_of


def kepub_index(body: str) -> DocumentIndex:
    converted = kepub_document(document(body))
    assert converted is not None
    return DocumentIndex(parse_document(converted, "application/xhtml+xml"))


def progress(index: DocumentIndex, k: int, affinity: str = "after") -> tuple[str, int | None, Status, Reason]:
    return kobospan.point(index, Position("d", 0, k, affinity), offset=False)  # type: ignore[arg-type]


def annotation(index: DocumentIndex, k: int, affinity: str = "after") -> tuple[str, int | None, Status, Reason]:
    return kobospan.point(index, Position("d", 0, k, affinity), offset=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("kobo.18.2", "kobo.18.2"),
        ("span#kobo\\.18\\.2", "kobo.18.2"),
        ("OEBPS/text/ch07.xhtml#kobo.18.2", "kobo.18.2"),
        ("span#kobo\\.18\\.2 > b", "kobo.18.2"),
        ("", ""),
        ("kobo.x.2", None),
        ("/kobo.1.2", None),
        ("OEBPS/text/ch07.xhtml#", None),
        ("page 12", None),
        ("kobo.1.1" * 500, None),
    ],
)
def test_spellings_of_a_span(text: str, value: str | None) -> None:
    assert kobospan.parse_value(text) == value


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("OEBPS/text/ch 7.xhtml", "OEBPS/text/ch 7.xhtml"),
        ("OEBPS/text/ch%207.xhtml", "OEBPS/text/ch 7.xhtml"),
        ("/OEBPS/text/ch%207.xhtml", "OEBPS/text/ch 7.xhtml"),
        ("6d1e7a10-8c55-4f2b-9b1c-2f60c7d3a901!!OEBPS/text/ch%207.xhtml", "OEBPS/text/ch 7.xhtml"),
        ("6d1e7a10!OEBPS!text/ch%207.xhtml", "OEBPS/text/ch 7.xhtml"),
        ("OEBPS/text/ch%207.xhtml#kobo.1.1", "OEBPS/text/ch 7.xhtml"),
        ("text/ch%207.xhtml", "OEBPS/text/ch 7.xhtml"),
        ("ch1.xhtml", None),  # stands twice
        ("nowhere.xhtml", None),
        ("", None),
    ],
)
def test_sources(source: str, path: str | None) -> None:
    assert kobospan.match_source(source, ["OEBPS/text/ch 7.xhtml", "OEBPS/a/ch1.xhtml", "OEBPS/b/ch1.xhtml"]) == path


def test_progress_names_the_span_that_holds_the_place() -> None:
    #                       0123456789   0123456789
    index = kepub_index("<p>One two. Three four.</p><p>Five <b>six. Seven</b> eight.</p>")
    assert index.text == "Onetwo.Threefour.Fivesix.Seveneight."
    spans = [(span.id, span.first, span.last) for span in index.spans]
    assert spans == [("kobo.1.1", 0, 7), ("kobo.1.2", 7, 17), ("kobo.2.1", 17, 21), ("kobo.2.2", 21, 25),
                     ("kobo.2.3", 25, 30), ("kobo.2.4", 30, 36)]  # fmt: skip
    assert progress(index, 0)[0] == "kobo.1.1"
    assert progress(index, 6)[0] == "kobo.1.1", "containing, not following: no word is skipped"
    assert progress(index, 7)[0] == "kobo.1.2"
    assert progress(index, 36)[0] == "kobo.2.4", "the end of the document is in its last span"
    assert progress(index, 7, "before")[0] == "kobo.1.1", "an end stays in the span that ends there"
    assert annotation(index, 10) == ("kobo.1.2", 3, Status.EXACT, Reason.NONE)
    assert annotation(index, 7, "before") == ("kobo.1.1", 8, Status.EXACT, Reason.NONE)
    assert kobospan.find(index, "kobo.1.2", 3)[:2] == (10, Status.EXACT)


def test_offsets_count_utf16_units_of_raw_text() -> None:
    index = index_of('<p><span class="koboSpan" id="kobo.1.1">a 😀\n <b>b</b>c</span></p>')
    assert [annotation(index, k)[1] for k in range(4)] == [0, 2, 6, 7]
    assert [kobospan.find(index, "kobo.1.1", offset).k for offset in (0, 2, 4, 6, 7, 8)] == [0, 1, 2, 2, 3, 4]
    assert kobospan.find(index, "kobo.1.1", 9)[:3] == (4, Status.APPROXIMATE, Reason.BEYOND_END)


def test_images_formulas_and_other_gaps() -> None:
    index = kepub_index('<p>See. <img src="a"/> that.</p><pre>code. x</pre><p>end</p>')
    assert index.text == "See.\ufffcthat.code.xend"
    assert progress(index, 4)[::2] == ("kobo.2.1", Status.EXACT), "the image has a span of its own"
    assert kobospan.find(index, "kobo.2.1", None).k == 4
    assert progress(index, 12) == ("kobo.3.1", None, Status.SNAPPED, Reason.NOT_ADDRESSABLE)
    assert annotation(index, 12, "before") == ("kobo.2.2", 6, Status.SNAPPED, Reason.NOT_ADDRESSABLE)


def test_ends_of_ranges() -> None:
    index = kepub_index('<p>See. <img src="a"/> that.</p><pre>code. x</pre><p>end</p>')
    for value, offset in (("kobo.2.1", 0), ("kobo.1.1", 4), ("kobo.1.1", 5)):
        found = kobospan.find(index, value, offset, end=True)
        assert (found.k, found.status, found.affinity) == (4, Status.EXACT, "before")
    assert annotation(index, 5, "before") == ("kobo.2.2", 1, Status.EXACT, Reason.NONE), (
        "behind the image: before what follows"
    )
    assert annotation(index, 4, "before") == ("kobo.1.1", 4, Status.EXACT, Reason.NONE)
    assert annotation(index, 0, "before") == ("kobo.1.1", 0, Status.EXACT, Reason.NONE)
    start = kepub_index("<pre>code. x</pre><p>end</p>")
    assert annotation(start, 3, "before") == ("kobo.1.1", 0, Status.SNAPPED, Reason.NOT_ADDRESSABLE), (
        "no span before it"
    )
    end = kepub_index("<p>end</p><pre>code. x</pre>")
    assert annotation(end, 5) == ("kobo.1.1", 3, Status.SNAPPED, Reason.NOT_ADDRESSABLE), "no span behind it"


def test_an_offset_beside_an_image_in_a_span_means_two_places() -> None:
    """Other converters put images into spans of text; one offset is then before and behind the image."""
    index = index_of('<p><span id="kobo.1.1">ab<img src="a"/>cd</span></p>')
    assert kobospan.find(index, "kobo.1.1", 2).k == 2
    assert annotation(index, 3)[:2] == ("kobo.1.1", 2)


def test_the_selector_of_a_span() -> None:
    assert kobospan.selector("kobo.18.2") == "span#kobo\\.18\\.2"
    assert kobospan.parse_value(kobospan.selector("kobo.18.2")) == "kobo.18.2"


def test_unknown_spans_are_near_their_neighbours_and_never_exact() -> None:
    index = kepub_index("<p>One. Two.</p><p>Three.</p>")
    assert kobospan.find(index, "kobo.1.9", None)[:3] == (4, Status.APPROXIMATE, Reason.NO_PLACE)
    assert kobospan.find(index, "kobo.0.1", None)[:3] == (0, Status.APPROXIMATE, Reason.NO_PLACE)
    assert kobospan.find(index_of("<p>One.</p>"), "kobo.1.1", None)[:3] == (0, Status.APPROXIMATE, Reason.NO_SPANS)


def test_a_repeated_id_is_not_emitted_for_its_second_place() -> None:
    index = index_of('<p><span id="kobo.1.1">One.</span> <span id="kobo.1.1">Two.</span></p>')
    value, _, status, _ = progress(index, 5)
    assert not (value == "kobo.1.1" and status is Status.EXACT)


@given(BODIES, st.data())
def test_every_place_is_found_again(body: str, data: st.DataObject) -> None:
    """Properties 1 and 5 of positions.md C.11."""
    index = kepub_index(body)
    k = data.draw(st.integers(0, index.length))
    for affinity in ("after", "before"):
        value, offset, status, _ = annotation(index, k, affinity)
        if status is Status.EXACT:
            assert kobospan.find(index, value, offset)[:2] in (
                [(k, Status.EXACT)] if k - 1 not in index.atoms else [(k, Status.EXACT), (k - 1, Status.EXACT)]
            )
        value, offset, status, _ = progress(index, k, affinity)
        if status is Status.EXACT:
            span = index.span_by_id[value]
            assert offset is None
            assert span.first <= k <= span.last
            again = kobospan.find(index, value, None).k
            assert progress(index, again)[0] == value, "a Kobo's own place is given back unchanged"


@given(BODIES)
def test_spans_are_those_of_the_file(body: str) -> None:
    converted = kepub_document(document(body))
    assert converted is not None
    ids = re.findall(r'id="(kobo\.\d+\.\d+)"', converted.decode())
    assert [span.id for span in kepub_index(body).spans] == ids
