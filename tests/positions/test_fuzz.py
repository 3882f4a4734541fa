"""Locators that were damaged on the way: never an exception, and exact only where they truly name a place."""

import json
import random
from pathlib import Path

import pytest

from appliance.kepub import convert
from appliance.positions import OpenBook, Status
from tests.conftest import ROOT

DATA = ROOT / "tests" / "data"
NAMES = [
    "childrens-literature.epub",
    "ebooklib_kokoro-vertical-ruby.epub",
    "fanficfare_test-story-1.epub",
    "large-tables.epub",
]
MARKS = "epubcfi(/6/4!:[],;=^)body/DocFragment[1]/text().0123456789 \té😀\0%#_~@"


def damaged(text: str, chance: random.Random) -> str:
    """One to four changes: a character replaced, put in, taken out, or a piece repeated."""
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(text) + 1)
        change = chance.randrange(4)
        if change == 0:
            text = text[:at] + chance.choice(MARKS) + text[at + 1 :]
        elif change == 1:
            text = text[:at] + chance.choice(MARKS) + text[at:]
        elif change == 2:
            text = text[:at] + text[at + chance.randrange(6) :]
        else:
            begin, end = sorted((at, chance.randrange(len(text) + 1)))
            text = text[:at] + text[begin:end] + text[at:]
    return text


def run(name: str, folder: Path, rounds: int) -> None:
    chance = random.Random(name)
    book = OpenBook.open(DATA / "books" / name, name)
    convert(book.path, folder / "k.kepub.epub", engine="built-in")
    kepub = OpenBook.open(folder / "k.kepub.epub", "kepub")
    lines = [json.loads(line) for line in (DATA / "vectors" / f"{name}.jsonl").read_text().split("\n")[:-1]]
    for _ in range(rounds):
        line = chance.choice(lines)
        for decode, encode, text in (
            (book.decode_cfi, book.encode_cfi, damaged(line["cfi"], chance)),
            (book.decode_xpointer, book.encode_xpointer, damaged(line["xpointer"], chance)),
        ):
            place = decode(text)
            assert (place.position is None) == (place.status is Status.FAILED), text
            if place.status is Status.EXACT:
                assert place.position is not None
                written = encode(place.position)
                again = decode(str(written.locator))
                assert again.position is not None, text
                assert again.position.k + written.distance == place.position.k, text
        span = damaged(line.get("span", "kobo.1.1"), chance)
        source = line["href"] if chance.random() < 0.7 else damaged(line["href"], chance)
        offset = chance.choice([None, 0, 3, 10**6, -2])
        place = kepub.decode_kobo(source, span, offset)
        assert (place.position is None) == (place.status is Status.FAILED), (source, span)
        assert place.status is not Status.EXACT or offset not in (10**6, -2) or not span


@pytest.mark.parametrize("name", NAMES)
def test_damaged_locators(name: str, tmp_path: Path) -> None:
    run(name, tmp_path, 400)


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_a_million_damaged_locators(name: str, tmp_path: Path) -> None:
    run(name, tmp_path, 84_000)
