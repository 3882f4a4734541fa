"""What a plugged-in Kobo knows of its reader goes into the record, as if it had told it itself.

Books that Bookwake gave it are reported by the device itself. All others are other copies, of which the device's entry
here knows nothing: they are reported by an entry of their own below it, so that the marks reach this very Kobo too once
it has the book from here. Everything carries a name by which it is known when it comes again.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import col, select

from appliance.epub.errors import BookError
from appliance.house import House
from appliance.library.kepub_rendition import prepare
from appliance.library.register import register_copy
from appliance.models import Annotation, Book, Device
from appliance.positions import KoboLocator
from appliance.reading.annotations.record import exchange
from appliance.reading.annotations.report import Caller, Said
from appliance.reading.book_state.record import SaidState, record_state
from appliance.reading.clock import BEHIND
from appliance.reading.progress.locate import UNPLACED, Located, locate, write_kobo
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Report
from appliance.reading.sessions.event import kobo_counter
from appliance.reading.sessions.record import record_events
from kobo_api.annotations import ledger
from kobo_api.annotations.wire import OPAQUE, read_item
from kobo_api.plugged_in.device_database import DeviceDatabase, Mark, Volume
from kobo_api.plugged_in.matching import By, Match, Unknown, match

UNDATED = datetime(2010, 1, 1, tzinfo=UTC)  # before every Kobo that speaks this protocol
AT_ONCE = 500  # marks of one transaction: a server that runs meanwhile must get its turn
BEFORE = "before Bookwake"  # `Device.client_key` of the entry that stands for what the Kobo held then


@dataclass(frozen=True, slots=True)
class Found:
    """A book on the device with something of its reader in it. `marks`: highlights, notes and bookmarks. `ink`, and
    what was `deleted` there, stay on the device."""

    volume: Volume
    match: Match | Unknown
    marks: list[Mark] = field(default_factory=list)
    ink: int = 0
    deleted: int = 0


@dataclass(slots=True)
class Taken:
    """What came of it. `news`: what was not known before; `unplaced`: marks whose words were not found in the book."""

    books: int = 0
    marks: int = 0
    news: int = 0
    unplaced: int = 0
    places: int = 0
    statuses: int = 0
    seconds: int = 0
    counted: set[tuple[int, str]] = field(default_factory=set)


def find_all(
    house: House, device: Device, drive: Path, database: DeviceDatabase, progress: Callable[[int, int], None]
) -> Iterator[Found]:
    """Everything on the device that could be taken over, matched to the library. Changes nothing."""
    volumes = list(database.volumes())
    for done, volume in enumerate(volumes):
        progress(done, len(volumes))
        marks = list(database.marks(volume.id))
        kept = [mark for mark in marks if not (mark.is_ink or mark.is_deleted)]
        if not (kept or volume.status or volume.seconds):
            continue
        with house.database.read() as session:
            found = match(session, drive, device.user_id, device.id or 0, volume)
        ink = sum(mark.is_ink and not mark.is_deleted for mark in marks)
        yield Found(volume, found, kept, ink, sum(mark.is_deleted for mark in marks))
    progress(len(volumes), len(volumes))


def take(house: House, device: Device, found: Found, taken: Taken) -> None:
    """Take over what the device has of one book. Doing it again changes nothing."""
    assert not isinstance(found.match, Unknown)
    sha256 = _file(house, found.match)
    device_id = (device.id or 0) if found.match.by is By.SYNC else _before(house, device)
    caller = _Import(house, device.user_id, device_id, found.match, found.volume, sha256)
    taken.books += 1
    _take_marks(caller, found.marks, taken)
    if found.match.by is By.SYNC and not found.ink and all(_said(mark) is not None for mark in found.marks):
        with house.database.write() as session:
            ledger.prove(session.connection(), device_id, found.match.book_id, sha256, house.now())
    _take_reading(caller, taken)
    _take_time(caller, taken)


@dataclass(frozen=True, slots=True)
class _Import:
    """A book being taken over. `sha256`: the file whose places the device names."""

    house: House
    user_id: int
    device_id: int
    match: Match
    volume: Volume
    sha256: str

    @property
    def read_at(self) -> datetime | None:
        volume = self.volume
        return volume.last_read_at or volume.finished_at or volume.started_at or volume.added_at


def _file(house: House, match: Match) -> str:
    """The file in whose coordinates places will be understood. A copy that lies only on the device gets registered, and
    its text is kept."""
    if match.copy is not None:
        with house.database.write() as session:
            rendition = register_copy(session, *match.copy, house.now())
            sha256 = rendition.sha256 if rendition is not None else None
    else:
        sha256 = match.sha256
    if sha256 is not None:
        if match.path is not None:
            house.texts.keep(sha256, match.path)
        return sha256
    try:
        return prepare(house, match.book_id).sha256
    except BookError:
        with house.database.read() as session:
            return session.get_one(Book, match.book_id).main_sha256 or ""


def _before(house: House, device: Device) -> int:
    """The entry for what the Kobo held before: below its own, without a secret."""
    with house.database.write() as session:
        query = select(Device).where(Device.parent_id == device.id, Device.client_key == BEFORE)
        entry = session.exec(query).first()
        if entry is None:
            entry = Device(
                user_id=device.user_id,
                parent_id=device.id,
                client_key=BEFORE,
                kind="kobo",
                name=f"{device.name} {BEFORE}",
                created_at=house.now(),
            )
            session.add(entry)
            session.flush()
        return entry.id or 0


def _take_marks(caller: _Import, marks: list[Mark], taken: Taken) -> None:
    said = [one for mark in marks if (one := _said(mark)) is not None]
    if not said:
        return
    house = caller.house
    who = Caller(caller.user_id, caller.device_id, caller.match.book_id, "kobo", "kobo", caller.sha256, house.now())
    answers = [one for at in range(0, len(said), AT_ONCE) for one in exchange(house, who, said[at : at + AT_ONCE])]
    taken.marks += len(said)
    taken.news += sum(answer.outcome == "current" for answer in answers)
    ids = {answer.annotation_id for answer in answers}
    with house.database.read() as session:
        query = select(Annotation.id).where(
            Annotation.user_id == caller.user_id,
            Annotation.book_id == caller.match.book_id,
            col(Annotation.place_status) == "failed",
        )
        taken.unplaced += sum(id in ids for id in session.exec(query))


def _said(mark: Mark) -> Said | None:
    item = read_item(mark.wire)
    if item is None or item.kind == OPAQUE:
        return None
    where = item.range
    if where is None and mark.source:
        # A plain EPUB has no spans: the words are looked for in the document.
        document = {"source": mark.source, "value": ""}
        where = document if item.kind == "bookmark" else [document, document]
    return Said(
        native_id=item.id,
        kind=item.kind,
        range=where,
        fields=item.fields,
        native={"raw": item.raw},
        chapter=item.chapter,
        created_at=mark.created_at,
        changed_at=item.changed_at,
    )


def _take_reading(caller: _Import, taken: Taken) -> None:
    """Place and status, at the time when the book was last read. Without one they count as older than all else."""
    house, volume = caller.house, caller.volume
    if volume.status is None:
        return
    at = min(caller.read_at or UNDATED, house.now())
    # A clock is believed for a year; what was read before that is put where it belongs all the same.
    is_old = at < house.now() - BEHIND
    received_at = at if is_old else house.now()
    located = _locate(caller) if volume.status == "reading" else None
    locator = KoboLocator(volume.source, volume.span) if caller.match.by is not By.TITLE and volume.source else None
    operation = f"import:{volume.id}:{volume.status}:{at.isoformat()}:{volume.source}:{volume.span}:{volume.percent}"
    operation_id = "import:" + hashlib.blake2b(operation.encode(), digest_size=16).hexdigest()
    with house.database.write() as session:
        if located is not None or volume.status == "finished":
            where = located or UNPLACED
            outcome = record(
                session,
                Report(
                    user_id=caller.user_id,
                    device_id=caller.device_id,
                    received_at=received_at,
                    dialect="kobo",
                    locator=write_kobo(locator) if locator is not None else "",
                    place=where.place,
                    book_id=caller.match.book_id,
                    sha256=caller.sha256,
                    reference_sha256=where.reference_sha256,
                    percent=volume.percent / 100 if volume.percent is not None else None,
                    claimed_at=at,
                    reading_status=volume.status,
                    error=where.error,
                    fraction=where.fraction,
                    is_aside=where.is_aside,
                    operation_id=operation_id,
                    placed_at=house.now() if is_old else None,
                ),
            )
            taken.places += outcome.kind == "current"
        said = SaidState(
            user_id=caller.user_id,
            device_id=caller.device_id,
            book_id=caller.match.book_id,
            fields={"status": volume.status},
            received_at=received_at,
            changed_at=at,
            by="automatic",
            operation_id=operation_id + ":status",
        )
        taken.statuses += record_state(session, said).outcome == "current"


def _locate(caller: _Import) -> Located | None:
    volume = caller.volume
    is_exact = caller.match.by is not By.TITLE and volume.source
    if not is_exact and volume.percent is None:
        return None
    with caller.house.database.read() as session:
        return locate(
            caller.house,
            session,
            caller.match.book_id,
            caller.sha256,
            "kobo",
            write_kobo(KoboLocator(volume.source, volume.span)) if is_exact else "",
            volume.percent / 100 if volume.percent is not None else None,
            chapter_percent=volume.chapter_percent,
        )


def _take_time(caller: _Import, taken: Taken) -> None:
    """The device's counter, from nothing when the book came to it. Of two copies of a book the first one counts: the
    counter of the other would look like one that was reset."""
    volume, house = caller.volume, caller.house
    if volume.seconds < 60 or caller.read_at is None or (caller.device_id, caller.match.book_id) in taken.counted:
        return
    taken.counted.add((caller.device_id, caller.match.book_id))
    end = int(caller.read_at.timestamp())
    came = volume.added_at or volume.started_at
    begin = min(int(came.timestamp()) if came is not None else end, end - volume.seconds)
    minutes = volume.seconds // 60
    events = [kobo_counter(caller.match.book_id, begin, 0), kobo_counter(caller.match.book_id, end, minutes)]
    with house.database.write() as session:
        counted = record_events(session, caller.user_id, caller.device_id, events, house.now())
    if counted.new:
        taken.seconds += minutes * 60
