"""After a backup was put back, the database of the plugged-in Kobo proves what it holds (kobo-protocol.md 7.4)."""

from pathlib import Path

import pytest

from kobo_api.plugged_in.device_database import open_copy
from kobo_api.plugged_in.importing import Taken, find_all, take
from kobo_api.plugged_in.matching import Match
from tests.kobo_api.annotations.note_house import NoteHouse, NoteKobo
from tests.kobo_api.conftest import Home
from tests.kobo_api.plugged_in.device_files import Drive


def plug_in(house: NoteHouse, kobo: NoteKobo, folder: Path, ink: bool) -> None:
    """Import what the device holds, as its own database has it."""
    from appliance.models import Device

    drive = Drive(folder)
    drive.add_book(kobo.id, "The Marvelous Land of Oz")
    spans = {(span.source, span.id): span for document in kobo.file.documents for span in document.spans}
    for id, note in kobo.notes.items():
        where = note["location"]["span"]
        span = spans[where["chapterFilename"], where["startPath"].rpartition("#")[2].replace("\\", "")]
        drive.mark(kobo.id, span, note.get("noteText"), BookmarkID=id)
    if ink:
        drive.mark(kobo.id, kobo.spans[2], kind="markup", Text="", ExtraAnnotationData=b"x")
    with house.home.database.read() as session:
        device = session.get_one(Device, kobo.desk.device_id)
    with open_copy(drive.database) as database:
        for found in list(find_all(house.home.house, device, drive.folder, database, lambda done, total: None)):
            assert isinstance(found.match, Match)
            take(house.home.house, device, found, Taken())


@pytest.mark.parametrize("ink", [False, True])
def test_an_import_ends_the_doubt(home: Home, tmp_path: Path, ink: bool) -> None:
    house = NoteHouse(home)
    kobo = house.kobo(one_by_one=False)
    kobo.mark_many(10)
    kobo.meet()
    backup = house.back_up()
    kobo.sim.add(kobo.book, kobo.spans[-1], "made in the lost night", kobo.stamp)
    kobo.meet()
    house.home.put_books(1)
    kobo.desk.sync()
    house.restore(backup)
    kobo.desk.sync()
    added = house.marks("web", kobo.spans[-3].text.strip())
    kobo.meet()
    assert len(kobo.notes) == 11 and kobo.ledger().doubt
    plug_in(house, kobo, tmp_path / "drive", ink)
    assert "made in the lost night" in {row["note"] for row in house.rows()} and len(house.rows()) == 12
    kobo.meet()
    assert (added in kobo.notes) == (not ink) and len(kobo.notes) == (11 if ink else 12)
