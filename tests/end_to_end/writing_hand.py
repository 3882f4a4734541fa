"""Clients of one person that write all kinds of things into one book, and what must be there of what was acknowledged.

For threads of this process and for child processes that are killed.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.orm import configure_mappers
from sqlmodel import select

from appliance.database import Database
from appliance.house import House, open_house
from appliance.models import Annotation, Book, Device, Feed, JournalEntry, Progress, User
from appliance.positions import Place, Position, Reason, Status
from appliance.reading.annotations.effects import fold
from appliance.reading.annotations.record import exchange
from appliance.reading.annotations.report import Caller, Said
from appliance.reading.book_state.record import SaidState, record_state
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Act, Report
from appliance.reading.sessions.event import Event, Source
from appliance.reading.sessions.record import record_events
from appliance.settings import load

CLIENTS = 16
USER, BOOK = 1, "b"
KINDS = ("highlight", "note", "position", "state", "time")

# Else each child process does it at its first statement, which takes it as long as all else that it does until it dies.
configure_mappers()


@contextmanager
def opened(folder: Path, url: str | None) -> Iterator[House]:
    """The house in a folder, with its data in PostgreSQL where a URL is given."""
    options = {"data": folder / "data", "books": [folder]} | ({"database_url": url} if url else {})
    house = open_house(load(options, {}))
    try:
        yield house
    finally:
        house.shelf.close()
        house.database.close()


def fill(house: House) -> None:
    """A person with a book and as many devices as there are clients."""
    now = house.now()
    with house.database.write() as session:
        session.add(User(id=USER, name="Ida", name_key="ida", password_hash="-", created_at=now))
        session.add(Book(id=BOOK, title="T", sort_title="t", added_at=now, changed_at=now))
        session.flush()
        for number in range(1, CLIENTS + 1):
            session.add(Device(id=number, user_id=USER, kind="koreader", name=f"r{number}", created_at=now))


class Client:
    """One device. `write` returns what was acknowledged: a kind and a name, to be found again by `missing`."""

    def __init__(self, house: House, device: int) -> None:
        self.house, self.device, self.count = house, device, 0

    def write(self) -> str:
        kind = KINDS[(self.device + self.count) % len(KINDS)]
        self.count += 1
        name = uuid4().hex
        getattr(self, f"_{kind}")(name)
        return f"{kind} {name}"

    def _caller(self) -> Caller:
        return Caller(USER, self.device, BOOK, "koreader", "xpointer", "0" * 64, self.house.now())

    def _highlight(self, name: str) -> None:
        (answer,) = exchange(self.house, self._caller(), [Said(name, "highlight", None, {"text": name})])
        assert answer.reason == "created"

    def _note(self, name: str) -> None:
        """All clients write a note to the same highlight at once; none of them has seen the others'."""
        fields = {"text": "the same words", "note": name}
        (answer,) = exchange(self.house, self._caller(), [Said("shared", "highlight", None, fields)])
        assert answer.outcome == "current", answer

    def _position(self, name: str) -> None:
        tick = 10 * self.count + self.device
        place = Place(Position("c.xhtml", 0, tick), Status.EXACT, Reason.NONE, tick, 1_000_000)
        now = self.house.now()
        report = Report(
            USER, self.device, now, "xpointer", f"/x.{tick}", place, BOOK, act=Act.JUMPED, operation_id=name
        )
        with self.house.database.write() as session:
            record(session, report)

    def _state(self, name: str) -> None:
        said = SaidState(USER, self.device, BOOK, {"review": name}, self.house.now(), operation_id=name)
        with self.house.database.write() as session:
            record_state(session, said)

    def _time(self, name: str) -> None:
        now = self.house.now()
        started = int(now.timestamp()) - 100_000 + 60 * self.count + self.device
        event = Event(Source.BROWSER, started, 30, BOOK, operation_id=name)
        with self.house.database.write() as session:
            assert record_events(session, USER, self.device, [event], now).new == 1


def write_until_killed(folder: Path, url: str | None, acknowledgements: Connection, clients: int) -> None:
    """The body of a child process: every write that was committed is told at once."""
    told = threading.Lock()

    def go_on(device: int) -> None:
        client = Client(house, device)
        while True:
            done = client.write()
            with told:
                os.write(acknowledgements.fileno(), f"{done}\n".encode())

    with opened(folder, url) as house:
        os.write(acknowledgements.fileno(), b"ready\n")
        threads = [threading.Thread(target=go_on, args=(device,)) for device in range(1, clients + 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def missing(database: Database, acknowledged: set[str]) -> set[str]:
    """What was acknowledged and is not there."""
    with database.read() as session:
        entries = session.exec(select(JournalEntry)).all()
        rows = session.exec(select(Annotation)).all()
        events = session.connection().execute(text("SELECT operation_id FROM readingevent")).scalars().all()
    operations = {(entry.kind, entry.operation_id) for entry in entries}
    notes = {note for row in rows for note in (row.note, *row.other_notes)}
    # A client that goes on writes over its own note, which it has seen; the journal has them all.
    notes |= {entry.payload["fields"].get("note") for entry in entries if entry.kind == "annotation"}
    there = {f"highlight {row.text}" for row in rows} | {f"note {note}" for note in notes}
    there |= {f"position {name}" for kind, name in operations if kind == "progress"}
    there |= {f"state {name}" for kind, name in operations if kind == "state"}
    there |= {f"time {name}" for name in events}
    return acknowledged - there


def check_derived(database: Database, book: str = BOOK) -> None:
    """What is derived is what the journal says: nothing was done by half."""
    with database.read() as session:
        entries = session.exec(select(JournalEntry).order_by(JournalEntry.id)).all()  # type: ignore[arg-type]
        rows = {row.id: row.model_dump() for row in session.exec(select(Annotation)).all()}
        feed = session.get(Feed, USER)
        progress = session.get(Progress, (USER, book))
    folded: dict[str, dict[str, object]] = {}
    moves = 0
    for entry in entries:
        for effect in entry.effects or ():
            if entry.kind == "annotation":
                folded[effect["id"]] = fold(folded.get(effect["id"]), effect)
            moves += effect["do"] == "move"
    assert rows.keys() == folded.keys()
    for name, row in folded.items():
        for column in ("note", "other_notes", "version", "versions", "text", "deleted_at"):
            assert rows[name][column] == row[column], column
    versions = [effect["version"] for entry in entries for effect in entry.effects or () if "version" in effect]
    assert len(versions) == len(set(versions)), "two changes have one version"
    if versions:
        assert feed is not None and feed.version >= max(versions)
    assert (progress.version if progress is not None else 0) == moves
