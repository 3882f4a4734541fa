"""What a device is known to hold."""

from appliance.reading.annotations.links import base_of
from appliance.reading.annotations.merge import FIELDS

HELD = dict.fromkeys(FIELDS, 3)


def test_who_was_offered_a_version_has_seen_all_of_it():
    offered = {**HELD, "note": 5}
    assert base_of({"held_versions": HELD, "given": [{"version": 5, "versions": offered}]}, 5) == offered


def test_a_version_told_as_an_answer_comes_with_changes_not_seen():
    """The device changed the colour, which became version 6; somebody's note, version 5, it has yet to be told of."""
    held = {**HELD, "colour": 6}
    assert base_of({"held_versions": held, "given": []}, 6) == held


def test_what_was_said_before_the_last_offer_was_taken_knows_nothing_of_it():
    held = {**HELD, "note": 5}
    assert base_of({"held_versions": held, "given": []}, 4) == {**HELD, "note": 4}
