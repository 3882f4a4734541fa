"""A device and a library that do anything in any order: nothing held is ever lost, and in the end all is there."""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.library import kobo_choice, shelves
from appliance.models import Book, BookShelf
from kobo_api.call import Answer
from tests.kobo_api.conftest import open_home
from tests.kobo_api.shapes import Event


class Library(RuleBasedStateMachine):
    """`listed`, `held`: what the device lists and has downloaded, by id of the book. `due_to_lose`: held books that a
    person meant to replace. `chosen`: shelves whose books it gets, `None` for everything; `sent`, `never`: one by one;
    `removed`: on the device. `shelves`: of the person; `shown`: the collections on the device."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.home = self.stack.enter_context(open_home(Path(folder)))
        self.kobo = self.home.kobo(self.home.person())
        self.books: list[str] = []
        self.entitlements: dict[str, str] = {}
        self.listed: set[str] = set()
        self.held: set[str] = set()
        self.due_to_lose: set[str] = set()
        self.chosen: set[str] | None = None
        self.sent: set[str] = set()
        self.never: set[str] = set()
        self.removed: set[str] = set()
        self.shelves: dict[str, tuple[str, list[str]]] = {}
        self.shown: dict[str, tuple[str, list[str]]] = {}
        self.number = 0

    def teardown(self) -> None:
        self.stack.close()

    @rule(count=st.integers(1, 3) | st.just(101))
    def books_come(self, count: int) -> None:
        self.books += self.home.put_books(count)

    @precondition(lambda self: self.books)
    @rule(data=st.data())
    def metadata_changes(self, data: st.DataObject) -> None:
        self.number += 1
        self.home.edit(data.draw(st.sampled_from(self.books)), publisher=f"Publisher {self.number}")

    @precondition(lambda self: self.books)
    @rule(data=st.data())
    def text_changes(self, data: st.DataObject) -> None:
        self.number += 1
        book = data.draw(st.sampled_from(self.books))
        self.home.edit(book, text=f"edition {self.number}")
        self.due_to_lose.add(book)

    @precondition(lambda self: self.listed)
    @rule(data=st.data())
    def download(self, data: st.DataObject) -> None:
        book = data.draw(st.sampled_from(sorted(self.listed)))
        self.kobo.pretend_taken(book, self.home.clock().isoformat())
        self.held.add(book)

    @precondition(lambda self: self.listed)
    @rule(data=st.data())
    def remove_on_device(self, data: st.DataObject) -> None:
        book = data.draw(st.sampled_from(sorted(self.listed)))
        self.kobo.call("DELETE", f"/v1/library/{self.entitlements[book]}")
        self.listed.discard(book)
        self.held.discard(book)
        self.removed.add(book)
        for id, (name, items) in self.shown.items():
            self.shown[id] = (name, [item for item in items if item != self.entitlements[book]])

    @precondition(lambda self: self.books)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        book = data.draw(st.sampled_from(sorted(self.books)))
        with self.home.database.write() as session:
            kobo_choice.withdraw(session, self.kobo.device_id, book, self.home.clock())
        self.never.add(book)
        self.sent.discard(book)

    @precondition(lambda self: self.books)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        book = data.draw(st.sampled_from(sorted(self.books)))
        with self.home.database.write() as session:
            kobo_choice.send(session, self.kobo.device_id, session.get_one(Book, book))
        self.never.discard(book)
        self.removed.discard(book)
        if self.chosen is not None:
            self.sent.add(book)

    @precondition(lambda self: self.listed & self.expected())
    @rule(data=st.data())
    def offer_again(self, data: st.DataObject) -> None:
        book = data.draw(st.sampled_from(sorted(self.listed & self.expected())))
        with self.home.database.write() as session:
            kobo_choice.offer_again(session, self.kobo.device_id, book)
        self.due_to_lose.add(book)

    @rule(data=st.data())
    def choose(self, data: st.DataObject) -> None:
        self.chosen = data.draw(st.none() | st.sets(st.sampled_from(sorted(self.shelves)))) if self.shelves else None
        with self.home.database.write() as session:
            kobo_choice.choose(
                session, self.kobo.device_id, everything=self.chosen is None, shelves=self.chosen or (), series=()
            )

    def expected(self) -> set[str]:
        """The books that the device should have."""
        every = set(self.books)
        if self.chosen is not None:
            every = self.sent.union(*(self.shelves[id][1] for id in self.chosen if id in self.shelves))
        return every - self.never - self.removed

    # Shelves, here and there

    @rule(data=st.data())
    def make_shelf(self, data: st.DataObject) -> None:
        self.number += 1
        name = f"Shelf {self.number}"
        books = data.draw(st.lists(st.sampled_from(sorted(self.books)), unique=True, max_size=3)) if self.books else []
        with self.home.database.write() as session:
            shelf = shelves.add_shelf(session, self.kobo.user_id, name, self.home.clock())
            shelves.put_on(session, shelf, books, self.home.clock())
            self.shelves[shelf.id] = (name, books)

    @precondition(lambda self: self.shelves)
    @rule(data=st.data(), act=st.sampled_from(["put", "take", "rename", "delete"]))
    def change_shelf(self, data: st.DataObject, act: str) -> None:
        id = data.draw(st.sampled_from(sorted(self.shelves)))
        name, books = self.shelves[id]
        now = self.home.clock()
        with self.home.database.write() as session:
            shelf = session.get_one(BookShelf, id)
            if act == "put" and self.books:
                book = data.draw(st.sampled_from(sorted(self.books)))
                shelves.put_on(session, shelf, [book], now)
                self.shelves[id] = (name, books if book in books else [*books, book])
            elif act == "take" and books:
                book = data.draw(st.sampled_from(books))
                shelves.take_off(session, shelf, [book], now)
                self.shelves[id] = (name, [one for one in books if one != book])
            elif act == "rename":
                self.number += 1
                shelves.rename_shelf(session, shelf, f"Shelf {self.number}", now)
                self.shelves[id] = (f"Shelf {self.number}", books)
            elif act == "delete":
                shelves.delete_shelf(session, shelf, now)
                del self.shelves[id]

    @precondition(lambda self: self.listed)
    @rule(data=st.data())
    def make_on_device(self, data: st.DataObject) -> None:
        self.number += 1
        name = f"Shelf {self.number}"
        books = data.draw(st.lists(st.sampled_from(sorted(self.listed)), unique=True, max_size=3))
        items = [{"RevisionId": self.entitlements[book]} for book in books]
        answer = self.kobo.call("POST", "/v1/library/tags", {"Name": name, "Items": items})
        assert isinstance(answer, Answer)
        id = json.loads(answer.body)
        self.shelves[id] = (name, books)
        self.shown[id] = (name, [self.entitlements[book] for book in books])

    @precondition(lambda self: self.shown and self.listed)
    @rule(data=st.data(), act=st.sampled_from(["add", "take", "rename", "delete"]))
    def change_on_device(self, data: st.DataObject, act: str) -> None:
        """What the device changes counts, but for a deletion of what changed elsewhere since."""
        id = data.draw(st.sampled_from(sorted(self.shown)))
        name, items = self.shown[id]
        path = f"/v1/library/tags/{id}"
        if act == "add":
            book = data.draw(st.sampled_from(sorted(self.listed)))
            item = self.entitlements[book]
            self.kobo.call("POST", f"{path}/Items", {"Items": [{"RevisionId": item}]})
            self.shown[id] = (name, items if item in items else [*items, item])
        elif act == "take" and items:
            item = data.draw(st.sampled_from(items))
            self.kobo.call("POST", f"{path}/items/delete", {"Items": [{"RevisionId": item}]})
            self.shown[id] = (name, [one for one in items if one != item])
        elif act == "rename":
            self.number += 1
            self.kobo.call("PUT", path, {"Name": f"Shelf {self.number}"})
            self.shown[id] = (f"Shelf {self.number}", items)
        elif act == "delete":
            self.kobo.call("DELETE", path)
            del self.shown[id]
        self.shelves = self._stored()

    def _stored(self) -> dict[str, tuple[str, list[str]]]:
        with self.home.database.read() as session:
            mine = shelves.shelves_of(session, self.kobo.user_id)
            return {one.shelf.id: (one.shelf.name, shelves.books_on(session, one.shelf.id)) for one in mine}

    @rule(minutes=st.sampled_from([0, 1, 5, 60, 60 * 24]))
    def time_passes(self, minutes: int) -> None:
        self.home.clock.forward(minutes=minutes, seconds=1)

    @rule()
    def lose_token(self) -> None:
        self.kobo.token = ""

    @rule(pages=st.integers(0, 2), arrives=st.booleans())
    def interrupted_sync(self, pages: int, arrives: bool) -> None:
        """The connection breaks after some pages; the last one arrives or not. The token in use is forgotten, for only
        the last of a complete run is kept."""
        kept = self.kobo.token
        for _ in range(pages):
            page, more = self.kobo.page()
            self._apply(page)
            if not more:
                return
        page, more = self.kobo.page()
        if arrives:
            self._apply(page)
            if not more:
                return
        self.kobo.token = kept
        self.home.clock.forward(minutes=3)

    @rule()
    def sync(self) -> None:
        """A sync that ends leaves the device with every book that is wanted, and, an hour later, no other; and with the
        shelves that have some of its books."""
        self.home.clock.forward(minutes=3)
        self._apply(self.kobo.sync())
        assert self.listed >= self.expected()
        self.home.clock.forward(hours=2)
        self._apply(self.kobo.sync())
        assert self.listed == self.expected()
        assert self.kobo.sync() == []
        there = {self.entitlements[book] for book in self.listed}
        assert set(self.shown) <= set(self.shelves)
        for id, (name, books) in self.shelves.items():
            items = [self.entitlements[book] for book in books if self.entitlements.get(book) in there]
            assert self.shown.get(id, (name, [])) == (name, items)

    @invariant()
    def what_is_held_is_listed(self) -> None:
        assert self.held <= self.listed

    def _apply(self, events: list[Event]) -> None:
        with self.home.database.read() as session:
            from appliance.models import KoboEntitlement

            for event in events:
                [(kind, value)] = event.items()
                if "Tag" in value:
                    self._apply_tag(kind, value["Tag"])
                    continue
                id = value["BookEntitlement"]["Id"]
                book = session.get_one(KoboEntitlement, id).book_id
                self.entitlements[book] = id
                if kind == "ChangedProductMetadata":
                    continue
                is_gone = value["BookEntitlement"]["IsRemoved"]
                may_go = book not in self.expected() if is_gone else book in self.due_to_lose
                assert book not in self.held or may_go, "a held book was taken away"
                self.held.discard(book)
                self.due_to_lose.discard(book)
                if is_gone:
                    self.listed.discard(book)
                    for tag, (name, items) in self.shown.items():
                        self.shown[tag] = (name, [item for item in items if item != id])
                else:
                    self.listed.add(book)

    def _apply_tag(self, kind: str, tag: dict[str, Any]) -> None:
        if kind == "DeletedTag":
            self.shown.pop(tag["Id"], None)
            return
        items = [item["RevisionId"] for item in tag["Items"]]
        assert set(items) <= {self.entitlements[book] for book in self.listed}, "a collection names a book not there"
        self.shown[tag["Id"]] = (tag["Name"], items)


Library.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLibrary = pytest.mark.slow(Library.TestCase)
