"""A book whose contents lead into the middle of its documents: on the Kobo every note is shown, and everybody else sees
it over the same words (kobo-protocol.md 6.2, 10.1)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.kepub import Conversion, convert, make_kepub
from tests.kepub.kepubs import BOOKS
from tests.kobo_api.annotations.note_house import NoteHouse, ink
from tests.kobo_api.conftest import Home
from tests.simulators.kobo.kepub import Kepub

ALICE = "calibre-docx_alice.epub"
FIRST = "Alice was beginning to get very tired"
LATER = [
    "The Caterpillar and Alice looked at each other",
    "took down a jar from one of the shelves",
    "Where shall I begin",
]


def test_marks_in_every_chapter(home: Home) -> None:
    house = NoteHouse(home, ALICE)
    kobo = house.kobo()
    assert len({kobo.file.find(words).source for words in (FIRST, *LATER)}) == 3
    for words in (FIRST, *LATER[:2]):
        kobo.mark(words)
    kobo.meet()  # the simulator complains of a note that it would not show
    assert {words for words, _ in house.seen("koreader").values()} == {ink(words) for words in (FIRST, *LATER[:2])}
    mine = house.marks("web", LATER[2], note="from the browser")
    kobo.meet()
    assert kobo.notes[mine]["noteText"] == "from the browser" and len(kobo.notes) == 4
    assert kobo.notes[mine]["location"]["span"]["chapterFilename"] == kobo.file.find(LATER[2]).source


@pytest.mark.parametrize(("make", "drawn"), [(convert, False), (make_kepub, True)], ids=["whole", "divided"])
def test_what_the_simulator_is_strict_about(tmp_path: Path, make: Callable[..., Conversion], drawn: bool) -> None:
    make(BOOKS / ALICE, tmp_path / "made.kepub.epub", "built-in")
    file = Kepub(tmp_path / "made.kepub.epub")
    assert {file.is_drawn(file.find(words)) for words in (FIRST, *LATER)} == {drawn}
