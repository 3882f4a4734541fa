"""A KEPUB read in KOReader: its pointers go through Kobo's spans and wrappers, and name the plain book's characters."""

import json
import random
from pathlib import Path

import pytest

from appliance.kepub import convert
from appliance.positions import OpenBook, Position, Status, translate
from appliance.positions.ink import ink
from tests import needs
from tests.conftest import ROOT
from tests.kepub.kepubs import books
from tests.simulators.engine import Engine

CASES = ROOT / "tests" / "data" / "xpointer-cases"
ALL = books()
FEW = [
    path
    for path in ALL
    if path.name
    in (
        "childrens-literature.epub",
        "ebooklib_kokoro-vertical-ruby.epub",
        "fanficfare_test-story-1.epub",
        "l-frank-baum_the-marvelous-land-of-oz.epub",
        "large-tables.epub",
        "libreoffice_flying-dutchman.epub",
    )
]


def test_the_engines_own_answers() -> None:
    """The same words of the test book and of its KEPUB, as KOReader's engine named them in both."""
    plain = OpenBook.open(CASES / "09-kobo-plain.epub", "plain")
    kepub = OpenBook.open(CASES / "09-kobo.kepub.epub", "kepub")
    words = [json.loads(line) for line in (CASES / "09-kobo.kepub.jsonl").read_text().splitlines()]
    words = [line for line in words if line["t"] == "word"]
    assert len(words) == 7
    for line in words:
        place = kepub.decode_xpointer(line["xp"])
        assert place.status is Status.EXACT, line
        here = translate(place, kepub, plain)
        assert here.status is Status.EXACT, line
        assert here.position is not None
        read = plain.quote(here.position, 0, 40).suffix.replace("\ufffc", "")
        assert read.startswith(ink(line["next"])[:12]), line
        back = translate(plain.decode_xpointer(str(plain.encode_xpointer(here.position).locator)), plain, kepub)
        assert back.position is not None
        assert kepub.encode_xpointer(back.position).locator == line["xp"]


def check(path: Path, kepub_path: Path, places: int) -> int:
    """Random places of a book, there and back; how many words the independent engine had a say on."""
    chance = random.Random(path.name)
    plain, kepub = OpenBook.open(path, "plain"), OpenBook.open(kepub_path, "kepub")
    documents = [document for document in plain.summary.documents if document.length]
    weights = [document.length for document in documents]
    for document in chance.choices(documents, weights, k=places) if documents else ():
        position = Position(document.path, document.occurrence, chance.randrange(document.length + 1))
        for indexed in (False, True):
            pointer = plain.encode_xpointer(position, indexed=indexed)
            if pointer.status is not Status.EXACT:
                continue  # text that KOReader does not have, or whose numbers are in doubt
            there = translate(plain.decode_xpointer(str(pointer.locator)), plain, kepub)
            assert there.status is Status.EXACT, (pointer, there)
            assert there.position is not None
            written = kepub.encode_xpointer(there.position, indexed=indexed)
            if written.status is not Status.EXACT:
                continue
            back = translate(kepub.decode_xpointer(str(written.locator)), kepub, plain)
            assert back.status is Status.EXACT, (written, back)
            assert back.position is not None
            assert (back.position.document, back.position.k) == (position.document, position.k), written
    return _against_the_other_engine(plain, kepub, path, kepub_path, chance)


def _against_the_other_engine(
    plain: OpenBook, kepub: OpenBook, path: Path, kepub_path: Path, chance: random.Random
) -> int:
    """Words that the simulators' engine names in the KEPUB are, carried over, the words it finds in the plain book."""
    try:
        engine, other = Engine(kepub_path), Engine(path)
    except Exception:  # it refuses what it does not know
        return 0
    agreed = 0
    for at in chance.sample(range(len(engine.words)), min(60, len(engine.words))):
        word = engine.words[at]
        place = kepub.decode_xpointer(word.xpointer)
        if place.position is None or not kepub.quote(place.position, 0, 60).suffix.startswith(ink(word.text)):
            continue  # it knows no style sheets
        here = translate(place, kepub, plain)
        assert here.position is not None
        pointer = str(plain.encode_xpointer(here.position, indexed=True).locator)
        found = other.resolve(pointer)
        if found is not None and other.words[found].xpointer == pointer:
            agreed += 1
            assert ink(other.words[found].text).startswith(ink(word.text)[:4]), (word, pointer)
    return agreed


@pytest.mark.parametrize("path", FEW, ids=lambda path: path.stem)
def test_random_places(path: Path, tmp_path: Path) -> None:
    convert(path, tmp_path / "k.kepub.epub", engine="built-in")
    agreed = check(path, tmp_path / "k.kepub.epub", 30)
    assert agreed >= 20 or path.stem in ("ebooklib_kokoro-vertical-ruby", "large-tables"), agreed


@pytest.mark.parametrize("path", FEW[:3], ids=lambda path: path.stem)
def test_random_places_in_what_kepubify_makes(path: Path, tmp_path: Path) -> None:
    convert(path, tmp_path / "k.kepub.epub", engine="kepubify", kepubify=needs.kepubify())
    check(path, tmp_path / "k.kepub.epub", 30)


@pytest.mark.nightly
@pytest.mark.parametrize("path", [path for path in ALL if path not in FEW], ids=lambda path: path.stem)
def test_random_places_of_every_book(path: Path, tmp_path: Path) -> None:
    convert(path, tmp_path / "k.kepub.epub", engine="built-in")
    check(path, tmp_path / "k.kepub.epub", 20)
