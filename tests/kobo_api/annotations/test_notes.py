"""Notes of a Kobo: kept, carried elsewhere, brought back (kobo-protocol.md 7)."""

import json

import pytest

from tests.kobo_api.annotations.note_house import NoteHouse, ink
from tests.kobo_api.conftest import Home

GARDEN = "Mombi"


@pytest.fixture
def house(home: Home) -> NoteHouse:
    return NoteHouse(home)


def test_marks_of_a_kobo_reach_everybody_word_by_word(house: NoteHouse) -> None:
    """7.5, 7.9: the exact words, as CFI ranges for the browser and XPointers for KOReader."""
    kobo = house.kobo()
    spans = kobo.spans
    kobo.sim.add(kobo.book, spans[10], None, kobo.stamp)
    kobo.sim.add(kobo.book, spans[20], "a note", kobo.stamp, last=spans[22], between=spans[21].text, start=2, end=7)
    kobo.meet()
    said = sorted(ink(one["highlightedText"]) for one in kobo.notes.values())
    for surface in ("web", "koreader"):
        assert sorted(words for words, _ in house.seen(surface).values()) == said
    assert {row["note"] for row in house.rows()} == {"", "a note"}
    assert not kobo.book.pending


def test_marks_from_elsewhere_reach_the_kobo(house: NoteHouse) -> None:
    """7.4, 7.9: written for the file that it holds, over the same words; the simulator compares them with the file."""
    kobo = house.kobo()
    words = [kobo.spans[number].text.strip() for number in (5, 9, 30)]
    web = house.marks("web", words[0], colour="#f8bbd0")
    house.marks("koreader", words[1], note="from KOReader", colour="red")
    house.marks("koreader", words[2], kind="bookmark")
    kobo.meet()
    kinds = sorted(one["type"] for one in kobo.notes.values())
    assert kinds == ["dogear", "highlight", "note"]
    assert kobo.notes[web]["highlightColor"] == "#E8AFCF" and kobo.notes[web]["highlightedText"] == words[0]
    [note] = [one for one in kobo.notes.values() if one["type"] == "note"]
    assert note["noteText"] == "from KOReader" and note["highlightColor"] == "#E8AFCF", "red is shown as pink"
    kobo.wire.answers.clear()
    kobo.meet()
    assert [json.loads(one.content) for one in kobo.wire.answers] == [[]], "it is not asked to fetch the same again"


def test_edits_travel_both_ways(house: NoteHouse) -> None:
    """7.11: note and colour, from either side."""
    kobo = house.kobo()
    words = kobo.spans[5].text.strip()
    id = house.marks("web", words, note="one")
    kobo.meet()
    kobo.edit(id, note="two", colour="green")
    kobo.meet()
    assert house.row(id)["note"] == "two" and house.seen("koreader")[id][1]["colour"] == "green"
    assert len(house.rows()) == 1
    house.changes(id, note="three")
    kobo.meet()
    assert kobo.notes[id]["noteText"] == "three" and kobo.notes[id]["highlightColor"] == "#C6E09E"
    house.changes(id, note="")
    kobo.meet()
    assert kobo.notes[id]["type"] == "highlight" and "noteText" not in kobo.notes[id]


def test_deletions_travel_both_ways(house: NoteHouse) -> None:
    """7.11: omitted from the set, and the book is named; a tombstone of the device reaches everybody."""
    kobo = house.kobo()
    mine = kobo.mark_many(8)
    kobo.meet()
    from_web = house.marks("web", kobo.spans[30].text.strip())
    kobo.meet()
    assert len(kobo.notes) == 9
    row = house.row_of(kobo.notes[mine[3]]["highlightedText"])
    house.removes(row["id"])
    kobo.sim.gone.add(mine[3])
    kobo.meet()
    assert len(kobo.notes) == 8 and mine[3] not in kobo.notes
    kobo.delete(from_web)
    kobo.meet()
    assert house.row(from_web)["deleted_at"] is not None and len(house.rows()) == 7
    assert not kobo.book.tombstones


def test_a_note_comes_back_as_the_text_that_was_sent(house: NoteHouse) -> None:
    """7.9: the whole item, unchanged, with all that is not understood: after another download on the same file."""
    kobo = house.kobo()
    [id] = kobo.mark_many(1)
    raw = '{"futureField":{"b":1.0,"a":[1e3]},' + json.dumps(kobo.notes[id], indent=1)[1:]
    kobo.wire.home.clock.forward(minutes=1)
    body = b'{"updatedAnnotations": [ ' + raw.encode() + b" ]}"
    assert _patch(kobo, body) == 204
    kobo.book.pending = []
    kobo.download()
    assert raw in kobo.wire.answers[-1].text
    kobo.edit(id, note="now with a note")
    kobo.meet()
    house.changes(house.rows()[0]["id"], colour="#a5d6a7")
    kobo.meet()
    assert kobo.notes[id]["highlightColor"] == "#C6E09E" and kobo.notes[id]["noteText"] == "now with a note"


def test_dogears_are_bookmarks(house: NoteHouse) -> None:
    """7.10"""
    kobo = house.kobo()
    id = kobo.sim.dogear(kobo.book, kobo.spans[12], kobo.stamp)
    kobo.meet()
    [row] = house.rows()
    assert row["kind"] == "bookmark" and row["first"] == row["last"] and row["place_status"] == "exact"
    house.removes(row["id"])
    kobo.sim.gone.add(id)
    kobo.meet()
    assert not kobo.notes


def test_ink_is_kept_as_it_came_and_keeps_the_book_from_being_named(house: NoteHouse) -> None:
    """7.10: only the device has the pictures."""
    kobo = house.kobo()
    id = kobo.sim.ink(kobo.book, kobo.spans[12], kobo.stamp)
    sent = json.dumps(kobo.notes[id])
    kobo.meet()
    house.marks("web", kobo.spans[20].text.strip())
    kobo.meet()
    assert list(kobo.notes) == [id], "not named"
    other = house.kobo()
    assert len(other.notes) == 1 and "markup" not in {one["type"] for one in other.notes.values()}
    assert list(other.ledger().left_out.values()) == ["ink"]
    kobo.download()
    assert len(kobo.notes) == 2 and sent in kobo.wire.answers[-1].text


def _patch(kobo: object, body: bytes) -> int:
    from kobo_api.reading_services import content, identified

    house = kobo.house.home.house  # type: ignore[attr-defined]
    path, headers = f"/{kobo.id}/annotations", kobo.wire.headers  # type: ignore[attr-defined]
    return content(house, identified(house, "PATCH", path, "", headers, body)).status
