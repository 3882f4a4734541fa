"""Status, rating and review of a book by several devices, on a database of each kind."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from appliance.models import JournalEntry
from appliance.reading.book_state.record import hand_back
from appliance.reading.book_state.rule import STATUSES, CurrentState, StateChange, merge_state, whole_stars
from appliance.reading.progress.report import Act
from tests.reading.shelf import KOBO, KOREADER, NOW, OTHER_KOREADER, WEB


def test_a_status_that_was_set_by_hand_is_handed_back(shelf):
    shelf.reads(WEB, 50_000)
    shelf.says(WEB, status="abandoned", base_version=shelf.state().version)
    shelf.reads(WEB, 55_000)
    assert (shelf.state().status, shelf.state().status_by) == ("abandoned", "person")
    version = shelf.state().version
    for operation, outcome in (("operation-1", "current"), ("operation-1", "duplicate"), ("operation-2", "echo")):
        with shelf.database.write() as session:
            assert hand_back(session, 1, WEB, "b", shelf.later(), operation).outcome == outcome
    assert (shelf.state().status, shelf.state().status_by) == ("reading", "automatic")
    assert shelf.state().version > version, "devices hear of it"
    shelf.reads(WEB, 99_500)
    assert shelf.state().status == "finished"


def test_what_was_never_read_is_unread_when_it_is_handed_back(shelf):
    shelf.says(WEB, status="finished", base_version=0)
    with shelf.database.write() as session:
        hand_back(session, 1, WEB, "b", shelf.later(), None)
    assert (shelf.state().status, shelf.state().status_by) == ("unread", "automatic")
    assert shelf.reads(KOBO, 40_000, claimed_at=NOW - timedelta(days=1)) == "first-report"


def test_half_stars_stay_where_a_device_only_knows_whole_ones(shelf):
    """koreader.md 6.4: rounding a 3.5 from the web to 4 must not be sent back as an edit."""
    shelf.says(WEB, rating=7)
    shown = whole_stars(shelf.state().rating)
    assert shown == 4
    assert shelf.says(KOREADER, rating=shown) == "echo"
    assert shelf.state().rating == 7


def test_whole_stars_do_not_go_back_and_forth(shelf):
    shelf.says(WEB, rating=7)
    for _ in range(5):
        for device in (KOREADER, OTHER_KOREADER):
            assert shelf.says(device, rating=whole_stars(shelf.state().rating)) == "echo"
    assert (shelf.state().rating, shelf.state().version) == (7, 1)


def test_a_star_given_on_a_reader_counts(shelf):
    shelf.says(WEB, rating=7)
    shelf.says(KOREADER, rating=4)
    assert shelf.says(KOREADER, rating=2) == "current"
    assert shelf.state().rating == 4
    assert shelf.says(OTHER_KOREADER, rating=2) == "echo"
    assert shelf.says(WEB, rating=3, base_version=shelf.state().version) == "current"
    assert shelf.says(OTHER_KOREADER, rating=2) == "echo", "it shows 3 half stars as 2 whole ones"
    assert shelf.state().rating == 3


def test_a_rating_taken_back_is_a_rating(shelf):
    shelf.says(WEB, rating=1)
    assert whole_stars(1) == 1
    shelf.says(KOREADER, rating=1)
    assert shelf.says(KOREADER, rating=0) == "current"
    assert shelf.state().rating == 0


def test_of_two_ratings_the_later_one_counts_whichever_arrives_first(shelf):
    shelf.says(KOREADER, rating=3)
    shelf.says(OTHER_KOREADER, rating=3)
    shelf.says(WEB, rating=10, base_version=1)
    assert shelf.says(OTHER_KOREADER, rating=1, minutes_ago=60) == "echo"
    assert shelf.state().rating == 10
    assert shelf.says(KOREADER, rating=2) == "current"
    assert shelf.state().rating == 4


def test_two_people_have_a_state_each(shelf):
    shelf.says(WEB, rating=9, status="abandoned")
    shelf.says(10 + WEB, rating=2)
    shelf.reads(10 + KOBO, 99_500)
    assert (shelf.state(1).rating, shelf.state(1).status) == (9, "abandoned")
    assert (shelf.state(2).rating, shelf.state(2).status) == (2, "finished")


def test_reading_to_the_end_finishes_and_looking_something_up_does_not_undo_that(shelf):
    shelf.reads(WEB, 50_000)
    assert (shelf.state().status, shelf.state().status_by) == ("reading", "automatic")
    shelf.reads(WEB, 98_999)
    assert shelf.state().status == "reading"
    shelf.reads(WEB, 99_000)
    assert (shelf.state().status, shelf.state().status_by) == ("finished", "automatic")
    shelf.reads(WEB, 30_000, Act.JUMPED)
    assert shelf.progress().tick == 30_000
    assert shelf.state().status == "finished"
    assert shelf.says(KOBO, status="reading", by="automatic") == "echo", "a book that is opened is no book unfinished"
    assert shelf.state().status == "finished"


def test_reading_from_the_beginning_again_starts_over(shelf):
    shelf.reads(WEB, 50_000)
    shelf.says(WEB, status="finished")
    assert shelf.state().status_by == "person"
    shelf.reads(WEB, 100, Act.JUMPED)
    assert (shelf.state().status, shelf.state().status_by, shelf.progress().epoch) == ("reading", "automatic", 2)


def test_a_person_is_never_overridden(shelf):
    shelf.reads(WEB, 50_000)
    shelf.says(WEB, status="abandoned")
    shelf.reads(KOBO, 60_000)
    shelf.reads(KOBO, 99_500)
    shelf.says(KOBO, status="finished", by="automatic")
    assert shelf.state().status == "abandoned"
    assert shelf.says(KOREADER, status="reading") == "current", "but another person's act counts"
    assert shelf.state().status == "reading"


def test_marked_as_unread_the_next_page_starts_over(shelf):
    shelf.reads(WEB, 50_000)
    shelf.says(KOBO, status="unread")
    assert shelf.state().status == "unread"
    assert shelf.reads(WEB, 50_000) == "as-current", "repeating a place is not reading"
    assert shelf.state().status == "unread"
    shelf.reads(WEB, 1_000, Act.JUMPED)
    assert (shelf.state().status, shelf.progress().epoch) == ("reading", 2)


def test_a_place_of_the_reading_before_does_not_come_back_by_itself(shelf):
    """BookOrbit #1032: a reader that slept through the new beginning pushes its old page, without a clock."""
    unknown = {"act": Act.UNKNOWN, "claimed_at": None}
    shelf.reads(KOREADER, 70_000, **unknown)
    shelf.reads(WEB, 99_500)
    shelf.reads(WEB, 500, Act.JUMPED)
    assert shelf.progress().epoch == 2
    assert shelf.reads(KOREADER, 70_500, **unknown) == "earlier-reading"
    assert shelf.progress().tick == 500
    assert shelf.reads(KOREADER, 71_000, **unknown) == "read-on", "somebody does read there"
    assert (shelf.progress().tick, shelf.progress().epoch) == (71_000, 2)


def test_a_tab_left_open_since_the_reading_before_asks_first(shelf):
    shelf.reads(WEB, 80_000)
    shelf.reads(KOBO, 99_500)
    shelf.reads(KOBO, 500, Act.JUMPED)
    assert shelf.reads(WEB, 80_100, based_on=1) == "earlier-reading"
    assert shelf.reads(WEB, 80_200, based_on=shelf.progress().version, act=Act.JUMPED) == "jumped"


def test_an_operation_counts_once(shelf):
    assert shelf.says(WEB, rating=4, operation_id="operation-1", base_version=0) == "current"
    assert shelf.says(WEB, rating=4, operation_id="operation-1", base_version=0) == "duplicate"
    with shelf.database.read() as session:
        assert len(session.exec(select(JournalEntry)).all()) == 1


def test_who_reads_the_last_page_of_the_main_text_has_finished(shelf):
    """Notes behind it, outside the reading order, are a tenth of the book."""
    shelf.reads(WEB, 89_900, fraction=0.998)
    assert shelf.state().status == "finished"
    assert shelf.progress().fraction == 0.998


def test_who_looks_at_a_note_is_as_far_as_before(shelf):
    shelf.reads(KOREADER, 30_000, Act.UNKNOWN, fraction=0.33)
    assert shelf.reads(KOREADER, 95_000, Act.UNKNOWN, fraction=1.0, is_aside=True) == "newest"
    assert (shelf.progress().fraction, shelf.state().status) == (0.33, "reading")
    assert shelf.reads(KOREADER, 30_500, Act.UNKNOWN, fraction=0.34) == "newest", "and goes back without being asked"


states = st.builds(
    CurrentState, st.sampled_from(STATUSES[:3]), st.integers(0, 10), by=st.sampled_from(("automatic", "person"))
)


@given(states, st.sampled_from(STATUSES[:3]))
def test_what_follows_from_reading_only_goes_forward_and_never_over_a_person(state, status):
    merged = merge_state(state, StateChange({"status": status}, 0, NOW, "automatic"))
    if merged:
        assert state.by == "automatic" and STATUSES.index(status) > STATUSES.index(state.status)
        assert merged == {"status": status, "by": "automatic"}


@given(st.integers(0, 10))
def test_whole_stars_show_a_rating_where_there_is_one(rating):
    assert (whole_stars(rating) == 0) == (rating == 0) and 0 <= 2 * whole_stars(rating) - rating <= 1
