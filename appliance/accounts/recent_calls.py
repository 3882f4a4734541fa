"""The last requests of each device, in memory: for people to see what a device does, and for reports of bugs."""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime

PER_DEVICE = 200
DEVICES = 32  # that called last; of the others nothing is kept


@dataclass(frozen=True, slots=True)
class RecentCall:
    """One request. Holds no secret: who makes it puts in only what may be shown. `milliseconds`: until the last byte of
    the answer; `received`, `sent`: bytes of the bodies; `note`: what else there is to say."""

    at: datetime
    method: str
    path: str
    status: int
    milliseconds: int
    received: int
    sent: int
    note: str = ""


class RecentCalls:
    """Of each device the last `per_device`, of the last `devices` that called. Safe to share between threads."""

    def __init__(self, per_device: int = PER_DEVICE, devices: int = DEVICES) -> None:
        self._per_device, self._devices = per_device, devices
        self._calls: OrderedDict[int, deque[RecentCall]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, device_id: int, call: RecentCall) -> None:
        """Remember a request."""
        with self._lock:
            self._calls.setdefault(device_id, deque(maxlen=self._per_device)).append(call)
            self._calls.move_to_end(device_id)
            while len(self._calls) > self._devices:
                self._calls.popitem(last=False)

    def of(self, device_id: int) -> list[RecentCall]:
        """The requests of a device, newest first."""
        with self._lock:
            return list(reversed(self._calls.get(device_id, ())))
