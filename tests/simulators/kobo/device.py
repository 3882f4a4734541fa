"""The Kobo as its owner uses it: sync, download, read, finish, remove."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.simulators.kobo.annotations import Annotations, Habits
from tests.simulators.kobo.connection import Connection, SyncFailed, check_sync, read_json
from tests.simulators.kobo.downloader import Downloader
from tests.simulators.kobo.kepub import Kepub, Span
from tests.simulators.kobo.library import LibrarySync
from tests.simulators.kobo.outbox import Outbox
from tests.simulators.kobo.reader import Reader
from tests.simulators.kobo.shelf import Book, Shelf
from tests.simulators.kobo.sign_in import SignIn
from tests.simulators.kobo.tags import Collections
from tests.simulators.kobo.violation import check, check_state


class Kobo:
    """One device. `folder`: its disk, with `device.json` and the downloaded files. `answer_dialog`: what its owner
    says to “Sync to last page read?”; `dialogs` collects what was asked. `auto_download`: how many new books a sync
    fetches by itself. `replacements`: ids of books that the test means to be replaced or removed; any other book that
    loses its file in a sync raises `Violation`. `habits`: of its firmware with notes. `options`: of `Connection`.
    """

    def __init__(
        self,
        api_endpoint: str,
        folder: Path,
        *,
        auto_download: int = 0,
        answer_dialog: bool = True,
        echo: bool = False,
        habits: Habits | None = None,
        **options: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.auto_download = auto_download
        self.answer_dialog = answer_dialog
        self.echo = echo
        self.log: list[str] = []
        self.dialogs: list[str] = []
        self.replacements: set[str] = set()
        self.shelf = Shelf.load(folder / "device.json")
        self.connection = Connection(api_endpoint, self.say, **options)
        self.connection.access_token = self.shelf.access_token
        self.connection.device_id, self.connection.serial = self.shelf.device_id, self.shelf.device_id[:32]
        self.sign_in = SignIn(self.connection, self.shelf, self.now, self.say)
        self.collections = Collections(self.connection, self.shelf, self.say)
        self.library = LibrarySync(
            self.connection, self.shelf, self.folder, self.replacements, self.collections, self.say
        )
        self.downloader = Downloader(self.connection, self.folder, self.say)
        self.annotations = Annotations(self.connection, self.shelf, self.say, habits)
        self.outbox = Outbox(self.connection, self.shelf, self.say)
        self.reader: Reader | None = None

    def __enter__(self) -> "Kobo":
        return self

    def __exit__(self, *_error: object) -> None:
        self.save()
        self.connection.http.close()

    # Time

    def now(self) -> float:
        """Seconds since 1970 by the device's clock."""
        return time.time() + self.shelf.clock

    def wait(self, seconds: float) -> None:
        """Let time pass on the device alone."""
        self.shelf.clock += seconds

    def stamp(self) -> str:
        """The device's time as it writes it: whole seconds."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="seconds")[:19] + "Z"

    # Connected

    def go_offline(self) -> None:
        """No network until the next sync: what is to be told waits."""
        self.connection.is_offline = self.collections.is_offline = True

    def sync(self) -> list[dict[str, Any]]:
        """Everything between pressing Sync and the end of it (1.1); returns the events of the library sync."""
        self.say("sync")
        self.connection.is_offline = False
        call = self.connection.call
        call("GET", f"/v1/affiliate?PlatformID={self.connection.platform_id}&SerialNumber={self.connection.serial}")
        self.sign_in.initialize()
        self.sign_in.refresh_if_expired()
        check(call("GET", "/v1/user/profile").get("UserId"), "an empty profile hangs a device")
        check(isinstance(call("GET", "/v1/user/loyalty/benefits").get("Benefits"), dict), "no Benefits")
        check(call("GET", "/v1/products/books/subscriptions") == [], "subscriptions must be an array")
        check("Deals" in call("GET", "/v1/deals"), "no Deals")
        check(
            call("GET", '/v1/assets?DiffRequests=[{"Group":"a[1]"}]').get("KeepGoing") is False, "assets go on for ever"
        )
        tests = call("POST", "/v1/analytics/gettests", {"AffiliateName": "Kobo", "TestKey": "key"})
        check(tests.get("Result") == "Success" and tests.get("TestKey") == "key", "gettests failed")
        if not self.shelf.is_registered:
            call("POST", "/v1/user/add-device", {})
            self.shelf.is_registered = True
        self.outbox.send()
        self.collections.is_offline = False
        self.collections.send()
        events = self.library.run()
        self._fetch_new(events)
        check("Items" in call("GET", "/v1/user/wishlist?PageSize=100&PageIndex=0"), "no wishlist")
        event = {"Id": "3f3e2d1c-aaaa-4bbb-8ccc-111122223333", "EventType": "Sync", "Timestamp": self.stamp()}
        accepted = call("POST", "/v1/analytics/event", {"Events": [event]}).get("AcceptedEvents")
        check(accepted == [event["Id"]], "events that are not accepted are sent again for ever")
        self.annotations.check_for_changes(list(self.shelf.books.values())[:13])
        self.annotations.sync_storage()
        self.save()
        return events

    def _fetch_new(self, events: list[dict[str, Any]]) -> None:
        new = [event["NewEntitlement"]["BookEntitlement"]["Id"] for event in events if "NewEntitlement" in event]
        for id in new[: self.auto_download]:
            self.download(id)

    def download(self, book: str | Book, interrupt_after: int | None = None) -> Kepub:
        """Fetch a book's file, as a tap on it does. `interrupt_after`: lose the connection after so many bytes and go
        on later with a Range request."""
        book = self.book(book)
        self.downloader.fetch(book, interrupt_after)
        # Local places and notes began with the file (4.10); the device asks for the notes by itself (7.3).
        book.place, book.status = type(book.place)(), "ReadyToRead"
        book.last_modified = book.priority = ""
        self.annotations.after_download(book)
        self.save()
        return self.file(book)

    def cover(self, book: str | Book, width: int = 355, height: int = 530) -> bytes:
        """The cover as the library view asks for it."""
        template = str(self.shelf.resources["image_url_template"])
        values = {"ImageId": self.book(book).metadata["CoverImageId"], "Width": str(width), "Height": str(height)}
        for name, value in values.items():
            template = template.replace("{" + name + "}", value)
        answer = self.connection.send("GET", template)
        check(answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg", "no JPEG for a cover")
        check(answer.content[:2] == b"\xff\xd8", "the cover is no JPEG")
        return answer.content

    def remove(self, book: str | Book) -> None:
        """“Remove from my books”: the server is told (6.5)."""
        book = self.book(book)
        self.outbox.remove(book)
        self._delete_file(book)
        del self.shelf.books[book.id]
        self.save()

    def reset(self) -> None:
        """Factory settings: nothing is left but the device itself; then its owner puts the address in again."""
        self.say("reset")
        for book in self.shelf.books.values():
            self._delete_file(book)
        self.shelf = Shelf(clock=self.shelf.clock, device_id=self.shelf.device_id)
        for part in (self.sign_in, self.library, self.collections, self.annotations, self.outbox):
            part.shelf = self.shelf
        self.connection.access_token = ""
        self.save()

    def remove_download(self, book: str | Book) -> None:
        """“Remove download”: nothing is sent (4.8)."""
        self._delete_file(self.book(book))
        self.save()

    def _delete_file(self, book: Book) -> None:
        if book.file is not None:
            (self.folder / book.file).unlink(missing_ok=True)
            book.file = None

    # Reading

    def open(self, book: str | Book) -> None:
        """Open a book where the device has it, after asking the server for its state (1.1, 5.4)."""
        book = self.book(book)
        check(self.reader is None, "one book at a time")
        reader = Reader(book, self.file(book), self.say)
        self.say(f"open “{book.title}” at {f'{book.place.source} {book.place.span}'.strip() or 'its beginning'}")
        if self.connection.is_offline:
            self.reader = reader
            return
        states = self.connection.call("GET", f"/v1/library/{book.id}/state")
        check(isinstance(states, list) and len(states) == 1, "the state must come in an array of one")
        check_state(states[0], book.id)
        self.reader = reader
        self._consider(book, states[0])
        self.annotations.exchange(book)

    def _consider(self, book: Book, state: dict[str, Any]) -> None:
        """A newer stamp than the device knows means that another client moved the book: the owner is asked (5.4)."""
        assert self.reader is not None
        book.told = None
        if not book.last_modified and state["CurrentBookmark"].get("Location") is None:
            return
        if state["PriorityTimestamp"] <= max(book.priority, book.last_modified):
            return
        book.priority = state["PriorityTimestamp"]
        bookmark = state["CurrentBookmark"]
        location = bookmark.get("Location")
        place = f"{location['Source']} {location['Value']}" if location else f"{bookmark.get('ProgressPercent')} %"
        self.dialogs.append(f"Sync to last page read? {place}")
        self.say(f"  dialog: sync to last page read? {place} → {'yes' if self.answer_dialog else 'no'}")
        if self.answer_dialog and location:
            check(location["Type"] == "KoboSpan", f"the reader does not seek by {location['Type']}")
            self.reader.go(location["Source"], location["Value"])
            book.status = state["StatusInfo"]["Status"]

    def turn_pages(self, count: int = 1) -> None:
        """Read on (or back) by so many pages, a minute each."""
        self._reading().turn(count)
        self.wait(60 * abs(count))

    def read_to(self, span: Span | str) -> None:
        """Turn pages until a span (or the first that contains a text) is on the page."""
        reader = self._reading()
        target = span if isinstance(span, Span) else reader.file.find(span)
        while not reader.shows(target):
            check(reader.turn(1), f"{target.id} is not after this page")
            self.wait(60)

    def visible_text(self) -> str:
        """The words on the page."""
        return self._reading().text

    def highlight(self, span: Span, note: str | None = None) -> str:
        """Mark a whole span; it is uploaded when the book is closed. Returns the id."""
        return self.annotations.add(self._reading().book, span, note, self.stamp())

    def exchange_notes(self, book: str | Book) -> None:
        """What opening and closing a book does to its notes, without reading (7.2)."""
        self.annotations.exchange(self.book(book))
        self.save()

    def report(self) -> dict[str, Any]:
        """Tell the server of the place, as the device does from time to time while a book is open (5.4)."""
        reader = self._reading()
        reader.note_place()
        if reader.book.status == "ReadyToRead":
            reader.book.status = "Reading"
        return self._put(reader.book, reader.bookmark())

    def close(self) -> None:
        """Close the book: the place, then the notes (1.1)."""
        reader = self._reading()
        self.report()
        self.reader = None
        if not self.connection.is_offline:
            self.annotations.exchange(reader.book)
        self.save()

    def finish(self) -> None:
        """Read to the end and close: the device then names the first document (5.3)."""
        reader = self._reading()
        reader.book.status = "Finished"
        first = reader.file.documents[0].source
        bookmark = {
            "ContentSourceProgressPercent": 0,
            "Location": {"Source": first, "Type": "KoboSpan", "Value": "kobo.1.1"},
            "ProgressPercent": 100,
        }
        self._put(reader.book, bookmark)
        self.reader = None
        self.save()

    def _put(self, book: Book, bookmark: dict[str, Any]) -> dict[str, Any]:
        # The clock counts whole seconds; two reports of one second would look like one.
        if book.last_modified and self.stamp() <= book.last_modified:
            self.wait(1)
        stamp = self.stamp()
        book.minutes += 1
        state = {
            "CurrentBookmark": {**bookmark, "LastModified": stamp},
            "EntitlementId": book.id,
            "LastModified": stamp,
            "Statistics": {"LastModified": stamp, "RemainingTimeMinutes": 190, "SpentReadingMinutes": book.minutes},
            "StatusInfo": {"LastModified": stamp, "Status": book.status},
        }
        self.outbox.put_state(book, state)
        book.last_modified = book.priority = stamp
        return state

    # Looking

    def book(self, name: str | Book) -> Book:
        """A book by id, or by a part of its title. Raises `LookupError`."""
        if isinstance(name, Book):
            return name
        if name in self.shelf.books:
            return self.shelf.books[name]
        found = [book for book in self.shelf.books.values() if name.lower() in book.title.lower()]
        if len(found) != 1:
            raise LookupError(f"{len(found)} books are called {name!r}")
        return found[0]

    def file(self, book: str | Book) -> Kepub:
        """The downloaded file. Raises `LookupError`."""
        book = self.book(book)
        if book.file is None:
            raise LookupError(f"“{book.title}” is not downloaded")
        return Kepub(self.folder / book.file)

    def _reading(self) -> Reader:
        if self.reader is None:
            raise LookupError("no book is open")
        return self.reader

    def save(self) -> None:
        """Write the device's memory to its disk."""
        self.shelf.access_token = self.connection.access_token
        self.shelf.save(self.folder / "device.json")

    def say(self, text: str) -> None:
        self.log.append(text)
        if self.echo:
            print(text)


__all__ = ["Kobo", "SyncFailed", "check_sync", "read_json"]
