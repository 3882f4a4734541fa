"""The list of books: order, search, pages."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.house import House
from appliance.library.books import MAX_LIMIT, Order, books, refused_files
from appliance.library.sorting import folded
from appliance.models import Book, LibraryFile, Rendition

NOW = datetime(2026, 11, 21, tzinfo=UTC)

SHELF = [
    # title, sort title, author, sort author, series, index, missing
    ("The Sea", "Sea, The", "Zoë Ångström", "Ångström, Zoë", "Waters", 2.0, False),
    ("Ålesund", "Ålesund", "Bob Brown", "Brown, Bob", None, None, False),
    ("a lake", "lake, a", "Zoë Ångström", "Ångström, Zoë", "Waters", 1.0, False),
    ("100% Wool", "100% Wool", "Ann_Other", "Ann_Other", None, None, False),
    ("Gone", "Gone", "Bob Brown", "Brown, Bob", None, None, True),
]


@pytest.fixture
def shelf(house: House) -> House:
    with house.database.write() as session:
        for number, (title, sort, author, sort_author, series, index, missing) in enumerate(SHELF):
            session.add(
                Book(
                    id=str(number),
                    title=title,
                    sort_title=sort,
                    title_key=folded(sort),
                    authors=[author],
                    sort_author=sort_author,
                    author_key=folded(sort_author),
                    series=series,
                    series_index=index,
                    search_text=folded(f"{title} {author} {series or ''}"),
                    main_sha256=f"{number}",
                    added_at=NOW + timedelta(hours=number),
                    changed_at=NOW,
                )
            )
            session.flush()
            session.add(Rendition(sha256=f"{number}", book_id=str(number), kind="epub", size=1, created_at=NOW))
            session.flush()
            session.add(
                LibraryFile(
                    path=f"/{number}", size=1, mtime_ns=1, sha256=f"{number}", missing_since=NOW if missing else None
                )
            )
        session.add(LibraryFile(path="/bad", size=1, mtime_ns=1, problem="It is bad.", remedy="Throw it away."))
    return house


def titles(house: House, **wanted: object) -> list[str]:
    with house.database.read() as session:
        page = books(session, **wanted)  # type: ignore[arg-type]
        assert page.total >= len(page.books)
        return [book.title for book in page.books]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("title", ["100% Wool", "Ålesund", "a lake", "The Sea"]),
        ("author", ["a lake", "The Sea", "100% Wool", "Ålesund"]),
        ("added", ["100% Wool", "a lake", "Ålesund", "The Sea"]),
    ],
)
def test_orders(shelf: House, order: Order, expected: list[str]) -> None:
    assert titles(shelf, order=order) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 4),
        ("   ", 4),
        ("angstrom", 2),
        ("ÅNGSTRÖM sea", 1),
        ("sea angstrom", 1),
        ("waters", 2),
        ("%", 1),
        ("100%", 1),
        ("_", 1),
        ("'; drop table book; --", 0),
        ("gone", 0),
        ("alesund", 1),
    ],
)
def test_search(shelf: House, query: str, expected: int) -> None:
    assert len(titles(shelf, query=query)) == expected


def test_missing_books_are_a_list_of_their_own(shelf: House) -> None:
    assert titles(shelf, missing=True) == ["Gone"]


def test_pages(shelf: House) -> None:
    with shelf.database.read() as session:
        page = books(session, offset=1, limit=2)
        assert ([book.title for book in page.books], page.total) == (["Ålesund", "a lake"], 4)
        assert books(session, offset=-5, limit=0).books[0].title == "100% Wool"
        assert books(session, offset=99).books == []
        assert len(books(session, limit=10**9).books) <= MAX_LIMIT


def test_files(shelf: House) -> None:
    with shelf.database.read() as session:
        assert [file.path for file in refused_files(session)] == ["/bad"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(1, 3), st.sampled_from(["title", "author", "added"]))
def test_every_book_is_on_exactly_one_page(shelf: House, limit: int, order: Order) -> None:
    found = [title for offset in range(0, 6, limit) for title in titles(shelf, offset=offset, limit=limit, order=order)]
    assert sorted(found) == sorted(titles(shelf))
