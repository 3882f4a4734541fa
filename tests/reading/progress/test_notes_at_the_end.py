"""Documents outside the reading order (`linear="no"`) weigh nothing (docs/reference/positions.md C.7)."""

from collections.abc import Iterator

import pytest
from sqlmodel import select

from appliance.models import BookState
from appliance.reading.progress.report import Act
from tests.library.conftest import house_in
from tests.library.making import PROSE, epub
from tests.reading.household import Household

TEXT, NOTES = f"<p>{PROSE}</p>" * 3, f"<p>{PROSE}</p>"


@pytest.fixture
def home(tmp_path) -> Iterator[Household]:
    chapters = {"one.xhtml": TEXT, "two.xhtml": TEXT, "notes.xhtml": NOTES}
    with house_in(tmp_path) as house:
        yield Household(house, epub(chapters=chapters, aside=("notes.xhtml",)))


def status(home: Household) -> str:
    with home.house.database.read() as session:
        return session.exec(select(BookState.status)).one()


def reads(home: Household, device: int, document: int, letter: int, act: Act = Act.READ) -> str:
    locator = f"/body/DocFragment[{document}]/body/p[1]/text().{letter}"
    return home.says(device, "xpointer", locator, act=act).reason


def test_who_read_the_main_text_has_finished_the_book(home: Household) -> None:
    koreader = home.device("koreader")
    reads(home, koreader, 1, 100)
    assert status(home) == "reading"
    home.says(koreader, "xpointer", f"/body/DocFragment[2]/body/p[3]/text().{len(PROSE) - 5}", act=Act.READ)
    assert status(home) == "finished"
    progress = home.progress()
    assert progress is not None and progress["fraction"] > 0.99 > progress["tick"] / progress["total"]


def test_who_looks_up_a_note_has_not_finished_it(home: Household) -> None:
    koreader = home.device("koreader")
    reads(home, koreader, 1, 100, Act.UNKNOWN)
    before = home.progress()
    assert reads(home, koreader, 3, 50, Act.UNKNOWN) == "newest"
    after = home.progress()
    assert before is not None and after is not None
    assert (after["document"], after["fraction"]) == ("OPS/notes.xhtml", before["fraction"])
    assert status(home) == "reading"
    assert reads(home, koreader, 1, 400, Act.UNKNOWN) == "newest", "back in the text without being asked"
