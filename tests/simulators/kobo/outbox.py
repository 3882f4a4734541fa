"""What a Kobo has to tell while it has no network: it is sent when the next sync begins (kobo-protocol.md 1.1, 5.4)."""

from collections.abc import Callable
from typing import Any

from tests.simulators.kobo.connection import Connection
from tests.simulators.kobo.shelf import Book, Shelf
from tests.simulators.kobo.violation import check


class Outbox:
    """Reading states and removals. Of a book's states only the last is kept, as the device has one row for it."""

    def __init__(self, connection: Connection, shelf: Shelf, say: Callable[[str], None]) -> None:
        self.connection, self.shelf, self.say = connection, shelf, say

    def put_state(self, book: Book, state: dict[str, Any]) -> None:
        """Tell the place, now or later."""
        self.shelf.states[book.id] = state
        self._go()

    def remove(self, book: Book) -> None:
        """Tell that a book was removed, now or later."""
        self.shelf.states.pop(book.id, None)
        self.shelf.removals.append(book.id)
        self._go()

    def send(self) -> None:
        """Everything that waits. What was not answered well waits on."""
        for id in list(self.shelf.removals):
            self.connection.call("DELETE", f"/v1/library/{id}")
            self.shelf.removals.remove(id)
        for id, state in list(self.shelf.states.items()):
            self._put(id, state)
            del self.shelf.states[id]

    def _go(self) -> None:
        if self.connection.is_offline:
            self.say("  offline: it waits for the next sync")
        else:
            self.send()

    def _put(self, id: str, state: dict[str, Any]) -> None:
        answer = self.connection.call("PUT", f"/v1/library/{id}/state", {"ReadingStates": [state]})
        check(answer.get("RequestResult") == "Success", f"the state was refused: {answer}")
        result = answer["UpdateResults"][0]
        check(result["EntitlementId"] == id, "the result is of another book")
        for name in ("CurrentBookmarkResult", "StatisticsResult", "StatusInfoResult"):
            check(result[name]["Result"] == "Success", f"{name}: {result[name]}")
        own = state["LastModified"]
        check(
            result["PriorityTimestamp"] == own,
            f"PriorityTimestamp {result['PriorityTimestamp']} is not the device's own {own}: every wake-up asks “Sync"
            " to last page read?”",
        )
