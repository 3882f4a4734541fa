"""Edited copies of real books: what a person's place becomes in them (docs/reference/positions.md C.6, C.10).

At least 99 % of the places whose text is still there are found again, each verified against the truth of the edit, and
none is called exact that is not.
"""

import random
from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest

from appliance.epub.errors import BookError
from appliance.positions import OpenBook, Place, Range, RangePlace, Status, quote_of, range_text, recover, translate
from appliance.positions import translate_range as carry_range
from appliance.positions.grams import Grams
from tests.kepub.kepubs import books
from tests.positions import edited
from tests.positions.edited import EditedCopy

SAMPLES = 100
SURE = (Status.EXACT, Status.RECOVERED)
PROSE = 3000  # canonical characters; less is no text to find again
FEW = ("calibre-docx_alice", "ebooklib_kokoro-vertical-ruby")  # in turn; every book with every edit at night

EDITS = {
    "renamed": (edited.untouched, edited.renamed),
    "blank-page": (edited.untouched, edited.with_blank_page),
    "split": (edited.untouched, edited.split),
    "merged": (edited.untouched, edited.merged),
    "punctuation": (edited.other_punctuation, edited.renamed),
    "punctuation-split": (edited.other_punctuation, edited.split),
    "decomposed": (edited.decomposed, edited.renamed),
    "decomposed-merged": (edited.decomposed, edited.merged),
    "deleted": (edited.sentence_deleted, edited.renamed),
    "inserted-split": (edited.sentence_inserted, edited.split),
    "moved": (edited.untouched, edited.moved),
}


def check(path: Path, name: str, target: Path) -> None:
    edit, arrange = EDITS[name]
    copy = EditedCopy(path, target, edit, arrange)
    if sum(len(piece.before) for piece in copy.pieces) < PROSE:
        pytest.skip("too little text")
    chance = random.Random(f"{path.name} {name}")
    found: Counter[str] = Counter()
    for tick in _ticks(copy, chance):
        there = translate(copy.source.at_tick(tick), copy.source, copy.copy)
        found[_verdict(copy, tick, there)] += 1
    assert found["exact, but wrong"] == 0
    assert found["good"] >= 0.99 * found.total(), found
    _check_ranges(copy, chance)
    _check_quotes(copy, chance)


def _ticks(copy: EditedCopy, chance: random.Random) -> list[int]:
    """Places whose text is still there."""
    pieces = [piece for piece in copy.pieces if piece.after and len(piece.after) >= len(piece.before) / 2]
    chosen = chance.choices(pieces, [len(piece.before) for piece in pieces], k=SAMPLES)
    ticks = [piece.tick + chance.randrange(len(piece.before)) for piece in chosen]
    # In a text that lost a sentence the truth knows only what is left.
    return [tick for tick in ticks if _is_left(copy, tick)]


def _is_left(copy: EditedCopy, tick: int) -> bool:
    piece = copy.piece_at(tick)
    assert piece is not None
    lost = len(piece.before) - len(piece.after)
    return not (piece.before.endswith(piece.after) and tick - piece.tick < lost)


def _verdict(copy: EditedCopy, tick: int, there: Place) -> str:
    if there.position is not None and there.status in SURE and copy.is_right(tick, there.position):
        return "good"
    return "exact, but wrong" if there.status is Status.EXACT else f"{there.status} {there.reason}"


def _check_ranges(copy: EditedCopy, chance: random.Random) -> None:
    """What is called an exact range has the same text."""
    for tick in _ticks(copy, chance)[:20]:
        start = copy.source.at_tick(tick)
        end = copy.source.at_tick(min(tick + chance.randrange(1, 200), copy.source.summary.total))
        there = carry_range(RangePlace(start, end), copy.source, copy.copy)
        if there.status is Status.EXACT and there.range is not None and start.position and end.position:
            assert range_text(copy.copy, there.range) == range_text(copy.source, Range(start.position, end.position))


def _check_quotes(copy: EditedCopy, chance: random.Random) -> None:
    """Without the original, by the words alone."""
    grams = Grams(copy.copy)
    found: Counter[str] = Counter()
    for tick in _ticks(copy, chance)[:40]:
        place = copy.source.at_tick(tick)
        assert place.position is not None
        there = recover(copy.copy, quote_of(copy.source, place.position), grams).start
        verdict = "ambiguous" if there.reason == "ambiguous" else _verdict(copy, tick, there)
        found[verdict] += 1
    assert found["exact, but wrong"] == 0
    assert found["good"] + found["ambiguous"] >= 0.9 * found.total(), found


@pytest.mark.parametrize(("name", "stem"), list(zip(EDITS, cycle(FEW), strict=False)))
def test_each_edit(name: str, stem: str, tmp_path: Path) -> None:
    [path] = [path for path in books() if path.stem == stem]
    check(path, name, tmp_path / "copy.epub")


@pytest.mark.nightly
@pytest.mark.parametrize("path", books(), ids=lambda path: path.stem)
def test_every_book(path: Path, tmp_path: Path) -> None:
    try:
        if OpenBook.open(path, "x").summary.total < PROSE:
            pytest.skip("too little text")
    except BookError:
        pytest.skip("not readable")
    for name in EDITS:
        check(path, name, tmp_path / f"{name}.epub")
