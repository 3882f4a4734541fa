"""Locators that were damaged on the way: never an exception, and exact only where they truly name a place.

That an exact answer is no nonsense is judged without the code that gave it: by the grammars of the locators, written
down here once more, by reading its own name again, and, for CFIs, by counting characters in the document.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.kepub import convert
from appliance.positions import (
    KoboLocator,
    OpenBook,
    Place,
    Position,
    RangePlace,
    Status,
    decode_cfi_range,
    decode_kobo_range,
    decode_xpointer_range,
    encode_cfi_range,
    encode_kobo_range,
    encode_xpointer_range,
)
from appliance.positions.dialects import DIALECTS, NotALocator, decode, read
from tests.conftest import ROOT
from tests.positions.selected import Layout, ink

DATA = ROOT / "tests" / "data"
NAMES = [
    "childrens-literature.epub",
    "ebooklib_kokoro-vertical-ruby.epub",
    "fanficfare_test-story-1.epub",
    "large-tables.epub",
]
MARKS = 'epubcfi(/6/4!:[],;=^)body/DocFragment[1]/text().0123456789 \t\\{}"é😀\0%#_~@-'

# What a text must be to be a locator at all.
_ASSERTION = re.compile(r"\[(?:\^.|[^\]^])*\]", re.DOTALL)
_BARE_ASSERTION = re.compile(r"\[[^/!]*\]")
_CFI = re.compile(r"\s*epubcfi\((/\d+(?:/\d+|:\d+|!|,|~[\d.:]+|@[\d.:]+)*)\)\s*", re.ASCII)
_STEP = r"/[^/\[\].\s]+(?:\[\d+\])?"
_XPOINTER = re.compile(
    rf"\s*(?:/?body(?:\[0*1\])?(?:/DocFragment(?:\[\d+\])?(?:{_STEP})*)?(?:\.\d+)?|#_doc_fragment_\d.*)\s*"
)
_SPAN = re.compile(r"kobo\.\d+\.\d+")


def may_be_cfi(text: str) -> bool:
    found = _CFI.fullmatch(_ASSERTION.sub("", text))
    return found is not None and found[1].count(",") in (0, 1, 2)


def may_be_xpointer(text: str) -> bool:
    return _XPOINTER.fullmatch(text) is not None


def may_be_span(text: str) -> bool:
    return not text or _SPAN.search(text.replace("\\", "")) is not None


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


class Fuzz:
    """Damages locators of one book and its KEPUB. `seen`: how often each kind of locator had each status."""

    def __init__(self, name: str, folder: Path) -> None:
        self.chance = random.Random(name)
        self.book = OpenBook.open(DATA / "books" / name, name)
        convert(self.book.path, folder / "k.kepub.epub", engine="built-in")
        self.kepub = OpenBook.open(folder / "k.kepub.epub", "kepub")
        lines = (DATA / "vectors" / f"{name}.jsonl").read_text().split("\n")[:-1]
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self.seen: Counter[tuple[str, str]] = Counter()
        self._layouts: dict[str, Layout] = {}
        self._kinds: list[Callable[[], None]] = [
            self.cfi,
            self.cfi_of_epubjs,
            self.xpointer,
            self.xpointer_in_kepub,
            self.kobo,
            self.cfi_range,
            self.xpointer_range,
            self.kobo_range,
            self.line,
        ]

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            self.chance.choice(self._kinds)()

    def cfi(self) -> None:
        text = self.damaged(self.some()["cfi"])
        place = self.book.decode_cfi(text)
        self.check(place, text, may_be_cfi(text), self.book.encode_cfi, self.book.decode_cfi)
        if place.status is Status.EXACT and self.chance.random() < 0.02:
            self.count(place, text)

    def cfi_of_epubjs(self) -> None:
        """Its numbering, and ids as they are, without escapes (positions.md B.4)."""
        position = self.book.decode_cfi(self.some()["cfi"]).position
        written = self.book.encode_cfi(position, dialect="epubjs").locator if position else None
        text = self.damaged(written or self.some()["cfi"])
        place = self.book.decode_cfi(text, dialect="epubjs")
        # epub.js reads what it can of anything, so nonsense may lead to its document, though never to a word in it.
        is_cfi = _CFI.fullmatch(_BARE_ASSERTION.sub("", text)) is not None or may_be_cfi(text)
        assert is_cfi or place.status in (Status.FAILED, Status.APPROXIMATE), text
        self.check(
            place,
            text,
            True,
            lambda position: self.book.encode_cfi(position, dialect="epubjs"),
            lambda text: self.book.decode_cfi(text, dialect="epubjs"),
        )

    def xpointer(self) -> None:
        text = self.damaged(self.pointer())
        place = self.book.decode_xpointer(text)
        self.check(place, text, may_be_xpointer(text), self.book.encode_xpointer, self.book.decode_xpointer)

    def xpointer_in_kepub(self) -> None:
        """Wrappers and spans are steps there, so most of these lead nowhere."""
        place = self.kepub.decode_kobo(self.some()["href"], self.some().get("span", ""))
        pointer = self.kepub.encode_xpointer(place.position).locator if place.position else None
        text = self.damaged(pointer or self.pointer())
        found = self.kepub.decode_xpointer(text)
        self.check(found, text, may_be_xpointer(text), self.kepub.encode_xpointer, self.kepub.decode_xpointer)

    def kobo(self) -> None:
        """Progress, and annotations in both spellings of their paths (kobo-protocol.md 7.9)."""
        locator = self.span()
        place = self.kepub.decode_kobo(locator.source, locator.value, locator.offset, end=self.chance.random() < 0.3)

        def encode(position: Position) -> Any:
            return self.kepub.encode_kobo(position, offset=True)

        def again(locator: KoboLocator) -> Place:
            return self.kepub.decode_kobo(locator.source, locator.value, locator.offset)

        self.check(place, repr(locator), may_be_span(locator.value), encode, again)
        assert place.status is not Status.EXACT or locator.offset not in (10**6, -2) or not locator.value, locator

    def cfi_range(self) -> None:
        one, other = (self.some()["cfi"].removesuffix(")") for _ in range(2))
        base, path = one.partition("!")[::2]
        text = self.damaged(f"{base}!{path[:2]},{path[2:]},{other.partition('!')[2][2:]})")
        found = decode_cfi_range(self.book, text)
        self.check_range(found, text, may_be_cfi(text), encode_cfi_range, decode_cfi_range)

    def xpointer_range(self) -> None:
        pos0, pos1 = self.pointer(), self.damaged(self.pointer())
        if self.chance.random() < 0.5:
            pos0, pos1 = pos1, pos0
        found = decode_xpointer_range(self.book, pos0, pos1)
        sensible = may_be_xpointer(pos0) and may_be_xpointer(pos1)
        self.check_range(
            found,
            f"{pos0} {pos1}",
            sensible,
            encode_xpointer_range,
            lambda book, pair: decode_xpointer_range(book, *pair),
        )

    def kobo_range(self) -> None:
        start, end = self.span(), self.span()
        found = decode_kobo_range(self.kepub, start, end)
        sensible = may_be_span(start.value) and may_be_span(end.value)
        self.check_range(
            found,
            f"{start} {end}",
            sensible,
            encode_kobo_range,
            lambda book, pair: decode_kobo_range(book, *pair),
            self.kepub,
        )

    def line(self) -> None:
        """A line for `bookwake translate`, with damage anywhere in its JSON."""
        dialect = self.chance.choice(DIALECTS)
        line = self.some()
        position = {"document": line["href"], "occurrence": 0, "k": self.chance.randrange(10**5), "affinity": "after"}
        kobo = {"source": line["href"], "value": line.get("span", ""), "offset": self.chance.randrange(40)}
        text = {
            "xpointer": line["xpointer"],
            "cfi": line["cfi"],
            "kobo": json.dumps(kobo),
            "fraction": str(self.chance.random()),
            "position": json.dumps(position),
        }[dialect]
        text = self.damaged(text if self.chance.random() < 0.6 else f"{text}\t{text}")
        try:
            locators = read(dialect, text)
        except NotALocator as refusal:
            assert str(refusal)
            self.seen["line", "refused"] += 1
            return
        found = decode(self.kepub if dialect == "kobo" else self.book, dialect, locators)
        self.seen["line", found.status.value] += 1
        for place in (found,) if isinstance(found, Place) else (found.start, found.end):
            assert (place.position is None) == (place.status is Status.FAILED), text

    def check(
        self,
        place: Place,
        text: str,
        sensible: bool,
        encode: Callable[[Position], Any],
        decode: Callable[[Any], Place],
    ) -> None:
        self.seen["point", place.status.value] += 1
        assert (place.position is None) == (place.status is Status.FAILED), text
        assert sensible or place.status is Status.FAILED, text
        if place.status is Status.EXACT:
            assert place.position is not None
            written = encode(place.position)
            if written.status in (Status.EXACT, Status.SNAPPED):
                again = decode(written.locator)
                assert again.position is not None, text
                assert again.position.k + written.distance == place.position.k, text
                assert written.status is not Status.EXACT or not written.distance, text

    def check_range(
        self,
        found: RangePlace,
        text: str,
        sensible: bool,
        encode: Callable[..., Any],
        decode: Callable[..., RangePlace],
        book: OpenBook | None = None,
    ) -> None:
        book = book or self.book
        self.seen["range", found.status.value] += 1
        assert sensible or found.status is Status.FAILED, text
        if found.range is None:
            assert found.status is Status.FAILED, text
            return
        assert found.start.tick is not None and found.end.tick is not None
        assert found.start.tick <= found.end.tick, text
        if found.status is Status.EXACT:
            written = encode(book, found.range)
            if written.status is Status.EXACT:
                again = decode(book, written.locator)
                assert again.status is Status.EXACT, text
                assert [again.start.tick, again.end.tick] == [found.start.tick, found.end.tick], text

    def count(self, place: Place, text: str) -> None:
        """The place of a CFI into text, by walking the document along its numbers."""
        path = _ASSERTION.sub("", text.strip()).removesuffix(")").partition("!")[2].split("!")[0]
        match = re.fullmatch(r"((?:/\d+)*/\d*[13579]):(\d+)", path)
        if match is None or place.position is None or "," in text:
            return
        layout = self._layouts.get(place.position.document)
        if layout is None:
            with Archive(self.book.path) as archive:
                layout = Layout(archive.read(place.position.document, MAX_MARKUP))
            self._layouts[place.position.document] = layout
        steps = tuple(int(step) for step in match[1].split("/")[1:])
        assert steps in layout.chunks, text
        begin, end = layout.chunks[steps]
        units = layout.raw[begin:end].encode("utf-16-le")
        assert int(match[2]) * 2 <= len(units), text
        before = layout.raw[:begin] + units[: int(match[2]) * 2].decode("utf-16-le", "ignore")
        assert len(ink(before)) == place.position.k, text
        self.seen["counted", "exact"] += 1

    def some(self) -> dict[str, Any]:
        return self.chance.choice(self.lines)

    def damaged(self, text: str) -> str:
        return damaged(text, self.chance)

    def pointer(self) -> str:
        text: str = self.some()["xpointer"]
        if self.chance.random() < 0.5:
            return text
        return re.sub(r"(?<=[^\]/])(?=/|\.\d+$)", "[1]", text)

    def span(self) -> KoboLocator:
        line = self.some()
        value = line.get("span", "kobo.1.1")
        value = self.chance.choice([value, value, "span#" + value.replace(".", "\\."), f"{line['href']}#{value}"])
        source = line["href"] if self.chance.random() < 0.7 else self.damaged(line["href"])
        value = self.damaged(value) if self.chance.random() < 0.8 else value
        return KoboLocator(source, value, self.chance.choice([None, 0, 3, 10, 10**6, -2]))


@pytest.mark.parametrize("name", NAMES)
def test_damaged_locators(name: str, tmp_path: Path) -> None:
    fuzz = Fuzz(name, tmp_path)
    fuzz.run(1_200)
    kinds = {kind for kind, _ in fuzz.seen}
    assert {"point", "range", "line"} <= kinds
    assert {status for _, status in fuzz.seen} >= {"exact", "approximate", "failed", "refused"}


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_a_million_damaged_locators(name: str, tmp_path: Path) -> None:
    fuzz = Fuzz(name, tmp_path)
    fuzz.run(250_000)
    print(name, dict(sorted(fuzz.seen.items())))
