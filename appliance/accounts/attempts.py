"""Guessing made slow: counts failed attempts per key within a window of time, in bounded memory.

A key names what is guessed and from where, such as ("sign-in", "ida", "192.0.2.7"). Only failures count, so people who
know their password never wait because of somebody else at another address.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta


class Attempts:
    """Failed attempts of the last `window`. Safe to share between threads."""

    def __init__(self, limit: int = 10, window: timedelta = timedelta(minutes=15), capacity: int = 4096) -> None:
        """`limit` failures within `window` close the door until the oldest is that old. At most `capacity` keys are
        remembered; the one whose last failure is longest ago is forgotten first."""
        self.limit = limit
        self.window = window
        self.capacity = capacity
        self._failures: OrderedDict[Hashable, list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: Hashable, now: datetime) -> timedelta:
        """How long this key has to wait before the next attempt; zero when it may go on."""
        with self._lock:
            recent = self._recent(key, now)
            return recent[0] + self.window - now if len(recent) >= self.limit else timedelta()

    def failed(self, key: Hashable, now: datetime) -> None:
        """Count a failure."""
        with self._lock:
            self._failures[key] = [*self._recent(key, now), now][-self.limit :]
            self._failures.move_to_end(key)
            while len(self._failures) > self.capacity:
                self._failures.popitem(last=False)

    def succeeded(self, key: Hashable) -> None:
        """Forget the failures of this key."""
        with self._lock:
            self._failures.pop(key, None)

    def _recent(self, key: Hashable, now: datetime) -> list[datetime]:
        return [at for at in self._failures.get(key, ()) if now - at < self.window]
