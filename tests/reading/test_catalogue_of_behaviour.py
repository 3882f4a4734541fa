"""The rows of the failure catalogue (docs/reference/positions.md A.2) that are about what a server does.

The others are in tests/positions/test_failure_catalogue.py. What KOSync answers to rows 31 and 32 on the wire is in
tests/koreader_api/kosync/test_kosync.py.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from appliance.kepub import convert
from appliance.library.scan import scan
from appliance.models import Rendition
from appliance.positions import KoboLocator, Reason, Status
from appliance.reading.progress.locate import write_kobo
from appliance.reading.progress.report import Act
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household

TEXT = "<p>One morning. <b>Two</b> birds. Three more.</p>\n" * 60
PLACE = "/body/DocFragment[2]/body/p[30]/b/text().0"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with house_in(tmp_path_factory.mktemp("house")) as house:
        yield Household(house, epub(chapters={"one.xhtml": TEXT, "two.xhtml": TEXT}))


@pytest.fixture
def home(house: Household) -> Household:
    house.somebody_else()
    return house


@pytest.fixture
def reader(home: Household) -> int:
    return home.device("kosync")


@pytest.fixture
def other(home: Household) -> int:
    return home.device("kosync")


def test_row_29_a_percentage_alone_is_approximate_and_moves_no_exact_place(
    home: Household, reader: int, other: int
) -> None:
    home.says(reader, "xpointer", PLACE)
    before = home.progress()
    assert before is not None
    for percent in (before["fraction"] - 0.015, before["fraction"], before["fraction"] + 0.015):
        home.says(other, "xpointer", "", percent=percent)
        entry = home.last_entry()
        assert (entry.place_status, entry.place_reason) == (Status.APPROXIMATE, Reason.FRACTION)
        assert (entry.outcome, home.progress()) in (("history", before), ("echo", before))
    assert home.says(other, "xpointer", "", percent=0.95).kind == "current", "read on for long is another matter"


def test_row_29_nothing_but_a_percentage(home: Household, reader: int, other: int) -> None:
    """It says that it is approximate, to everybody and in each dialect."""
    home.says(reader, "xpointer", "", percent=0.6)
    for dialect in ("xpointer", "xpointer-indexed", "cfi", "kobo"):
        given = home.asks(other, dialect)
        assert given.encoded.locator is not None
        assert (given.encoded.status, given.encoded.reason) == (Status.APPROXIMATE, Reason.FRACTION)


@pytest.mark.parametrize("progress", ["", "12", "0", "p. 7", "epubcfi(/6/4!/4/2)"])
@pytest.mark.parametrize("percent", [None, 0.7])
def test_row_31_a_page_number_or_nothing_is_never_given(
    home: Household, reader: int, other: int, progress: str, percent: float | None
) -> None:
    """KOReader would keep it and could not find its place again."""
    outcome = home.says(reader, "xpointer", progress, percent=percent)
    if percent is None:
        assert outcome.kind == "rejected" and home.progress() is None
        return
    for device in (reader, other):
        given = home.asks(device, "xpointer").encoded.locator
        assert given is not None and home.open(home.epub).decode_xpointer(given).status is Status.EXACT


def test_row_32_a_pointer_that_does_not_resolve(home: Household, reader: int, other: int) -> None:
    """KOReader opens such a book at page 1 and pushes 0 % back: the string is not passed on, and nobody goes back."""
    home.says(other, "xpointer", PLACE)
    before = home.progress()
    nowhere = "/body/DocFragment[77]/body/p[3]/text().0"
    assert home.says(reader, "xpointer", nowhere).kind == "rejected"
    assert home.says(reader, "xpointer", nowhere, percent=0.0).kind == "suggestion"
    assert home.says(reader, "xpointer", "/body/DocFragment[1]/body/p[1]/text().0", percent=0.0).kind in (
        "suggestion",
        "echo",
    )
    assert home.progress() == before
    for device in (reader, other):
        assert home.asks(device, "xpointer").encoded.locator == PLACE


def test_row_32_in_a_known_document_a_percentage_tells_roughly_where(home: Household, reader: int) -> None:
    """A path that another version of the file had: not the document's start, which is another place altogether."""
    book = home.open(home.epub)
    said = "/body/DocFragment[1]/body/section/p[999]/text().0"
    assert book.decode_xpointer(said).reason is Reason.NO_PLACE
    home.says(reader, "xpointer", said, percent=0.1)
    entry = home.last_entry()
    assert entry.place_status == Status.APPROXIMATE
    assert entry.tick == pytest.approx(0.1 * book.summary.total, rel=0.3)


def test_row_32_what_is_given_resolves_in_the_very_file(home: Household, reader: int) -> None:
    """Whatever the last report was: a string of the other file is never taken over."""
    kepub = home.open(home.kepub)
    home.says(reader, "xpointer", PLACE)
    given = home.asks(reader, "xpointer", home.kepub).encoded.locator
    assert given == "/body/DocFragment[2]/body/div/div/p[30]/b/span/text().0"
    assert kepub.decode_xpointer(given).status is Status.EXACT
    assert kepub.decode_xpointer(PLACE).status is not Status.EXACT


def test_row_33_the_converter_was_changed(home: Household, reader: int, tmp_path: Path) -> None:
    """Span ids belong to one file. A device that holds the old one goes on speaking of it, and is answered in it."""
    old = home.house.settings.books[0] / "old.kepub.epub"
    convert(home.open(home.epub).path, tmp_path / "made.kepub.epub", engine="built-in")
    renumbered(tmp_path / "made.kepub.epub", old)
    scan(home.house)
    with home.house.database.read() as session:
        renditions = session.exec(select(Rendition).where(Rendition.book_id == home.book_id)).all()
    [sha256] = {one.sha256 for one in renditions} - {home.epub, home.kepub}
    kobo, new_kobo = home.device("kobo"), home.device("kobo")
    source = "OPS/two.xhtml"
    home.says(kobo, "kobo", write_kobo(KoboLocator(source, "kobo.130.1")), sha256)
    assert home.asks(reader, "xpointer").encoded.locator == "/body/DocFragment[2]/body/p[30]/text()[1].0"
    assert home.asks(new_kobo, "kobo").encoded.locator == KoboLocator(source, "kobo.30.1")
    assert home.asks(kobo, "kobo", sha256).encoded.locator == KoboLocator(source, "kobo.130.1")
    # The old id means nothing in the new file, and what is near it is not called exact.
    stale = home.open(home.kepub).decode_kobo(source, "kobo.130.1")
    assert stale.status is Status.APPROXIMATE
    # When the old file is gone the new one does not stand in for it: its ids would be other places.
    old.unlink()
    scan(home.house)
    home.house.shelf.close()
    outcome = home.says(kobo, "kobo", write_kobo(KoboLocator(source, "kobo.131.1")), sha256, act=Act.UNKNOWN)
    assert outcome.kind == "rejected" or home.last_entry().place_status != Status.EXACT


def renumbered(source: Path, target: Path) -> None:
    """As another converter would have numbered it: a hundred paragraphs higher."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".xhtml"):
                data = re.sub(rb'id="kobo\.(\d+)', lambda match: b'id="kobo.%d' % (int(match[1]) + 100), data)
            new.writestr(name, data)
