"""The conflict rule, case by case and as a model."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions import Place, Position, Reason, Status
from appliance.reading.progress.report import Act, Report
from appliance.reading.progress.rule import BURST, DROP, Given, Known, Said, activity_time, decide

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOTAL = 100_000


def place(tick, status=Status.EXACT):
    return Place(Position("ch1.xhtml", 0, tick), status, Reason.NONE, tick, TOTAL)


def report(tick, *, at=NOW, **fields):
    values = {"user_id": 1, "device_id": 1, "dialect": "xpointer", "locator": f"/x.{tick}", "book_id": "b"}
    return Report(**{**values, "received_at": at, "place": place(tick), **fields})


def known(tick, *, at=NOW - timedelta(hours=1), device_id=2, status="reading", version=5):
    return Known(version, 1, status, at, tick, tick / TOTAL, device_id)


def test_the_first_report_of_reading_is_current():
    assert decide(report(40_000), None, None, None).kind == "current"


def test_opening_a_book_moves_nothing():
    assert decide(report(0, act=Act.OPENED), None, None, None).kind == "history"
    assert decide(report(90_000, act=Act.OPENED), known(40_000), None, None).kind == "history"


def test_newer_reading_wins_in_both_directions():
    assert decide(report(50_000), known(40_000), None, None).kind == "current"
    assert decide(report(38_000), known(40_000), None, None).kind == "current"


def test_older_reading_that_arrives_late_is_history():
    late = report(90_000, claimed_at=NOW - timedelta(days=2))
    assert decide(late, known(40_000), None, None) == decide(late, known(40_000), None, None)
    assert decide(late, known(40_000), None, None).reason == "older-activity"


def test_a_fall_without_reading_behind_it_is_a_suggestion():
    """A fresh download, a pointer that KOReader could not resolve (page 1, pushed back), a lost sidecar."""
    for tick in (0, 500, 20_000):
        assert decide(report(tick), known(60_000), None, None).kind == "suggestion"


def test_reading_on_from_the_lower_place_makes_it_current():
    said = Said(20_000, 0.2, NOW - timedelta(minutes=3), "suggestion", "fell-back")
    assert decide(report(21_000), known(60_000), said, None).kind == "current"


@pytest.mark.parametrize(
    ("said_tick", "pause", "tick"),
    [
        (20_000, timedelta(seconds=2), 21_000),  # a replayed queue goes through its entries in a moment
        (20_000, timedelta(hours=5), 21_000),  # another sitting: nothing connects the two
        (20_000, timedelta(minutes=3), 40_000),  # leaps, as entries of several days do
        (20_000, timedelta(minutes=3), 19_000),  # backwards
    ],
)
def test_what_does_not_look_like_reading_stays_a_suggestion(said_tick, pause, tick):
    said = Said(said_tick, said_tick / TOTAL, NOW - pause, "suggestion", "fell-back")
    assert decide(report(tick), known(60_000), said, None).kind == "suggestion"


def test_a_replayed_queue_never_moves_anything():
    assert decide(report(90_000), known(60_000), None, None, burst=True).reason == "replayed-queue"


def test_pushing_the_same_place_again_is_no_reading():
    """KOReader pushes on suspend without looking whether the server has something newer (captures, session B)."""
    said = Said(40_000, 0.4, NOW - timedelta(days=1), "current", "newest")
    assert decide(report(40_000), known(60_000), said, None).kind == "echo"


def test_a_repeated_suggestion_does_not_become_true():
    said = Said(0, 0.0, NOW - timedelta(minutes=5), "suggestion", "fell-back")
    assert decide(report(0), known(60_000), said, None).kind == "echo"


def test_what_a_device_was_given_comes_back_as_an_echo():
    """The browser has moved on meanwhile; the reader only repeats what it was told before."""
    assert decide(report(40_000), known(60_000), None, Given("/x.40000", 40_000)).kind == "echo"


def test_a_kobo_names_the_first_sentence_of_the_page():
    given_place = Given("{}", 40_000)
    assert decide(report(39_200, slack=1_500), known(60_000), None, given_place).kind == "echo"
    assert decide(report(40_200, slack=1_500), known(40_000), None, given_place).kind == "current"


def test_a_person_may_go_back_on_purpose():
    assert decide(report(1_000, act=Act.JUMPED), known(60_000), None, None).kind == "current"
    assert decide(report(1_000, act=Act.READ, based_on=5), known(60_000), None, None).kind == "current"


def test_a_page_left_open_does_not_take_everybody_back():
    assert decide(report(1_000, act=Act.READ, based_on=3), known(60_000), None, None).reason == "stale-view"


def test_finished_is_a_status_not_a_place():
    first_file = report(0, reading_status="finished")
    decision = decide(first_file, known(80_000), None, None)
    assert (decision.kind, decision.status) == ("current", "finished")


def test_the_last_page_of_a_short_book_finishes_it():
    decision = decide(report(97_000, act=Act.READ, reading_status="finished"), known(90_000), None, None)
    assert (decision.kind, decision.status) == ("current", "finished")


def test_starting_again_after_the_end_is_a_new_epoch():
    decision = decide(report(300, act=Act.READ), known(TOTAL, status="finished"), None, None)
    assert (decision.kind, decision.status, decision.epoch) == ("current", "reading", 2)


def test_percentages_of_different_engines_do_not_jostle():
    vague = report(41_000, place=place(41_000, Status.APPROXIMATE))
    assert decide(vague, known(40_000), None, None).reason == "within-percent-error"


def rough(tick, **fields):
    return report(tick, place=place(tick, Status.APPROXIMATE), **fields)


def test_row_29_a_percentage_alone_never_replaces_an_exact_place_of_the_same_moment():
    """positions.md A.2, C.7."""
    moment = NOW - timedelta(minutes=5)
    same = rough(50_000, claimed_at=moment, error=500)
    assert decide(same, known(40_000, at=moment), None, None).reason == "older-activity"
    assert decide(same, known(40_000, at=moment + timedelta(milliseconds=600)), None, None).reason == "older-activity"
    later = rough(50_000, claimed_at=moment + timedelta(seconds=2), error=500)
    assert decide(later, known(40_000, at=moment), None, None).kind == "current"


@pytest.mark.parametrize("act", [Act.UNKNOWN, Act.READ])
def test_row_29_a_percentage_alone_moves_by_more_than_its_error_or_not_at_all(act):
    for tick, error, reason in ((40_900, 900, "within-percent-error"), (39_100, 900, "within-percent-error")):
        assert decide(rough(tick, act=act, error=error), known(40_000), None, None).reason == reason
    assert decide(rough(40_901, act=act, error=900), known(40_000), None, None).kind == "current"
    assert decide(rough(39_099, act=act, error=900), known(40_000), None, None).kind == "current"
    assert decide(rough(40_100, act=act, error=50), known(40_000), None, None).kind == "current", "a model that knows"


def test_a_person_may_choose_a_percentage():
    assert decide(rough(40_100, act=Act.JUMPED, error=900), known(40_000), None, None).kind == "current"


def test_row_31_a_page_number_is_a_percentage_alone():
    """KOReader that was sent to "90" shows page 1 and pushes "90" at 0.9 % (captures, session B)."""
    lost = rough(900, locator="90", percent=0.009, error=2_000)
    assert decide(lost, known(60_000), None, None).reason == "fell-back"
    odd = rough(82_000, locator="90", percent=0.82, error=2_000)
    assert decide(odd, known(60_000), None, None).kind == "current"
    assert decide(odd, known(81_000), None, None).reason == "within-percent-error"


def test_a_percentage_alone_may_say_that_the_book_is_finished_or_begun_again():
    end = rough(TOTAL, reading_status="finished", error=2_000)
    assert decide(end, known(99_500), None, None).status == "finished"
    finished = Said(None, None, NOW - timedelta(days=3), "current", "finished", "finished")
    again = decide(rough(400, reading_status="reading", error=2_000), known(TOTAL, status="finished"), finished, None)
    assert (again.kind, again.reason, again.status, again.epoch) == ("current", "started-over", "reading", 2)
    # Another device that never heard of the end says the same: it is only behind.
    other = Said(300, 0.003, NOW - timedelta(days=3), "current", "newest", "reading")
    behind = decide(rough(400, reading_status="reading", error=90), known(TOTAL, status="finished"), other, None)
    assert behind.kind == "suggestion"


@given(st.integers(0, TOTAL), st.integers(0, TOTAL), st.integers(0, 5_000), st.integers(-5, 5))
def test_a_rough_place_becomes_current_only_when_newer_and_beyond_its_error(before, tick, error, seconds):
    moment = NOW - timedelta(minutes=5)
    said = rough(tick, claimed_at=moment + timedelta(seconds=seconds), error=error)
    if decide(said, known(before, at=moment), None, None).kind == "current":
        assert seconds > 0 and abs(tick - before) > error


def test_a_place_that_cannot_be_resolved_moves_nothing():
    lost = Place(None, Status.FAILED, Reason.SYNTAX, None, TOTAL)
    assert decide(report(0, place=lost), known(40_000), None, None).kind == "rejected"


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (None, NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW),
        (NOW + timedelta(days=2), NOW),
        (NOW + timedelta(minutes=1), NOW),
        (NOW - timedelta(hours=3), NOW - timedelta(hours=3)),
    ],
)
def test_a_clock_is_believed_only_when_it_can_be(claimed, expected):
    assert activity_time(report(1, claimed_at=claimed)) == expected


@pytest.mark.parametrize("days", [-2, 2, -19_000])
def test_a_clock_that_is_known_to_be_off_is_put_right(days):
    skew = timedelta(days=days)
    read = NOW - timedelta(hours=1)
    assert activity_time(report(1, claimed_at=read + skew, skew=skew)) == read
    assert decide(report(50_000, claimed_at=NOW + skew, skew=skew), known(40_000), None, None).kind == "current"
    if days == -2:
        assert activity_time(report(1, claimed_at=read + skew)) == read + skew, "without that it looks old"


ticks = st.integers(0, TOTAL)


@given(tick=ticks, before=ticks, said=st.none() | ticks, burst=st.booleans(), hours=st.integers(-50, 50))
def test_a_client_that_cannot_say_what_was_done_never_takes_the_reader_far_back_at_once(
    tick, before, said, burst, hours
):
    last = None if said is None else Said(said, said / TOTAL, NOW - timedelta(hours=abs(hours)), "current", "newest")
    claimed = NOW + timedelta(hours=hours)
    decision = decide(report(tick, claimed_at=claimed), known(before), last, None, burst)
    if decision.kind == "current":
        assert (before - tick) / TOTAL <= DROP
        assert activity_time(report(tick, claimed_at=claimed)) >= known(before).activity_at


@given(tick=ticks, before=ticks, act=st.sampled_from(Act), pause=st.integers(0, 7200))
def test_the_decision_depends_on_nothing_but_its_arguments(tick, before, act, pause):
    said = Said(before // 2, before / 2 / TOTAL, NOW - timedelta(seconds=pause), "suggestion", "fell-back")
    arguments = (report(tick, act=act), known(before), said, None)
    assert decide(*arguments) == decide(*arguments)
    assert decide(*arguments).kind in {"current", "history", "suggestion", "echo", "rejected"}


def test_the_burst_is_shorter_than_the_debounce_of_the_stock_client():
    assert BURST < timedelta(seconds=25)
