"""Ranges that were damaged on the way: never an exception, and exact only where they truly name a range."""

import json
import random
from pathlib import Path

import pytest

from appliance.kepub import convert
from appliance.positions import (
    KoboLocator,
    OpenBook,
    RangePlace,
    Status,
    decode_cfi_range,
    decode_kobo_range,
    decode_xpointer_range,
    encode_cfi_range,
    encode_kobo_range,
    encode_xpointer_range,
    range_text,
)
from tests.conftest import ROOT
from tests.positions.test_fuzz import damaged

DATA = ROOT / "tests" / "data"
NAMES = ["childrens-literature.epub", "ebooklib_kokoro-vertical-ruby.epub", "large-tables.epub"]


def consistent(found: RangePlace, text: object) -> bool:
    """Whether it is an exact range; its ends are in order in any case."""
    assert (found.range is None) == (found.status is Status.FAILED), text
    if found.range is None:
        return False
    assert found.start.tick is not None
    assert found.end.tick is not None
    assert found.start.tick <= found.end.tick, text
    assert (found.range.start.affinity, found.range.end.affinity) == ("after", "before"), text
    return found.status is Status.EXACT


def run(name: str, folder: Path, rounds: int) -> None:
    chance = random.Random(name)
    book = OpenBook.open(DATA / "books" / name, name)
    convert(book.path, folder / "k.kepub.epub", engine="built-in")
    kepub = OpenBook.open(folder / "k.kepub.epub", "kepub")
    lines = [json.loads(line) for line in (DATA / "vectors" / "ranges" / f"{name}.jsonl").read_text().split("\n")[:-1]]
    for _ in range(rounds):
        line = chance.choice(lines)
        text = damaged(line["cfi"], chance)
        found = decode_cfi_range(book, text)
        if consistent(found, text):
            assert found.range is not None
            written = encode_cfi_range(book, found.range)
            assert written.status is Status.EXACT, text
            assert decode_cfi_range(book, str(written.locator)).range == found.range, text
            range_text(book, found.range)
        pair = damaged(line["pos0"], chance), line["pos1"] if chance.random() < 0.5 else damaged(line["pos1"], chance)
        found = decode_xpointer_range(book, *pair)
        if consistent(found, pair):
            assert found.range is not None
            pointed = encode_xpointer_range(book, found.range)
            assert pointed.locator is not None, pair
            if pointed.status is Status.EXACT:
                assert decode_xpointer_range(book, *pointed.locator).range == found.range, pair
        if "kobo" not in line:
            continue
        start, end = (
            KoboLocator(line["href"], damaged(line["kobo"][side], chance), line["kobo"][f"{side}_offset"] + wrong)
            for side, wrong in (
                ("start", chance.choice((0, 0, -900, 10**9))),
                ("end", chance.choice((0, 1, -900, 10**9))),
            )
        )
        found = decode_kobo_range(kepub, start, end)
        if consistent(found, (start, end)):
            assert found.range is not None
            spans = encode_kobo_range(kepub, found.range)
            assert spans.locator is not None, (start, end)
            if spans.status is Status.EXACT:
                assert decode_kobo_range(kepub, *spans.locator).range == found.range, (start, end)


@pytest.mark.parametrize("name", NAMES)
def test_damaged_ranges(name: str, tmp_path: Path) -> None:
    run(name, tmp_path, 250)


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_damaged_ranges_at_length(name: str, tmp_path: Path) -> None:
    run(name, tmp_path, 50_000)
