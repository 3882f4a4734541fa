"""What a handler is given, and how it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.accounts.attempts import Attempts
from appliance.house import House

MOST_SKEW = 2**31 - 1  # seconds; the journal keeps it in 32 bits
NEARLY = 60  # seconds


class Refusal(Exception):
    """A request that is not carried out. `status` and `code` are the protocol's own, the text is for a person."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.more = status, code, more

    @property
    def headers(self) -> dict[str, str]:
        """`Retry-After`, where it is to be later."""
        return {"Retry-After": str(self.more["retry_after"])} if "retry_after" in self.more else {}


@dataclass(frozen=True, slots=True)
class Caller:
    """The KOReader that asks, and whose it is. `token_hash`: of its secret. `details`: what it said of itself."""

    device_id: int
    user_id: int
    name: str
    token_hash: str
    details: Mapping[str, Any]


class DeviceClock:
    """Between the device's clock and ours (docs/plugin-protocol.md, Rules). `skew`: how far it is ahead."""

    def __init__(self, shown: float, now: datetime) -> None:
        self._shown = shown
        off = shown - now.timestamp()
        self.skew = timedelta(seconds=round(max(-MOST_SKEW, min(off, MOST_SKEW))))

    def instant(self, at: float | None) -> datetime | None:
        """What the device claims, as its clock has it; `None` for what is no time."""
        try:
            return datetime.fromtimestamp(int(at), UTC) if at is not None else None
        except (OverflowError, ValueError, OSError):
            return None

    def past(self, at: float | None) -> datetime | None:
        """The same of what was done already: what a clock dated while it was ahead, and which was put right since, was
        done at the latest now, so that nothing that is done from now on passes for older."""
        return self.instant(min(at, self._shown) if at is not None else None)

    def ours(self, at: float | None) -> datetime | None:
        """The same by our clock; `None` too for what cannot be."""
        claimed = self.instant(at)
        try:
            return claimed - self.skew if claimed is not None else None
        except OverflowError:
            return None

    def shown(self, at: datetime) -> int:
        """An instant of ours as the device's clock had it. One that is nearly right is taken for right, so that the
        same instant is the same number with each request."""
        return self.shown_seconds(int(at.timestamp()))

    def shown_seconds(self, at: int) -> int:
        """The same of seconds since 1970."""
        off = round(self.skew.total_seconds())
        return at + (off if abs(off) > NEARLY else 0)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `parts`: of its path. `address`: under which the device reached us, without a trailing slash;
    `host`: from where it came."""

    house: House
    now: datetime
    attempts: Attempts
    address: str
    host: str
    parts: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    _caller: Caller | None = None

    @property
    def caller(self) -> Caller:
        """Who asks, where the endpoint lets in nobody else."""
        assert self._caller is not None, "the endpoint is public"
        return self._caller

    def clock(self, shown: float) -> DeviceClock:
        """The clock of the device, which shows so many seconds now."""
        return DeviceClock(shown, self.now)


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """Bytes of a file, `start` to `end` (exclusive)."""

    path: Path
    start: int
    end: int
    status: int
    headers: Mapping[str, str]
