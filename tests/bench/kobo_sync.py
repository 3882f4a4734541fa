"""A Kobo that syncs from nothing: page after page until the server says that this was the last."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any


@dataclass(frozen=True)
class Synced:
    """`seconds`: all together; `pages`: of each request; `entries`: all that was received, as sent. `spent`: what a
    meter of the caller showed before the first and after each page."""

    seconds: float
    pages: list[float]
    bytes: int
    entries: list[dict[str, Any]]
    spent: list[float] = field(default_factory=list)

    @property
    def books(self) -> int:
        """Distinct books that were offered."""
        found = set()
        for entry in self.entries:
            for kind in ("NewEntitlement", "ChangedEntitlement"):
                if kind in entry:
                    found.add(entry[kind]["BookEntitlement"]["Id"])
        return len(found)


def sync(
    port: int, path: str, token: str = "", limit: int = 20_000, meter: Callable[[], float] = float
) -> tuple[Synced, str]:
    """One sync of the device whose API lies at `path`; returns also the token for the next one.

    The request is that of a Kobo's firmware 4.x (kobo-protocol.md 4.1). Raises `ConnectionError` for an answer that is
    not 200, and when there is no end within `limit` pages.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {
        "User-Agent": "Mozilla/5.0 (Linux; U; Android 2.0; en-us;) AppleWebKit/538.1 (KHTML, like Gecko) Version/4.0"
        " Mobile Safari/538.1 (Kobo Touch 0384/4.38.23171)",
        "x-kobo-affiliatename": "Kobo",
        "x-kobo-deviceid": hashlib.sha256(path.encode()).hexdigest(),
        "Accept": "application/json",
    }
    pages: list[float] = []
    spent = [meter()]
    entries: list[dict[str, Any]] = []
    size = 0
    begun = time.perf_counter()
    for _ in range(limit):
        if token:
            headers["x-kobo-synctoken"] = token
        asked = time.perf_counter()
        connection.request(
            "GET", f"{path}/v1/library/sync?Filter=ALL&DownloadUrlFilter=Generic,Android", headers=headers
        )
        answer = connection.getresponse()
        data = answer.read()
        pages.append(time.perf_counter() - asked)
        spent.append(meter())
        if answer.status != 200:
            raise ConnectionError(f"the sync was answered with {answer.status}")
        size += len(data)
        entries += json.loads(data)
        token = answer.headers.get("x-kobo-synctoken", "")
        if answer.headers.get("x-kobo-sync") != "continue":
            connection.close()
            return Synced(time.perf_counter() - begun, pages, size, entries, spent), token
    raise ConnectionError(f"the sync did not end within {limit} pages")
