"""Kobos of all kinds with the notes of one person: the switch, two at once, greyscale, older firmware, another file
(kobo-protocol.md 7.4, 7.8 to 7.11)."""

import shutil
import zipfile

import pytest

from appliance.library.scan import scan
from appliance.models import Annotation, Device
from appliance.reading.annotations.kobo_notes import notes_on
from tests.kobo_api.annotations.note_house import OZ, NoteHouse, ink
from tests.kobo_api.conftest import Home
from tests.library.making import epub


@pytest.fixture
def house(home: Home) -> NoteHouse:
    return NoteHouse(home)


def test_off_until_switched_on(house: NoteHouse) -> None:
    """7.4: nothing from elsewhere gets there; what the device holds is answered all the same, and all is kept."""
    house.switch(False)
    kobo = house.kobo()
    mine = kobo.mark_many(5)
    kobo.meet()
    foreign = house.marks("web", kobo.spans[20].text.strip())
    house.changes(house.row_of(kobo.notes[mine[0]]["highlightedText"])["id"], note="from the browser")
    house.removes(house.row_of(kobo.notes[mine[1]]["highlightedText"])["id"])
    before = dict(kobo.notes)
    kobo.meet()
    kobo.sim.get(kobo.book)
    assert kobo.notes == before, "as the device has it, whatever became of it elsewhere"
    kobo.sim.gone.add(mine[1])
    kobo.download()
    assert set(kobo.notes) == {*mine} - {mine[1]}, "its own come back with the file, but those that were deleted"
    kobo.meet()
    house.switch(True)
    kobo.meet()
    assert set(kobo.notes) == {*mine, foreign} - {mine[1]}
    assert kobo.notes[mine[0]]["noteText"] == "from the browser"
    house.switch(False)
    house.removes(foreign)
    kobo.meet()
    kobo.sim.get(kobo.book)
    assert foreign in kobo.notes, "switched off again, it stays as it is"


def test_two_kobos(house: NoteHouse) -> None:
    """7.11: one set for the person, a ledger for each."""
    one, two = house.kobo(), house.kobo(echoes_etag=False)
    one.mark("Pumpkinhead", "from one")
    one.meet()
    two.meet()
    [id] = two.notes
    assert two.notes[id]["noteText"] == "from one" and two.holds() == one.holds()
    two.edit(id, note="from two", colour="blue")
    two.meet()
    one.meet()
    [note] = one.notes.values()
    assert note["noteText"] == "from two" and note["highlightColor"] == "#B2E1E8"
    one.sim.gone |= set(one.notes)
    two.delete(id)
    two.meet()
    one.meet()
    assert not one.notes and not house.rows()


def test_the_same_words_marked_on_both(house: NoteHouse) -> None:
    """One highlight, under the name that each has for it."""
    one, two = house.kobo(), house.kobo()
    first, second = one.mark("Pumpkinhead"), two.mark("Pumpkinhead", "and a note")
    for _ in range(2):
        one.meet()
        two.meet()
    assert len(house.rows()) == 1 and list(one.notes) == [first] and list(two.notes) == [second]
    assert one.notes[first]["noteText"] == "and a note"


def test_a_kobo_without_colours(house: NoteHouse) -> None:
    """7.8: grey is what it writes for every colour; the colour stays what it was."""
    grey = house.kobo(is_grey=True)
    id = house.marks("web", grey.spans[9].text.strip(), colour="#90caf9")
    grey.meet()
    assert grey.notes[id]["highlightColor"] == "#A0A0A0"
    grey.sim.dogear(grey.book, grey.spans[3], grey.stamp)  # the server keeps a colour of it that nobody chose
    grey.meet()
    grey.edit(id, note="seen in grey")
    grey.meet()
    assert house.row(id)["colour"] == "web:#90caf9" and house.row(id)["note"] == "seen in grey"
    coloured = house.kobo()
    assert coloured.notes[id]["highlightColor"] == "#B2E1E8"


def test_grey_is_a_choice_on_a_model_with_colours(house: NoteHouse) -> None:
    kobo = house.kobo()
    with house.home.database.write() as session:
        session.get_one(Device, kobo.desk.device_id).details = {"model": "Kobo Libra Colour"}
    id = house.marks("web", kobo.spans[9].text.strip(), colour="#90caf9")
    kobo.meet()
    kobo.edit(id, colour="grey")
    kobo.meet()
    assert house.row(id)["colour"] == "kobo:#A0A0A0"


@pytest.mark.parametrize(
    "habits",
    [
        {"file_paths": True, "capitals": True},
        {"one_by_one": False, "echoes_etag": False},
        {"unchanged_empties": True, "limit": 7},
    ],
    ids=["older", "in-one-body", "strict-304"],
)
def test_firmware(house: NoteHouse, habits: dict[str, object]) -> None:
    """7.5 to 7.9: what differs between versions and observers makes no difference."""
    kobo = house.kobo(**habits)
    mine = kobo.mark_many(12)
    kobo.sim.dogear(kobo.book, kobo.spans[3], kobo.stamp)
    kobo.meet()
    house.marks("koreader", kobo.spans[30].text.strip(), note="x")
    kobo.meet()
    assert len(kobo.notes) == len(house.rows()) == 14
    kobo.delete(mine[4])
    kobo.edit(mine[5], note="edited")
    kobo.meet()
    assert len(kobo.notes) == len(house.rows()) == 13 and "edited" in {row["note"] for row in house.rows()}
    kobo.download()
    assert len(kobo.notes) == 13


def test_firmware_that_never_asks_by_itself_is_never_given_a_set(house: NoteHouse) -> None:
    """7.4: without the set after the download nothing is proven; its notes are kept all the same."""
    kobo = house.kobo(asks_after_download=False)
    kobo.mark_many(4)
    kobo.meet()
    house.marks("web", kobo.spans[30].text.strip())
    kobo.meet()
    assert len(kobo.notes) == 4 and len(house.rows()) == 5
    with house.home.database.read() as session:
        [book] = notes_on(session, kobo.desk.device_id)
    assert book.held == 4 and book.problem is not None and "may hold others" in book.problem


def test_beyond_the_basic_plane(home: Home) -> None:
    """7.9: offsets count UTF-16 units."""
    text = "<p>Before 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 was 😀 young, the lamp went out at four. Nobody wrote back.</p>"
    (home.folder / "books" / "astral.epub").write_bytes(epub(chapters={"one.xhtml": text * 30}))
    house = NoteHouse(home, None)
    kobo = house.kobo()
    kobo.mark("young, the lamp")
    kobo.meet()
    [row] = house.rows()
    assert [words for words, _ in house.seen("web").values()] == [ink("young, the lamp")]
    other = house.kobo()
    assert other.holds() == ["young, the lamp"]
    other.sim.check_places(other.book, other.file)
    assert row["place_status"] == "exact"


def test_what_cannot_be_placed_is_listed_with_the_reason(house: NoteHouse) -> None:
    """7.9: refused rather than written where it does not belong."""
    kobo = house.kobo()
    good = house.marks("web", kobo.spans[9].text.strip())
    bad = house.marks("koreader", kobo.spans[11].text.strip())
    with house.home.database.write() as session:
        session.get_one(Annotation, bad).text = "Words that stand nowhere near the place of this mark."
    kobo.meet()
    assert list(kobo.notes) == [good]
    with house.home.database.read() as session:
        [book] = notes_on(session, kobo.desk.device_id)
    assert [one.reason for one in book.left_out] == ["The file on the Kobo has other words there."]
    assert book.problem is None and book.held == 1


@pytest.mark.parametrize("is_late", [False, True], ids=["kept", "late"])
def test_another_file_of_the_same_book(house: NoteHouse, is_late: bool) -> None:
    """4.10, 7.11: carried over to the spans of the new file; what has no place there stays out, and comes when it has
    one."""
    kobo = house.kobo()
    kobo.mark("Pumpkinhead", "stays")
    kobo.meet()
    former = house.home.folder / "former.epub"
    shutil.copy(house.home.folder / "books" / OZ, former)
    texts = house.home.house.texts
    if not is_late:
        texts.keep(house.epub, former)
    _shift(house)
    kobo.desk.sync()
    kobo.download()
    if is_late:
        assert not kobo.notes and len(kobo.ledger().left_out) == 1
        texts.keep(house.epub, former)
        kobo.meet()
    assert kobo.holds() == ["Pumpkinhead"] and len(house.rows()) == 1
    kobo.sim.check_places(kobo.book, kobo.file)
    [id] = kobo.notes
    kobo.edit(id, note="edited there")
    kobo.meet()
    assert [row["note"] for row in house.rows()] == ["edited there"]


def test_many_deletions_at_once_wait_for_a_person(house: NoteHouse) -> None:
    """A reset or a bug that deletes everything is no wish of anybody's; the other readers keep it."""
    kobo = house.kobo(one_by_one=False)
    mine = kobo.mark_many(20)
    kobo.meet()
    other = house.kobo()
    for id in mine[:15]:
        kobo.delete(id)
    kobo.meet()
    assert len(kobo.notes) == 5 and len(house.rows()) == 20
    assert sum(row["held_at"] is not None for row in house.rows()) == 15
    other.meet()
    assert len(other.notes) == 20


def _shift(house: NoteHouse) -> None:
    """The file gets a preface in every chapter, so that its spans are numbered otherwise."""
    source = house.home.folder / "books" / OZ
    with zipfile.ZipFile(source) as archive:
        entries = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(source, "w") as archive:
        for info, data in entries:
            if info.filename.endswith((".xhtml", ".html")) and b"<body" in data:
                at = data.index(b">", data.index(b"<body")) + 1
                data = data[:at] + b"<p>A new preface. It has two sentences.</p>" + data[at:]
            archive.writestr(info, data)
    house.home.clock.forward(hours=1)
    scan(house.home.house)
