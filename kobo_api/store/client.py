"""One request to the store: bounded in time and size, never followed elsewhere, never in the way."""

import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

STORE = "https://storeapi.kobo.com"
CONNECT = 2.0  # seconds; a device waits 30 in all
READ = 10.0  # seconds from the request to the end of the answer
MAX_ANSWER = 8 * 1024 * 1024  # bytes
FAILURES = 3  # in a row, after which the store is left alone
PAUSE = 300.0  # seconds

# What of the answer is of the connection and not of what was asked (9).
_DROPPED = {"connection", "content-encoding", "content-length", "transfer-encoding", "set-cookie", "keep-alive"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the store, whatever its status. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Breaker:
    """Leaves alone what fails. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether to ask nothing for now."""
        with self._lock:
            return self._clock() < self._until

    def note(self, *, good: bool) -> None:
        """How a request went."""
        with self._lock:
            self._failures = 0 if good else self._failures + 1
            if self._failures >= FAILURES:
                # The first request after the pause decides alone.
                self._failures, self._until = FAILURES - 1, self._clock() + PAUSE


breaker = Breaker()  # there is one store


class Refused:
    """Devices that the store did not sign in, and that have a token of ours instead, for as long as it lasts."""

    def __init__(self, lifetime: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime, self._clock = lifetime, clock
        self._until: dict[int, float] = {}

    def add(self, device_id: int) -> None:
        self._until = {device: until for device, until in self._until.items() if until > self._clock()}
        self._until[device_id] = self._clock() + self._lifetime

    def __contains__(self, device_id: int) -> bool:
        return self._until.get(device_id, 0.0) > self._clock()


def ask(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Reply | None:
    """What the store answers; `None` when it does not answer in time, or at all, or with more than it should. `target`:
    path and query, as they go over the wire."""
    if breaker.is_open:
        return None
    try:
        reply = _ask(method, target, headers, body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Not the address: it may name a book.
        logger.warning("the Kobo store did not answer: %s", type(error).__name__)
        reply = None
    breaker.note(good=reply is not None and reply.status < 500)
    return reply if reply is not None and reply.status < 500 else None


def _ask(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
    parts = urlsplit(STORE)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=CONNECT)
    deadline = time.monotonic() + CONNECT + READ
    try:
        connection.connect()
        connection.sock.settimeout(READ)
        given = {**headers, "Accept-Encoding": "identity"}
        connection.request(method, target, body or None, given)
        answer = connection.getresponse()
        shown = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in _DROPPED}
        return Reply(answer.status, shown, _read(answer, connection.sock, deadline))
    finally:
        connection.close()


def _read(answer: http.client.HTTPResponse, sock: socket.socket | None, deadline: float) -> bytes:
    """The body, unless it comes in drops for longer than the deadline."""
    parts: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if sock is not None:
            sock.settimeout(left)
        part = answer.read1(65536)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER:
            raise ValueError("too large")
