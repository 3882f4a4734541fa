"""`library/sync`, and what its events do to the books on the device (kobo-protocol.md 4)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.simulators.kobo.connection import Connection, check_sync, read_json
from tests.simulators.kobo.shelf import Book, Shelf
from tests.simulators.kobo.tags import Collections
from tests.simulators.kobo.violation import Violation, check, check_entitlement, check_metadata, check_state

EVENTS = {
    "NewEntitlement",
    "ChangedEntitlement",
    "ChangedProductMetadata",
    "ChangedReadingState",
    "NewTag",
    "ChangedTag",
    "DeletedTag",
}
MAX_PAGES = 2000
PATH = "/v1/library/sync?Filter=ALL&DownloadUrlFilter=Generic,Android&PrioritizeRecentReads=true"


class LibrarySync:
    """The sync run of a device. `sends_token`: some firmware never does."""

    def __init__(
        self,
        connection: Connection,
        shelf: Shelf,
        folder: Path,
        replacements: set[str],
        collections: Collections,
        say: Callable[[str], None],
    ) -> None:
        self.connection, self.shelf, self.folder, self.say = connection, shelf, folder, say
        self.replacements, self.collections = replacements, collections
        self.sends_token = True

    def run(self, stop_after: int | None = None) -> list[dict[str, Any]]:
        """Pages until one comes without `continue`. Only then is the token kept for the next run (4.2).
        `stop_after`: lose the connection after so many pages."""
        events: list[dict[str, Any]] = []
        token = self.shelf.sync_token
        self._seen: set[str] = set()
        for number in range(MAX_PAGES):
            if number == stop_after:
                self.say("  connection lost")
                return events
            page, token, more = self.page(token)
            check(
                page or not more, "`continue` with an empty page: the device asks again, three times a second, for ever"
            )
            check(
                not more or token not in self._seen,
                "`continue` with a token that was given before: the device goes round in a circle",
            )
            self._seen.add(token)
            for event in page:
                self._apply(event)
            events += page
            if not more:
                self.shelf.sync_token = token
                self.say(f"  {_count(len(events), 'event')} in {_count(number + 1, 'page')}")
                return events
        raise Violation(f"`continue` for {MAX_PAGES} pages: the device would go on for ever")

    def page(self, token: str) -> tuple[list[dict[str, Any]], str, bool]:
        """One request: events, the new token, whether there is more."""
        headers = {"x-kobo-synctoken": token} if token and self.sends_token else {}
        answer = self.connection.send("GET", self.connection.url(PATH), headers=headers)
        check_sync(answer.status_code == 200, f"library/sync was answered with {answer.status_code}")
        page = read_json(answer, "library/sync")
        check(isinstance(page, list), "the answer to library/sync must be an array")
        new_token = answer.headers.get("x-kobo-synctoken", "")
        check(new_token and len(new_token) < 1000, f"a sync token of {len(new_token)} characters")
        return page, new_token, answer.headers.get("x-kobo-sync") == "continue"

    def _apply(self, event: dict[str, Any]) -> None:
        check(isinstance(event, dict) and len(event) == 1, f"an event must have one key: {event}")
        [(kind, value)] = event.items()
        check(kind in EVENTS, f"the device does not know {kind}")
        if kind in ("NewEntitlement", "ChangedEntitlement"):
            self._entitlement(value)
        elif kind == "ChangedProductMetadata":
            self._metadata(value)
        elif kind == "ChangedReadingState":
            self._state(value["ReadingState"])
        else:
            self.collections.apply(kind, value["Tag"])

    def _entitlement(self, value: dict[str, Any]) -> None:
        entitlement, metadata = value["BookEntitlement"], value["BookMetadata"]
        check_entitlement(entitlement)
        id = entitlement["Id"]
        book = self.shelf.books.get(id)
        if entitlement["IsRemoved"]:
            if book is not None:
                self._drop(book, "removed")
                self.say(f"  removed “{book.title}”")
                del self.shelf.books[id]
            return
        check_metadata(metadata)
        check(metadata["EntitlementId"] == id, "entitlement and metadata are of two books")
        if "ReadingState" in value:
            check_state(value["ReadingState"], id)
        if book is None:
            self.shelf.books[id] = Book(id, metadata)
            self.say(f"  new book “{self.shelf.books[id].title}”")
            return
        self._drop(book, "sent again")
        book.metadata = metadata

    def _drop(self, book: Book, why: str) -> None:
        """Any entitlement for a book on the device takes its file away, with place and notes (4.10)."""
        if book.file is None:
            return
        lost = f"“{book.title}” was {why}: it falls back to “Download”, and loses its place and {len(book.notes)} notes"
        check(book.id in self.replacements, lost)
        self.say(f"  {lost}")
        (self.folder / book.file).unlink(missing_ok=True)
        book.file, book.notes, book.pending, book.tombstones = None, {}, [], []
        book.place, book.status = type(book.place)(), "ReadyToRead"
        book.last_modified = book.priority = ""

    def _metadata(self, value: dict[str, Any]) -> None:
        metadata = value.get("BookMetadata", value)
        check_metadata(metadata)
        book = self.shelf.books.get(metadata["EntitlementId"])
        check(book is not None, "metadata of a book that the device does not have")
        assert book is not None
        book.metadata = metadata
        self.say(f"  new title, cover or such of “{book.title}”")

    def _state(self, state: dict[str, Any]) -> None:
        book = self.shelf.books.get(state["EntitlementId"])
        check(book is not None, "a reading state of a book that the device does not have")
        assert book is not None
        check_state(state, book.id)
        check(
            state["PriorityTimestamp"] > book.last_modified,
            f"the device's own state came back to it as news: {state['PriorityTimestamp']}",
        )
        check(
            state["StatusInfo"]["Status"] != "ReadyToRead" or "Location" in state["CurrentBookmark"],
            "an empty state for a book on the device may wipe its place",
        )
        # The badge and the number change at once, the place when the book is opened next (5.6).
        book.told, book.status = state, state["StatusInfo"]["Status"]
        book.place.percent = state["CurrentBookmark"].get("ProgressPercent", book.place.percent)
        self.say(f"  told of “{book.title}”: {state['CurrentBookmark']}")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
