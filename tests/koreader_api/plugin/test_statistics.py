"""Rows of KOReader's statistics."""

from pathlib import Path

import pytest

from tests.koreader_api.plugin.standin import Device, paired
from tests.server import Server
from tests.simulators.kosync import partial_md5

UNKNOWN = "e" * 32


@pytest.fixture
def other(server: Server, ida: str) -> Device:
    return paired(server, ida)


def rows(device: Device, count: int, book: int = 0, page: int = 1, ago: int = 50_000) -> list[list[int]]:
    return [[book, page + n, device.now(ago) + 60 * n, 40, 300] for n in range(count)]


def test_rows_are_counted_once(server: Server, ida: str, device: Device, book: Path):
    said = {"books": [{"file": partial_md5(book), "title": "Alice"}], "rows": rows(device, 30)}
    assert device.done("/statistics", **said) == {"new": 30, "duplicate": 0, "refused": 0, "doubted": 0}
    assert device.done("/statistics", **said) == {"new": 0, "duplicate": 30, "refused": 0, "doubted": 0}
    with server.browser(ida) as browser:
        assert "20\xa0min" in browser.get(f"/book/{device.pulls(book)['book']['id']}").text


def test_a_row_that_makes_no_sense_is_refused_alone(device: Device, book: Path):
    good = rows(device, 2)
    bad = [None, [], [0], [7, 1, good[0][2], 9, 9], [0, -1, 5, 5, 5], [0, 1, "x", 5, 5], [0, 0, good[0][2], 9, 9], {}]
    told = device.done("/statistics", books=[{"file": partial_md5(book)}], rows=[good[0], *bad, good[1]])
    assert told == {"new": 2, "duplicate": 0, "refused": len(bad), "doubted": 0}


def test_a_time_that_cannot_be_true_is_kept_and_does_not_count(device: Device, book: Path):
    row = [0, 1, device.now() + 10**7, 50, 300]
    assert device.done("/statistics", books=[{"file": partial_md5(book)}], rows=[row])["doubted"] == 1


def test_nothing_to_say_is_fine(device: Device):
    assert device.done("/statistics", books={}, rows={})["new"] == 0


def test_too_many_rows_are_413(device: Device, book: Path):
    said = {"books": [{"file": partial_md5(book)}], "rows": rows(device, 1_001)}
    assert device.ask("/statistics", **said).status_code == 413


def test_rows_of_a_file_nobody_knows_count_when_its_book_comes(server: Server, ida: str, device: Device, book: Path):
    assert device.done("/statistics", books=[{"file": UNKNOWN}], rows=rows(device, 30))["new"] == 30
    book_id = device.pulls(book)["book"]["id"]
    with server.browser(ida) as browser:
        assert "When you read it" not in browser.get(f"/book/{book_id}").text
        device.done("/link", file=UNKNOWN, book=book_id)
        assert "20\xa0min" in browser.get(f"/book/{book_id}").text
        device.done("/statistics", books=[{"file": UNKNOWN}], rows=rows(device, 15, page=50, ago=20_000))
        assert "30\xa0min" in browser.get(f"/book/{book_id}").text


def test_what_the_other_readers_counted(device: Device, other: Device, book: Path):
    mine, theirs = rows(device, 5, ago=90_000), rows(device, 7, page=100, ago=30_000)
    device.done("/statistics", books=[{"file": partial_md5(book)}], rows=mine)
    other.done(
        "/statistics", books=[{"file": UNKNOWN}, {"file": partial_md5(book)}], rows=[[1, *r[1:]] for r in theirs]
    )
    first = device.done("/statistics/others", file=partial_md5(book), limit=4)
    assert first["more"] is True and first["rows"] == [row[1:] for row in theirs[:4]]
    rest = device.done("/statistics/others", file=partial_md5(book), after=first["after"])
    assert (rest["rows"], rest["more"]) == ([row[1:] for row in theirs[4:]], False)
    end = device.done("/statistics/others", file=partial_md5(book), after=rest["after"])
    assert end == {"rows": [], "after": rest["after"], "more": False}


def test_nobody_gets_another_persons_rows(server: Server, device: Device, book: Path):
    device.done("/statistics", books=[{"file": partial_md5(book)}], rows=rows(device, 5))
    server.add_user("A stranger with statistics")
    stranger = paired(server, "A stranger with statistics")
    assert stranger.done("/statistics/others", file=partial_md5(book))["rows"] == []
