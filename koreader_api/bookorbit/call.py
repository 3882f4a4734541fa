"""Who calls, of which file: what every endpoint needs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

from sqlmodel import Session

from appliance.accounts.devices import Login
from appliance.house import House
from appliance.library.file_links import identify
from appliance.reading.annotations.report import Caller
from koreader_api.bookorbit import wire
from koreader_api.kosync.clients import client_device

_SPELLING = "%Y-%m-%d %H:%M:%S"
MOST_SKEW = timedelta(seconds=2**31 - 1)


class Hashed(Protocol):
    """What is said of one file."""

    hash: str


Item = TypeVar("Item", bound=Hashed)


class Found(NamedTuple):
    """A book, and the rendition of it that a file is."""

    book_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `device_id`: the row of the client behind the login. `skew`: how far its clock, read as UTC, is
    ahead: its date-times have no zone, so that this takes care of zones as well."""

    house: House
    now: datetime
    user_id: int
    device_id: int
    skew: timedelta | None

    def found(self, session: Session, hash: str) -> Found | None:
        """The book of a file, if these very bytes are in the library."""
        which = identify(session, self.user_id, hash.lower())
        if which.how != "exact" or which.book_id is None or which.sha256 is None:
            return None
        return Found(which.book_id, which.sha256)

    def matched(self, items: Sequence[Item]) -> tuple[list[tuple[Item, Found]], list[str]]:
        """The items whose files are books here, with their books, and the hashes of the others."""
        with self.house.database.read() as session:
            found = [(item, self.found(session, item.hash)) for item in items]
        unmatched = [item.hash for item, book in found if book is None]
        return [(item, book) for item, book in found if book is not None], unmatched

    def caller(self, book: Found) -> Caller:
        """The client as the core knows it."""
        return Caller(
            self.user_id, self.device_id, book.book_id, "koreader", "xpointer", book.sha256, self.now, self.skew
        )


def call_of(house: House, login: Login, said: wire.Envelope) -> Call:
    """The call of a client, which is added to the login's devices when it is new."""
    now = house.now()
    with house.database.write() as session:
        device_id = client_device(session, login, said.device_model[:255], said.device_id[:255], now)
    shown = instant(said.device_time)
    skew = max(-MOST_SKEW, min(shown - now, MOST_SKEW)) if shown is not None else None
    return Call(house, now, login.user_id, device_id, skew)


def instant(text: str | None) -> datetime | None:
    """A date-time, or a date, as a device writes it, read as UTC; `None` for anything else."""
    for spelling in (_SPELLING, "%Y-%m-%d"):
        try:
            return datetime.strptime(text or "", spelling).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def spelled(at: datetime) -> str:
    """The reverse."""
    return at.astimezone(UTC).strftime(_SPELLING)


def key_of(datetime: str, position: str) -> str:
    """What identifies an annotation there."""
    return hashlib.md5(f"{datetime}|{position}".encode()).hexdigest()


def number_of(id: str) -> int:
    """An id of ours as the number that these clients want: 52 bits of a random UUID."""
    return int(id.replace("-", "")[:13], 16)
