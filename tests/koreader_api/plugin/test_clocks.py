"""Readers whose clocks are off, or were."""

from pathlib import Path

import pytest

from tests.koreader_api.plugin.standin import Device, Words, paired
from tests.server import Server


@pytest.mark.parametrize("off", [-400 * 86_400, 3 * 86_400, 30 * 365 * 86_400])
def test_a_clock_that_is_off_is_corrected(server: Server, ida: str, book: Path, words: Words, off: int):
    device, other = paired(server, ida, clock_off=off), paired(server, ida, model="PocketBook")
    first = other.operation("progress", book, locator=words.at(2_000), percent=0.1, act="read")
    first["at"] = other.now(ago=600)
    other.sync(first)
    old = device.operation("progress", book, locator=words.at(500), percent=0.02, act="read")
    old["at"] = device.now(ago=1_200)
    assert device.sync(old)["answers"][0]["outcome"] == "history"
    assert device.says("progress", book, locator=words.at(4_000), percent=0.2, act="read")["outcome"] == "current"
    assert abs(device.pulls(book)["progress"]["at"] - device.now()) < 300, "in the time of its own clock"
    assert abs(other.pulls(book)["progress"]["at"] - other.now()) < 300


def test_what_was_dated_ahead_is_edited_once_the_clock_is_right(device: Device, book: Path, words: Words):
    ahead = device.now() + 86_400
    made = words.highlight("k1", 100, note="one thing", created_at=ahead, changed_at=ahead)
    device.says("annotations", book, changed=[made])
    (told,) = device.says("annotations", book, changed=[{**made, "note": "quite another", "changed_at": device.now()}])[
        "annotations"
    ]
    assert told["reason"] == "changed", "nobody else wrote a note"
