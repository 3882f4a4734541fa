"""Highlights, notes and bookmarks of five readers that are offline, lose, repeat, delay and reorder messages, are reset
and copied, and have wrong clocks. The exchange alone, on values; `test_house.py` has it with a database."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings

from appliance.reading.annotations.palette import KOBO_GREY
from tests.reading.annotations.machine import Readers
from tests.walking import MANY_WALKS, walk

STEPS = 50
ONE, OTHER, KOBO, GREY, BROWSER = range(5)


TestReaders = Readers.TestCase
TestReaders.settings = settings(
    max_examples=100, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
)


@MANY_WALKS
def test_walks(walks):
    for number in range(walks):
        walk(Readers(), f"annotations {number}", STEPS)


def test_grey_is_no_choice_after_another_kobo_chose_a_colour():
    """What a Kobo without colours marked has a colour now; that it was chosen elsewhere does not make the Kobo's grey
    a choice, neither for that highlight nor for any other."""
    readers = Readers()
    readers.create(who=GREY, which=0, colour=0, noted=False)
    readers.sync(who=GREY, how="well")
    readers.create(who=ONE, which=1, colour=0, noted=False)
    readers.two_sync(who=ONE, then=KOBO)
    readers.sync(who=GREY, how="well")
    readers.edit(who=KOBO, which=0, what="colour", value=0)
    readers.annotate(who=GREY, which=1, appends=False)
    readers.two_sync(who=KOBO, then=GREY)
    readers.annotate(who=GREY, which=0, appends=False)
    readers.sync(who=GREY, how="well")
    assert [row["colour"] for row in readers.server.rows.values()] == ["kobo:#F6F3B3", "koreader:red"]
    readers.teardown()


def test_grey_is_a_choice_on_a_kobo_that_has_colours():
    readers = Readers()
    readers.create(who=KOBO, which=0, colour=1, noted=False)
    readers.two_sync(who=KOBO, then=ONE)
    readers.annotate(who=ONE, which=0, appends=False)
    readers.two_sync(who=ONE, then=KOBO)
    kobo = readers.devices[KOBO]
    kobo.edit(kobo.pick(0), readers.server.now, colour=KOBO_GREY)
    readers.grey.add(("highlight", 0))
    readers.sync(who=KOBO, how="well")
    assert [row["colour"] for row in readers.server.rows.values()] == [f"kobo:{KOBO_GREY}"]


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(days=2)], ids=["right", "two-days-behind"])
def test_an_old_copy_takes_no_note_from_what_was_deleted(behind):
    """Somebody copies the file as it was before the note back to the reader where it was written, and by its clock, set
    back since, it is newer than it is."""
    readers = Readers()
    readers.create(who=ONE, which=2, colour=0, noted=False)
    readers.device_is_copied(back=False)
    readers.annotate(who=ONE, which=0, appends=False)
    readers.two_sync(who=ONE, then=BROWSER)
    readers.device_is_copied(back=True)
    readers.clock_is_set(who=ONE, skew=-behind)
    readers.delete(who=BROWSER, which=0)
    readers.two_sync(who=BROWSER, then=ONE)
    [row] = readers.server.rows.values()
    assert row["note"] == "n0001"
    assert (row["deleted_at"] is not None) == (not behind), "an old copy brings nothing back, if its age is known"
    readers.teardown()


@pytest.mark.parametrize("first", [GREY, KOBO], ids=["made-again-first", "changed-first"])
def test_what_is_made_again_after_a_set_that_nobody_noted_stays_one(first):
    """A Kobo takes a set without the bookmark that was deleted elsewhere, and the server stops before it notes that.
    It is made again there, under a new name, and changed on another Kobo, which still has it."""
    readers = Readers()
    readers.create(who=GREY, which=6, colour=0, noted=False)
    readers.two_sync(who=GREY, then=ONE)
    readers.delete(who=ONE, which=0)
    readers.two_sync(who=KOBO, then=ONE)
    readers.sync(who=GREY, how="twice")
    readers.create(who=GREY, which=6, colour=0, noted=False)
    readers.edit(who=KOBO, which=0, what="colour", value=0)
    readers.sync(who=first, how="well")
    readers.teardown()
    assert len(readers.server.rows) == 1


def test_a_late_request_of_a_kobo_whose_clock_is_ahead_takes_no_note():
    """What it is given has a later time than what it sent, although its clock runs ahead; so it can be told that the
    request is from before."""
    readers = Readers()
    readers.clock_is_set(who=KOBO, skew=timedelta(days=2))
    readers.create(who=KOBO, which=0, colour=0, noted=True)
    readers.sync(who=KOBO, how="well")
    readers.annotate(who=KOBO, which=0, appends=False)
    readers.sync(who=KOBO, how="delayed")
    readers.two_sync(who=KOBO, then=ONE)
    readers.annotate(who=ONE, which=0, appends=False)
    readers.two_sync(who=ONE, then=KOBO)
    readers.device_restarts(who=KOBO)
    readers.sync(who=KOBO, how="well")
    readers.arrive(which=0)
    [row] = readers.server.rows.values()
    assert row["note"] == "n0003"
    readers.teardown()


def test_what_a_kobo_sent_twice_takes_no_note_when_it_arrives_again():
    """It marked what another Kobo has a note on, and has that note since."""
    readers = Readers()
    readers.create(who=KOBO, which=0, colour=0, noted=True)
    readers.sync(who=KOBO, how="well")
    readers.create(who=GREY, which=0, colour=0, noted=False)
    readers.sync(who=GREY, how="delayed")
    readers.sync(who=GREY, how="well")
    readers.teardown()
    assert [row["note"] for row in readers.server.rows.values()] == ["n0001"]


def test_what_a_kobo_says_again_at_a_later_time_is_heard():
    """Nothing changed but the time; a request of before that time is late, when the Kobo has somebody's note since."""
    readers = Readers()
    readers.create(who=KOBO, which=0, colour=0, noted=False)
    readers.sync(who=KOBO, how="well")
    readers.edit(who=KOBO, which=0, what="colour", value=0)
    readers.sync(who=KOBO, how="delayed")
    readers.sync(who=BROWSER, how="well")
    readers.annotate(who=BROWSER, which=0, appends=False)
    readers.two_sync(who=BROWSER, then=KOBO)
    readers.teardown()
    assert [row["note"] for row in readers.server.rows.values()] == ["n0001"]


def test_what_a_kobo_was_given_is_not_older_than_what_it_said_before():
    """It says once more what it was given, late; deletes it, which does not count against the note that somebody wrote
    meanwhile; and is given it again, with the note."""
    readers = Readers()
    readers.create(who=BROWSER, which=0, colour=0, noted=False)
    readers.two_sync(who=BROWSER, then=GREY)
    readers.device_restarts(who=GREY)
    readers.sync(who=GREY, how="delayed")
    readers.annotate(who=BROWSER, which=0, appends=False)
    readers.delete(who=GREY, which=0)
    readers.two_sync(who=BROWSER, then=GREY)
    readers.teardown()
    assert [row["note"] for row in readers.server.rows.values()] == ["n0001"]


def test_what_was_deleted_and_made_again_stays_one_when_both_come_late():
    """What it had before arrives after all of that, and then the deletion and the new one once more."""
    readers = Readers()
    readers.create(who=ONE, which=1, colour=0, noted=False)
    readers.sync(who=ONE, how="well")
    readers.sync(who=ONE, how="delayed")
    readers.delete(who=ONE, which=0)
    readers.create(who=ONE, which=1, colour=0, noted=False)
    readers.sync(who=ONE, how="delayed")
    readers.sync(who=ONE, how="well")
    readers.teardown()
    assert len(readers.server.rows) == 1


def test_a_colour_chosen_back_is_a_choice():
    """A reader is given another colour, forgets to say so, and its person chooses the one again that it had before."""
    readers = Readers()
    readers.create(who=OTHER, which=2, colour=4, noted=False)
    readers.create(who=GREY, which=2, colour=0, noted=True)
    readers.two_sync(who=GREY, then=OTHER)
    readers.device_restarts(who=OTHER)
    readers.edit(who=OTHER, which=0, what="colour", value=4)
    readers.sync(who=OTHER, how="well")
    readers.teardown()
    [row] = readers.server.rows.values()
    assert row["colour"] == f"koreader:{readers.devices[OTHER].colour(4)}"


def test_a_late_note_is_not_deleted_by_who_never_saw_it():
    """A reader's files are replaced while its note is under way. It is given the highlight as it is known, without the
    note; that it then shows none is no change, and it is given the note."""
    readers = Readers()
    readers.create(who=OTHER, which=0, colour=0, noted=False)
    readers.sync(who=OTHER, how="well")
    readers.annotate(who=OTHER, which=0, appends=False)
    readers.sync(who=OTHER, how="delayed")
    readers.device_is_copied(back=False)
    readers.sync(who=OTHER, how="well")
    readers.teardown()
    assert [row["note"] for row in readers.server.rows.values()] == ["n0001"]


def test_what_was_deleted_before_it_came_is_not_doubled():
    """A highlight is under way while the Kobo deletes it and marks the words again. When it comes at last, its words go
    to the new one."""
    readers = Readers()
    readers.create(who=KOBO, which=0, colour=0, noted=True)
    readers.sync(who=KOBO, how="delayed")
    readers.delete(who=KOBO, which=0)
    readers.create(who=KOBO, which=0, colour=0, noted=False)
    readers.sync(who=KOBO, how="well")
    readers.arrive(which=0)
    assert [row["note"] for row in readers.server.rows.values()] == ["n0001"]
    readers.teardown()


def test_what_was_deleted_before_it_came_waits_for_a_person():
    """Nobody can tell any more whether it was one of many that were deleted at once."""
    readers = Readers()
    readers.create(who=KOBO, which=0, colour=0, noted=True)
    readers.sync(who=KOBO, how="delayed")
    readers.delete(who=KOBO, which=0)
    readers.sync(who=KOBO, how="well")
    readers.arrive(which=0)
    [row] = readers.server.rows.values()
    assert row["note"] == "n0001"
    assert row["held_at"] is not None
    readers.teardown()


def test_what_was_made_again_stays_one_when_the_first_comes_late():
    """The deletion of the first waits for a person, because so much was deleted at once."""
    readers = Readers()
    readers.create(who=KOBO, which=2, colour=2, noted=False)
    readers.sync(who=KOBO, how="delayed")
    readers.create(who=KOBO, which=0, colour=6, noted=False)
    readers.sync(who=KOBO, how="well")
    readers.create(who=KOBO, which=4, colour=2, noted=True)
    readers.wipe(who=KOBO)
    readers.create(who=KOBO, which=2, colour=6, noted=True)
    readers.sync(who=KOBO, how="well")
    readers.teardown()
    assert len(readers.server.rows) == 2


def test_an_old_list_takes_no_note_from_what_was_restored():
    """A reader has the note of another one on its own mark, and deletes both; a person restores them. Then the list
    arrives that the reader had sent before it had the note."""
    readers = Readers()
    readers.create(who=GREY, which=6, colour=6, noted=True)
    readers.create(who=OTHER, which=6, colour=0, noted=False)
    readers.sync(who=OTHER, how="delayed")
    readers.two_sync(who=GREY, then=OTHER)
    readers.delete(who=OTHER, which=0)
    readers.sync(who=OTHER, how="well")
    readers.decide(which=0, wanted=True)
    readers.teardown()
    assert [row["note"] for row in readers.server.rows.values()] == ["n0001"]


def test_what_a_kobo_changed_before_it_deleted_it_does_not_come_back():
    """The change arrives after the deletion. The words are marked again meanwhile, and stand there once."""
    readers = Readers()
    readers.create(who=GREY, which=1, colour=0, noted=False)
    readers.sync(who=GREY, how="well")
    readers.edit(who=GREY, which=0, what="style", value=1)
    readers.sync(who=GREY, how="delayed")
    readers.delete(who=GREY, which=0)
    readers.two_sync(who=KOBO, then=GREY)
    readers.arrive(which=0)
    [row] = readers.server.rows.values()
    assert row["deleted_at"] is not None
    readers.create(who=GREY, which=1, colour=0, noted=True)
    readers.teardown()
    assert len(readers.server.rows) == 1
