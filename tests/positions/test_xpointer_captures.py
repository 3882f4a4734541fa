"""Pointers that a real KOReader wrote, read or refused (tests/data/captures/README.md)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.positions import OpenBook, Reason, Status
from appliance.positions.ink import ink
from appliance.positions.ranges import decode_xpointer_range, encode_xpointer_range, range_text
from tests.conftest import ROOT

CAPTURES = ROOT / "tests" / "data" / "captures"


@pytest.fixture(scope="module")
def lantern() -> OpenBook:
    return OpenBook.open(CAPTURES / "lantern.epub", "lantern")


def capture(name: str) -> Any:
    return json.loads((CAPTURES / f"{name}.json").read_text())


def pointers(value: Any) -> Iterator[str]:
    """Every XPointer in a capture."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from pointers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from pointers(inner)
    elif isinstance(value, str) and value.startswith("/body/"):
        yield value


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("positions/page-starts", 110),
        ("positions/layout-dependence", 20),
        ("positions/session-a-at-close", 1),
        ("positions/toc", 8),
        ("positions/text-ranges", 20),
        ("annotations/epub-in-memory", 10),
        ("annotations/d1-live-insert", 12),
        ("annotations/d3-after-import", 12),
        ("annotations/d4-unflagged-after-reopen", 12),
        ("annotations/d5-sidecar-percent-after-close", 1),
        ("annotations/d5-where", 1),
        ("annotations/colours-and-styles", 0),
    ],
)
def test_what_the_engine_wrote(lantern: OpenBook, name: str, least: int) -> None:
    """Each pointer is an exact place, and is written again as KOReader wrote it."""
    found = list(pointers(capture(name)))
    assert len(found) >= least
    for text in found:
        place = lantern.decode_xpointer(text)
        assert place.status is Status.EXACT, text
        assert place.position is not None
        whole = place.reason is Reason.WHOLE_DOCUMENT  # the table of contents points to fragments
        before = lantern.decode_xpointer(text, end=True).position
        assert before is not None
        written = {
            lantern.encode_xpointer(place.position).locator,
            lantern.encode_xpointer(before).locator,  # of the end of a highlight
        }
        wanted = text if "." in text else f"{text}.0"
        assert whole or wanted in written, (text, written)


def test_pages_are_in_order(lantern: OpenBook) -> None:
    ticks = [lantern.decode_xpointer(page["xpointer"]).tick for page in capture("positions/page-starts")["page_starts"]]
    assert None not in ticks
    assert ticks == sorted(set(ticks)), "each page begins behind the one before"


def test_the_text_of_ranges(lantern: OpenBook) -> None:
    """The engine's text between two pointers, white space aside (property 6 of positions.md C.11)."""
    ranges = capture("positions/text-ranges")
    highlights = [line for line in capture("annotations/epub-in-memory") if "pos0" in line]
    assert len(ranges) + len(highlights) >= 14
    for line in ranges + highlights:
        place = decode_xpointer_range(lantern, line["pos0"], line["pos1"])
        assert place.status is Status.EXACT, line
        assert place.range is not None
        assert range_text(lantern, place.range).replace("\ufffc", "") == ink(line["text"]), line
        again = encode_xpointer_range(lantern, place.range)
        assert again.status is Status.EXACT, line
        assert again.locator == (line["pos0"].replace("/img", "/img.0"), line["pos1"]), line


def test_annotations_from_outside(lantern: OpenBook) -> None:
    """What KOReader could not find in the book is never exact, what it found gives the text that it gave."""
    good = bad = 0
    for case in capture("annotations/external-edit-cases"):
        added = {line["pos0"]: line for line in case["added"] if "pos0" in line}
        for seen in case["engine_view"] or ():
            line = added.get(seen["page"])
            place = lantern.decode_xpointer(seen["page"])
            if not seen["page_in_document"]:
                bad += 1
                assert place.status in (Status.APPROXIMATE, Status.FAILED), seen
                continue
            assert place.status is Status.EXACT, seen
            if line is not None and seen.get("pos1_in_document"):
                good += 1
                span = decode_xpointer_range(lantern, line["pos0"], line["pos1"])
                assert span.range is not None
                assert range_text(lantern, span.range) == ink(seen["engine_text"]), line
    assert good >= 8
    assert bad >= 9
