"""A device and a library that do anything in any order: nothing held is ever lost, and in the end all is there."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.library import kobo_choice
from tests.kobo_api.conftest import open_home
from tests.kobo_api.shapes import Event


class Library(RuleBasedStateMachine):
    """`listed`, `held`: what the device lists and has downloaded, by entitlement id. `due_to_lose`: held books that a
    person meant to replace or remove."""

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
        self.unwanted: set[str] = set()
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
        self.unwanted.add(book)

    @precondition(lambda self: self.listed)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        book = data.draw(st.sampled_from(sorted(self.listed)))
        with self.home.database.write() as session:
            kobo_choice.withdraw(session, self.kobo.device_id, book, self.home.clock())
        self.due_to_lose.add(book)
        self.unwanted.add(book)

    @precondition(lambda self: self.entitlements)
    @rule(data=st.data())
    def offer_again(self, data: st.DataObject) -> None:
        book = data.draw(st.sampled_from(sorted(self.entitlements)))
        with self.home.database.write() as session:
            kobo_choice.offer_again(session, self.kobo.device_id, book)
        self.due_to_lose.add(book)
        self.unwanted.discard(book)

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
        """A sync that ends leaves the device with every book that is wanted, and no other."""
        self.home.clock.forward(minutes=3)
        self._apply(self.kobo.sync())
        assert self.listed == set(self.books) - self.unwanted
        self._apply(self.kobo.sync())

    @invariant()
    def what_is_held_is_listed(self) -> None:
        assert self.held <= self.listed

    def _apply(self, events: list[Event]) -> None:
        with self.home.database.read() as session:
            from appliance.models import KoboEntitlement

            for event in events:
                [(kind, value)] = event.items()
                id = value["BookEntitlement"]["Id"]
                book = session.get_one(KoboEntitlement, id).book_id
                self.entitlements[book] = id
                if kind == "ChangedProductMetadata":
                    continue
                assert book not in self.held or book in self.due_to_lose, "a held book was taken away"
                self.held.discard(book)
                self.due_to_lose.discard(book)
                if value["BookEntitlement"]["IsRemoved"]:
                    self.listed.discard(book)
                else:
                    self.listed.add(book)


Library.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLibrary = pytest.mark.slow(Library.TestCase)
