"""What was used last, within a bound. Safe to share between threads."""

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """A mapping that forgets what was not used for longest, once the weights add up to more than `capacity`."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._weight = 0
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """The value, which now counts as just used."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> list[Value]:
        """Keep a value; return those that had to go. The newest always stays, however heavy."""
        with self._lock:
            old = self._entries.pop(key, None)
            if old is not None:
                self._weight -= old[1]
            self._entries[key] = (value, weight)
            self._weight += weight
            gone: list[Value] = []
            while self._weight > self._capacity and len(self._entries) > 1:
                _, (value, weight) = self._entries.popitem(last=False)
                self._weight -= weight
                gone.append(value)
            return gone

    def clear(self) -> list[Value]:
        """Forget everything; return what there was."""
        with self._lock:
            values = [value for value, _ in self._entries.values()]
            self._entries.clear()
            self._weight = 0
            return values
