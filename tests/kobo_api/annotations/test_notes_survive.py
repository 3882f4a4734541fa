"""88 notes on a Kobo, and everything that can go wrong: it keeps them all, or gets them back (kobo-protocol.md 7.3)."""

from unittest.mock import patch

import pytest

from kobo_api.annotations import incoming, outgoing
from tests.kobo_api.annotations.note_house import NoteHouse, NoteKobo
from tests.kobo_api.conftest import Home
from tests.simulators.kobo import Violation
from tests.simulators.kobo.annotations import Habits

MANY = 88


@pytest.fixture
def house(home: Home) -> NoteHouse:
    return NoteHouse(home)


@pytest.fixture
def kobo(house: NoteHouse) -> NoteKobo:
    kobo = house.kobo(one_by_one=False)
    kobo.mark_many(MANY)
    kobo.meet()
    assert len(house.rows()) == MANY
    return kobo


def test_an_error_of_the_server_names_no_book(house: NoteHouse, kobo: NoteKobo) -> None:
    """7.3: what would empty the set is never asked for."""
    house.marks("web", kobo.spans[-1].text.strip())
    with patch.object(outgoing, "survey", side_effect=OSError("the disk is gone")):
        kobo.meet()
    assert len(kobo.notes) == MANY
    kobo.meet()
    assert len(kobo.notes) == MANY + 1


def test_an_error_between_naming_and_giving(house: NoteHouse, kobo: NoteKobo) -> None:
    """The set was stored when the book was named, so that giving it takes next to nothing; when even that fails, it is
    told that nothing changed, and the next check names the book again."""
    house.marks("web", kobo.spans[-1].text.strip())
    with patch.object(outgoing, "_page", side_effect=OSError("the database is gone")):
        kobo.meet()
    assert len(kobo.notes) == MANY and kobo.wire.answers[-1].status_code == 304
    kobo.meet()
    assert len(kobo.notes) == MANY + 1


@pytest.mark.parametrize("pushes", [True, False])
def test_the_set_is_made_when_the_file_has_arrived(house: NoteHouse, kobo: NoteKobo, pushes: bool) -> None:
    """7.3: what the device asks for then is stored already, unless it would be another one by now. When it could not be
    made, it is made then."""
    kobo.sim.habits = Habits(asks_after_download=False)
    added = house.marks("web", kobo.spans[-1].text.strip())
    house.switch(pushes)
    kobo.download()
    with patch.object(outgoing, "survey", side_effect=OSError("too late")):
        kobo.sim.get(kobo.book)
    assert (added in kobo.notes) == pushes and len(kobo.notes) == (MANY + 1 if pushes else MANY)

    kobo.download()
    house.switch(True)
    again = house.marks("web", kobo.spans[-2].text.strip())
    kobo.sim.get(kobo.book)
    assert {added, again} < kobo.notes.keys() and len(kobo.notes) == MANY + 2

    with patch.object(outgoing, "survey", side_effect=OSError("the disk is gone")):
        kobo.download()
    kobo.sim.get(kobo.book)
    assert len(kobo.notes) == MANY + 2


@pytest.mark.parametrize("how", ["error", "hang", "lost"])
def test_what_the_network_empties_is_full_again_at_the_next_meeting(house: NoteHouse, kobo: NoteKobo, how: str) -> None:
    """7.4: a set that broke off leaves the device with nothing; it is given again, whole."""
    house.marks("web", kobo.spans[-1].text.strip())
    kobo.wire.failing = {"GET": how}
    if how == "error":  # of ours: harmless
        kobo.meet()
    else:
        with pytest.raises(Violation, match="lost 88 notes"):
            kobo.meet()
    kobo.wire.failing = {}
    kobo.meet()
    assert len(kobo.notes) == MANY + 1 and len(house.rows()) == MANY + 1


def test_pages_of_one_set_while_others_change_it(house: NoteHouse, kobo: NoteKobo) -> None:
    """7.7: the pages are of one revision; what changes meanwhile comes with the next."""
    small = house.kobo(limit=10)
    assert len(small.notes) == MANY
    house.marks("web", small.spans[-1].text.strip())
    first = small.wire.send

    def meanwhile(method: str, url: str, *rest: object) -> object:
        answer = first(method, url, *rest)
        if method == "GET" and "pageOffsetToken" not in url:
            house.removes(house.rows()[0]["id"])
            house.marks("koreader", small.spans[-3].text.strip())
        return answer

    with patch.object(small.wire, "send", meanwhile):
        small.meet()
    assert len(small.notes) == MANY + 1
    small.sim.gone |= set(small.notes)
    small.meet()
    assert len(small.notes) == len(house.rows()) == MANY + 1


def test_a_restart_between_two_pages(house: NoteHouse, kobo: NoteKobo) -> None:
    """The pages are in the database, so another process goes on with them."""
    small = house.kobo(limit=10)
    house.marks("web", small.spans[-1].text.strip())
    send = small.wire.send

    def restarting(method: str, url: str, *rest: object) -> object:
        house.home.database.engine.dispose()
        return send(method, url, *rest)

    with patch.object(small.wire, "send", restarting):
        small.meet()
    assert len(small.notes) == MANY + 1


@pytest.mark.parametrize("how", ["error", "hang", "cut"])
def test_a_change_that_was_not_acknowledged_is_sent_again_and_counts_once(
    house: NoteHouse, kobo: NoteKobo, how: str
) -> None:
    """7.5: power loss between commit and answer, and every error before: the device keeps its delta."""
    id = kobo.sim.add(kobo.book, kobo.spans[-1], "unsent", kobo.stamp)
    kobo.wire.failing = {"PATCH": how}
    kobo.meet()
    assert [one["id"] for one in kobo.book.pending] == [id] and len(kobo.notes) == MANY + 1
    kobo.wire.failing = {}
    kobo.meet()
    kobo.meet()
    assert not kobo.book.pending and len(house.rows()) == MANY + 1
    assert [row["note"] for row in house.rows()].count("unsent") == 1


def test_a_note_that_could_not_be_kept_stops_every_set(house: NoteHouse, kobo: NoteKobo) -> None:
    """7.4: the last PATCH failed, so the device holds what nobody else has, even if a later one went well."""
    id = kobo.sim.add(kobo.book, kobo.spans[-1], "unsent", kobo.stamp)
    house.marks("web", kobo.spans[-3].text.strip())
    with patch.object(incoming, "exchange", side_effect=OSError("disk full")):
        kobo.meet()
    assert len(kobo.notes) == MANY + 1 and kobo.ledger().owed == [id]
    waiting, kobo.book.pending = kobo.book.pending, []
    kobo.sim.add(kobo.book, kobo.spans[-4], "later", kobo.stamp)
    kobo.meet()
    assert len(kobo.notes) == MANY + 2 and kobo.ledger().owed == [id]
    kobo.sim.get(kobo.book)
    assert len(kobo.notes) == MANY + 2, "nor when it asks by itself"
    kobo.book.pending = waiting
    kobo.meet()
    assert kobo.ledger().owed == [] and len(kobo.notes) == MANY + 3


@pytest.mark.parametrize("echoes", [True, False])
def test_the_database_of_the_night_before(house: NoteHouse, echoes: bool) -> None:
    """The server knows fewer notes than the device: the smaller set is never given (7.3, 7.4)."""
    kobo = house.kobo(one_by_one=False, echoes_etag=echoes)
    kobo.mark_many(40)
    kobo.meet()
    backup = house.back_up()
    house.marks("web", kobo.spans[-1].text.strip())
    kobo.mark_many(MANY)
    kobo.meet()
    house.home.put_books(1)
    kobo.desk.sync()
    assert len(kobo.notes) == 40 + MANY + 1 and not kobo.book.pending
    house.restore(backup)
    assert len(house.rows()) == 40
    house.marks("koreader", kobo.spans[-3].text.strip())
    for _ in range(3):
        kobo.desk.sync()
        kobo.meet()
        kobo.sim.get(kobo.book)
        assert len(kobo.notes) == 40 + MANY + 1
    kobo.sim.add(kobo.book, kobo.spans[-4], "after the night", kobo.stamp)
    kobo.meet()
    assert "after the night" in {row["note"] for row in house.rows()}, "what is new is kept all the same"


def test_a_device_that_brought_its_book_from_elsewhere_is_never_given_a_set(house: NoteHouse, kobo: NoteKobo) -> None:
    """7.4: `baseline=none`."""
    from sqlalchemy import text

    with house.home.database.write() as session:
        session.execute(text("DELETE FROM kobonotes"))
        session.execute(text("UPDATE kobodelivery SET began_at = NULL, downloaded_at = NULL"))
    house.marks("web", kobo.spans[-1].text.strip())
    kobo.mark_many(3)
    kobo.meet()
    kobo.sim.get(kobo.book)
    assert len(kobo.notes) == MANY + 3 and not kobo.book.pending


def test_the_brake(house: NoteHouse, kobo: NoteKobo) -> None:
    """Something that the device holds cannot be given back, and nobody deleted it: then nothing is given at all."""
    house.marks("web", kobo.spans[-1].text.strip())
    whole = outgoing.note_set

    def smaller(*args: object, **options: object) -> object:
        made = whole(*args, **options)  # type: ignore[arg-type]
        left = set(list(made.sets.given)[1:])
        from dataclasses import replace

        return replace(made, items=made.items[1:], sets=replace(made.sets, given=left))

    with patch.object(outgoing, "note_set", smaller):
        kobo.meet()
        kobo.sim.get(kobo.book)
    assert len(kobo.notes) == MANY


@pytest.mark.parametrize("sign", ["etag", "token"])
def test_a_kobo_that_was_with_another_server(house: NoteHouse, kobo: NoteKobo, sign: str) -> None:
    """7.5: notes that another server acknowledged are never sent here. Its etag or sync token tells."""
    kobo.mark_many(MANY + 5)
    kobo.book.pending = []
    if sign == "etag":
        kobo.book.notes_etag = 'W/"A:1408092558-7Uhim, C:567-x"'
    else:
        kobo.desk.token = "eyJ0eXAi.eyJob3N0"
        kobo.desk.sync()
    held = len(kobo.notes)
    house.marks("web", kobo.spans[-1].text.strip())
    for _ in range(2):
        kobo.meet()
        kobo.sim.get(kobo.book)
    assert len(kobo.notes) == held and kobo.ledger().doubt == "elsewhere"
