"""Highlights between a Kobo and KOReader: marked, edited, coloured and deleted on each side, over the same words
(kobo-protocol.md 7.9, 7.11; koreader.md 4)."""

from typing import Any
from uuid import uuid4

import pytest

from appliance.positions import RangePlace
from appliance.positions.dialects import decode, parse, write
from appliance.positions.ranges import range_text
from appliance.reading.annotations.record import exchange, follow, offer
from appliance.reading.annotations.report import Caller, Deletion, Said
from tests.kobo_api.annotations.note_house import NoteHouse, NoteKobo, ink, words_in
from tests.kobo_api.conftest import Home

Mark = dict[str, Any]


class KOReader:
    """The EPUB open in KOReader. `marks`: what its own file of notes holds, by its own names: the two XPointers and the
    fields. It tells all of that each time, then does as it is told."""

    def __init__(self, house: NoteHouse) -> None:
        self.house, self.book = house, house.open()
        self.marks: dict[str, Mark] = {}
        self._deleted: list[str] = []

    def mark(self, words: str, note: str = "", colour: str = "yellow") -> str:
        name = f"2026-03-01 {uuid4()}"
        fields = {"text": words, "note": note, "colour": colour, "style": "lighten"}
        self.marks[name] = {"range": self._range(words), **fields}
        return name

    def extend(self, name: str, words: str) -> None:
        """Move the ends of a highlight."""
        self.marks[name] |= {"range": self._range(words), "text": words}

    def delete(self, name: str) -> None:
        del self.marks[name]
        self._deleted.append(name)

    def sync(self) -> None:
        said = [
            Said(name, "highlight", mark["range"], {field: mark[field] for field in mark if field != "range"})
            for name, mark in self.marks.items()
        ]
        exchange(self.house.home.house, self._caller, said, [Deletion(name) for name in self._deleted], complete=True)
        self._deleted.clear()
        offers = offer(self.house.home.house, self._caller)
        for one in offers:
            if one.due == "remove":
                del self.marks[one.native_id]
            else:
                self.marks[one.native_id] = {"range": one.range, **one.fields}
        follow(self.house.home.house, self._caller, {one.native_id: one.row["version"] for one in offers})

    def marked(self) -> dict[str, str]:
        """The words between its XPointers, in its own file, and the name of each."""
        return {ink(self._words(mark)): name for name, mark in self.marks.items()}

    @property
    def _caller(self) -> Caller:
        return self.house.caller("koreader")

    def _range(self, words: str) -> Any:
        return write(self.book, "xpointer", words_in(self.book, words)).value

    def _words(self, mark: Mark) -> str:
        assert all(end.startswith("/body/DocFragment[") for end in mark["range"])
        place = decode(self.book, "xpointer", parse("xpointer", mark["range"]))
        assert isinstance(place, RangePlace) and place.range is not None
        return range_text(self.book, place.range)


@pytest.fixture
def kobo(home: Home) -> NoteKobo:
    return NoteHouse(home).kobo()


@pytest.fixture
def koreader(kobo: NoteKobo) -> KOReader:
    return KOReader(kobo.house)


def meet(kobo: NoteKobo, koreader: KOReader) -> None:
    """Both until neither has news; then both hold the same words."""
    for _ in range(2):
        koreader.sync()
        kobo.meet()
    assert sorted(koreader.marked()) == sorted(ink(words) for words in kobo.holds())
    kobo.wire.answers.clear()
    kobo.meet()
    assert len(kobo.wire.answers) == 1, "nothing is said or fetched again"


def test_a_highlight_of_koreader(kobo: NoteKobo, koreader: KOReader) -> None:
    words = kobo.spans[9].text.strip()
    name = koreader.mark(words, "from KOReader", "red")
    meet(kobo, koreader)
    [id] = kobo.notes
    assert kobo.notes[id]["noteText"] == "from KOReader" and kobo.notes[id]["highlightColor"] == "#E8AFCF"

    koreader.marks[name] |= {"note": "edited in KOReader", "colour": "green"}
    meet(kobo, koreader)
    assert kobo.notes[id]["noteText"] == "edited in KOReader" and kobo.notes[id]["highlightColor"] == "#C6E09E"

    kobo.edit(id, note="edited on the Kobo")
    meet(kobo, koreader)
    assert koreader.marks[name]["note"] == "edited on the Kobo" and koreader.marks[name]["colour"] == "green"
    kobo.edit(id, colour="blue")
    meet(kobo, koreader)
    assert koreader.marks[name]["colour"] == "blue" and koreader.marks[name]["style"] == "lighten"

    koreader.marks[name] |= {"note": ""}
    koreader.extend(name, words[: len(words) // 2].strip())
    meet(kobo, koreader)
    assert kobo.notes[id]["type"] == "highlight" and kobo.holds() == [words[: len(words) // 2].strip()]

    koreader.delete(name)
    kobo.sim.gone.add(id)
    meet(kobo, koreader)
    assert not kobo.notes and not kobo.house.rows()


def test_a_highlight_of_the_kobo(kobo: NoteKobo, koreader: KOReader) -> None:
    first, last = kobo.spans[20], kobo.spans[22]
    between = kobo.spans[21].text
    id = kobo.sim.add(kobo.book, first, "from the Kobo", kobo.stamp, last=last, between=between, start=2, end=7)
    other = kobo.mark("Pumpkinhead", colour="pink")
    meet(kobo, koreader)
    name = koreader.marked()[ink(kobo.notes[id]["highlightedText"])]
    assert koreader.marks[name]["note"] == "from the Kobo" and koreader.marks[name]["colour"] == "yellow"

    kobo.edit(id, note="edited on the Kobo", colour="green")
    meet(kobo, koreader)
    assert koreader.marks[name]["note"] == "edited on the Kobo" and koreader.marks[name]["colour"] == "green"

    koreader.marks[name] |= {"note": "edited in KOReader", "colour": "orange"}
    meet(kobo, koreader)
    assert kobo.notes[id]["noteText"] == "edited in KOReader" and kobo.notes[id]["highlightColor"] == "#F6F3B3"
    kobo.edit(id, note="")
    meet(kobo, koreader)
    assert koreader.marks[name]["note"] == "" and koreader.marks[name]["colour"] == "orange", "not as a Kobo shows it"

    koreader.delete(koreader.marked()["Pumpkinhead"])
    kobo.sim.gone.add(other)
    meet(kobo, koreader)
    assert list(kobo.notes) == [id] and list(koreader.marks) == [name]
    kobo.delete(id)
    meet(kobo, koreader)
    assert not koreader.marks and not kobo.house.rows()


def test_both_at_once(kobo: NoteKobo, koreader: KOReader) -> None:
    """Notes written on both sides are both kept; what one edits while the other deletes it stays."""
    name, spared = koreader.mark(kobo.spans[9].text.strip(), "one"), koreader.mark(kobo.spans[30].text.strip(), "two")
    meet(kobo, koreader)
    ids = {one["noteText"]: id for id, one in kobo.notes.items()}
    kobo.edit(ids["one"], note="on the Kobo", colour="pink")
    kobo.delete(ids["two"])
    koreader.marks[name] |= {"note": "in KOReader"}
    koreader.marks[spared] |= {"note": "two, edited"}
    meet(kobo, koreader)
    row = kobo.house.row_of(kobo.notes[ids["one"]]["highlightedText"])
    assert {row["note"], *row["other_notes"]} == {"on the Kobo", "in KOReader"}
    assert koreader.marks[name]["note"] == kobo.notes[ids["one"]]["noteText"] == row["note"]
    assert "two, edited" in {one.get("noteText") for one in kobo.notes.values()}
