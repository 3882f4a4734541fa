"""Shelves by hand: rules that hold whatever is done to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.library import shelves
from appliance.library.shelves import ShelfError, checked_name, moved
from tests.kobo_api.conftest import Home, open_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path) as opened:
        yield opened


names = st.lists(st.sampled_from("abcdef"), unique=True)


@given(names, st.sampled_from("abcdefx"), st.integers(-9, 9))
def test_moving_keeps_everything_and_the_order_of_the_rest(order: list[str], one: str, by: int) -> None:
    after = moved(order, one, by)
    assert sorted(after) == sorted(order)
    assert [each for each in after if each != one] == [each for each in order if each != one]
    if one in order:
        assert after.index(one) == min(max(order.index(one) + by, 0), len(order) - 1)


@pytest.mark.parametrize("name", ["", "  \n ", "x" * 101, "a\x00b", "a\u202eb"])
def test_names_that_cannot_be_shown_are_refused_with_a_reason(name: str) -> None:
    with pytest.raises(ShelfError, match=r"\. (Type|Choose)"):
        checked_name(name)
    assert checked_name("  Winter \t reading ") == "Winter reading"


def test_a_name_is_free_when_its_shelf_is_deleted_and_numbered_when_that_comes_back(home: Home) -> None:
    user = home.person()
    with home.database.write() as session:
        old = shelves.add_shelf(session, user, "Sea", home.clock())
        shelves.delete_shelf(session, old, home.clock())
        new = shelves.add_shelf(session, user, "SEA", home.clock())
        shelves.restore_shelf(session, old, home.clock())
        assert [one.shelf.name for one in shelves.shelves_of(session, user)] == ["SEA", "Sea 2"]
        with pytest.raises(ShelfError, match="already"):
            shelves.rename_shelf(session, old, "sea", home.clock())
        with pytest.raises(ShelfError, match="no such shelf"):
            shelves.get_shelf(session, user + 1, new.id)


def test_what_was_taken_off_comes_back_at_the_end(home: Home) -> None:
    user, books = home.person(), home.put_books(3)
    with home.database.write() as session:
        shelf = shelves.add_shelf(session, user, "Sea", home.clock())
        assert shelves.put_on(session, shelf, [*books, "no-such-book", books[0]], home.clock())
        assert not shelves.put_on(session, shelf, books, home.clock())
        assert shelves.take_off(session, shelf, [books[0]], home.clock())
        assert not shelves.take_off(session, shelf, [books[0]], home.clock())
        assert shelves.put_on(session, shelf, [books[0]], home.clock())
        assert shelves.books_on(session, shelf.id) == [books[1], books[2], books[0]]
        shelves.move_book(session, shelf, books[0], -1, home.clock())
        assert shelves.books_on(session, shelf.id) == [books[1], books[0], books[2]]
        [counted] = shelves.shelves_of(session, user, books[1])
        assert counted.books == 3 and counted.holds
