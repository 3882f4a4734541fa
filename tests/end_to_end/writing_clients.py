"""Clients of one person on the network that write into one book, each in its own protocol, and what must be there of
what was acknowledged. For a server that is killed under them, and for many of them at once."""

import hashlib
import json
import random
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlmodel import select

from appliance.database import Database
from appliance.library.digests import digests
from appliance.models import Book, JournalEntry, KoboDelivery, ReadingEvent
from tests.library.making import epub, put
from tests.server import Server
from tests.simulators.kobo import Kobo
from tests.simulators.kobo.device import SyncFailed

CHAPTERS, PARAGRAPHS = 20, 50
TITLE = "A Book For Many"
PATIENCE = 60  # seconds


class Cut(Exception):
    """No answer: whether it was written nobody knows."""


def write_book(folder: Path) -> Path:
    """A book with many short paragraphs, each of which can be marked."""
    chapters = {
        f"{chapter:02}.xhtml": "".join(
            f"<p>Paragraph {number} of chapter {chapter} says nothing new.</p>" for number in range(PARAGRAPHS)
        )
        for chapter in range(CHAPTERS)
    }
    return put(folder / "book.epub", epub(f"<dc:title>{TITLE}</dc:title>", chapters))


class Client(ABC):
    """`write` returns what was acknowledged: a kind and a name, to be found again by `missing`. Raises `Cut`; the next
    call then says the same once more."""

    def __init__(self, url: str, headers: dict[str, str], cookies: dict[str, str] | None = None) -> None:
        self._http = httpx.Client(base_url=url, headers=headers, cookies=cookies, trust_env=False, timeout=PATIENCE)
        self._count = 0
        self._is_answered = True

    def close(self) -> None:
        self._http.close()

    def write(self) -> str:
        if self._is_answered:
            self._count += 1
            self._name = uuid4()
        self._is_answered = False
        self._chance = random.Random(self._name.int)
        acknowledged = self._write()
        self._is_answered = True
        return acknowledged

    @abstractmethod
    def _write(self) -> str:
        """Say it, and return what was acknowledged."""

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            answer = self._http.request(method, path, content=None if body is None else json.dumps(body))
        except httpx.TransportError as error:
            raise Cut from error
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        return answer.json()


class KoSync(Client):
    """A stock KOReader behind a login that others use too: it pushes its place, and pulls now and then."""

    def __init__(self, login: dict[str, str], name: str, document: str) -> None:
        key = hashlib.md5(login["password"].encode()).hexdigest()
        super().__init__(login["server"], {"x-auth-user": login["username"], "x-auth-key": key})
        self._device, self._document = name, document

    def _write(self) -> str:
        percentage = self._chance.random()
        chapter, paragraph = self._chance.randrange(CHAPTERS), self._chance.randrange(PARAGRAPHS)
        body = {
            "document": self._document,
            "progress": f"/body/DocFragment[{chapter + 1}]/body/p[{paragraph + 1}]/text().0",
            "percentage": percentage,
            "device": self._device,
            "device_id": self._device.upper(),
        }
        self._ask("PUT", "/syncs/progress", body)
        if self._count % 3 == 0:
            self._ask("GET", f"/syncs/progress/{self._document}")
        return f"kosync {percentage!r}"


class KoboReader(Client):
    """A Kobo that holds the book: it reports its state, asks for it, and syncs now and then."""

    def __init__(self, kobo: Kobo, device: int) -> None:
        super().__init__(kobo.connection.api_endpoint, {})
        self._kobo, self.device, self.last = kobo, device, ""
        self._book = kobo.book(TITLE)
        self._spans = [span for document in kobo.file(TITLE).documents for span in document.spans]
        self._began = datetime.now(UTC) - timedelta(hours=1)

    def _write(self) -> str:
        stamp = (self._began + timedelta(seconds=self._count)).strftime("%Y-%m-%dT%H:%M:%SZ")
        span = self._chance.choice(self._spans)
        path = f"/v1/library/{self._book.id}/state"
        bookmark = {
            "LastModified": stamp,
            "ProgressPercent": self._count % 99,
            "Location": {"Source": span.source, "Type": "KoboSpan", "Value": span.id},
        }
        state = {
            "CurrentBookmark": bookmark,
            "EntitlementId": self._book.id,
            "LastModified": stamp,
            "Statistics": {"LastModified": stamp, "SpentReadingMinutes": self._count},
            "StatusInfo": {"LastModified": stamp, "Status": "Reading"},
        }
        answer = self._ask("PUT", path, {"ReadingStates": [state]})
        assert answer["UpdateResults"][0]["PriorityTimestamp"] == stamp, answer
        self.last = stamp
        if self._count % 3 == 0:
            self._ask("GET", path)
        if self._count % 5 == 0:
            self._ask("GET", "/v1/library/sync")
        return f"kobo {self.device} {stamp}"

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        connection = self._kobo.connection
        try:
            answer = connection.send(method, connection.url(path), body)
        except SyncFailed as failure:
            raise Cut from failure
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        return answer.json()


class Browser(Client):
    """A tab of a signed-in browser."""

    def __init__(self, server: Server, user: str, book_id: str, sha256: str) -> None:
        with server.browser(user) as browser:
            cookies, csrf = dict(browser.cookies), browser.csrf
        headers = {**csrf, "content-type": "application/json", "accept": "application/json"}
        super().__init__(server.url, headers, cookies)
        self._book, self._sha256 = f"/api/books/{book_id}", sha256

    def act(self, do: str, id: str, **fields: object) -> dict[str, Any]:
        """What became of one operation on an annotation."""
        operation = {"do": do, "id": id, "operation_id": self._name.hex, **fields}
        answer = self._ask("POST", f"{self._book}/annotations", {"sha256": self._sha256, "operations": [operation]})
        done: dict[str, Any] = answer["done"][0]
        assert done["outcome"] in ("current", "duplicate"), (operation, done)
        return done

    def put(self, what: str, **fields: object) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask("PUT", f"{self._book}/{what}", {"operation_id": self._name.hex, **fields})
        return answer


def paragraph(number: int) -> str:
    """The CFI of the first words of a paragraph, counted through the book."""
    chapter, number = divmod(number % (CHAPTERS * PARAGRAPHS), PARAGRAPHS)
    return f"epubcfi(/6/{2 * chapter + 2}!/4/{2 * number + 2}/1,:0,:9)"


class Marker(Browser):
    """Highlights one paragraph after another; recolours some and deletes some. `first`, `step`: which ones."""

    first, step = 0, 1

    def _write(self) -> str:
        what = self._count % 4
        if what in (1, 2):
            self._made = str(self._name)
            where = paragraph(1 + self.first + self.step * self._count)
            done = self.act("create", self._made, range=where, text=f"words {self._count}", note=self._made)
        elif what == 3:
            colour = f"#{self._count % 2**24:06x}"
            done = self.act("change", self._made, base_version=self._version, colour=colour)
        else:
            done = self.act("delete", self._made, base_version=self._version)
        self._version = done["version"]
        return f"journal {self._name.hex}"


class Noter(Browser):
    """Writes notes to one highlight that has `version` as far as it knows. `follows`: it looks before it writes."""

    highlight, version, follows = "", 0, False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.notes: list[str] = []

    def make(self) -> tuple[str, int]:
        """The highlight: its id and version."""
        self._name = uuid4()
        done = self.act("create", str(self._name), range=paragraph(0), text="noted by all")
        return done["id"], done["version"]

    def _write(self) -> str:
        done = self.act("change", self.highlight, base_version=self.version, note=self._name.hex)
        self.notes.append(self._name.hex)
        if self.follows:
            self.version = done["version"]
        return f"journal {self._name.hex}"


class Rater(Browser):
    """Status, rating and review, one after another."""

    _version = 0

    def _write(self) -> str:
        fields = {
            "status": ("reading", "finished")[self._count % 2],
            "rating": self._count % 11,
            "review": str(self._name),
        }
        field = list(fields)[self._count % 3]
        kept = self.put("state", base_version=self._version, **{field: fields[field]})
        self._version = kept["state"]["version"]
        return f"journal {self._name.hex}"


class Heart(Browser):
    """Tells how long it was read."""

    def _write(self) -> str:
        started = datetime.now(UTC) - timedelta(days=30) + timedelta(minutes=self._count)
        kept = self.put("reading-time", started_at=started.isoformat(), seconds=30)
        assert kept["outcome"] in ("counted", "duplicate"), kept
        return f"event {self._name.hex}"


class Leafer(Browser):
    """Goes to some place in the book, and looks where it is."""

    def _write(self) -> str:
        where = paragraph(self._chance.randrange(CHAPTERS * PARAGRAPHS)).replace(",:0,:9", ":0")
        based_on = self._ask("GET", f"{self._book}/progress")["version"]
        saved = self.put("progress", cfi=where, act="jumped", based_on=based_on)
        assert saved["outcome"] in ("current", "history", "suggestion", "duplicate"), saved
        return f"journal {self._name.hex}"


def settle(
    server: Server, database: Database, folder: Path, kosyncs: int, kobos: int, browsers: list[type[Browser]]
) -> list[Client]:
    """One person with all these clients, and the book on each of them. `folder`: for the files of the Kobos."""
    server.add_user("Ida")
    login = server.add_device("Ida", "kosync")
    with (server.books / "book.epub").open("rb") as stream:
        names = digests(stream)
    clients: list[Client] = [KoSync(login, f"reader{number}", names.partial_md5) for number in range(kosyncs)]
    for number in range(kobos):
        added = server.add_device("Ida", "kobo")
        kobo = Kobo(added["api_endpoint"], folder / f"kobo{number}", auto_download=1, device_id=f"{number:064x}")
        kobo.sync()
        clients.append(KoboReader(kobo, int(added["device"])))
    with database.read() as session:
        book_id = session.exec(select(Book.id)).one()
    tabs = [kind(server, "Ida", book_id, names.sha256) for kind in browsers]
    markers = [tab for tab in tabs if isinstance(tab, Marker)]
    for number, marker in enumerate(markers):
        marker.first, marker.step = number, len(markers)
    noters = [tab for tab in tabs if isinstance(tab, Noter)]
    if noters:
        highlight, version = noters[0].make()
        for noter in noters:
            noter.highlight, noter.version = highlight, version
    return [*clients, *tabs]


def missing(database: Database, acknowledged: set[str]) -> set[str]:
    """What was acknowledged and is not there."""
    with database.read() as session:
        entries = session.exec(select(JournalEntry)).all()
        there = {f"event {name}" for name in session.exec(select(ReadingEvent.operation_id)).all()}
    there |= {f"journal {entry.operation_id}" for entry in entries}
    there |= {f"kosync {entry.percent!r}" for entry in entries if entry.dialect == "xpointer"}
    there |= {
        f"kobo {entry.device_id} {entry.claimed_at:%Y-%m-%dT%H:%M:%SZ}" for entry in entries if entry.dialect == "kobo"
    }
    return acknowledged - there


def check_kobos(database: Database, clients: list[Client]) -> None:
    """The last state of each Kobo is what it said last."""
    with database.read() as session:
        for kobo in clients:
            if isinstance(kobo, KoboReader):
                [row] = session.exec(select(KoboDelivery).where(KoboDelivery.device_id == kobo.device)).all()
                stored = json.loads(row.reading_state or "{}")
                assert stored.get("LastModified", "") >= kobo.last, (kobo.device, stored, kobo.last)
