"""Long work beside the requests: one piece at a time, in one thread; whoever asks waits a little and is then told."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

Made = TypeVar("Made")

PATIENCE = 4.0  # seconds; KOReader's progress sync gives up after 5 (plugins/kosync.koplugin, PROGRESS_TIMEOUTS)


class StillWorking(Exception):
    """What was asked for is being made; ask again."""


class Aside:
    """Makes things under a name. Safe to share between threads. The thread starts with the first piece of work."""

    def __init__(self, patience: float = PATIENCE) -> None:
        """`patience`: seconds that somebody waits for a thing before he is sent away."""
        self._patience = patience
        self._lock = Lock()
        self._pending: dict[Hashable, tuple[Future[Any], float]] = {}  # and until when somebody waits for it
        self._thread: ThreadPoolExecutor | None = None

    def make(self, name: Hashable, work: Callable[[], Made]) -> Made:
        """What `work` returns or raises. Two that ask for the same name wait for the same work; who asks again when
        that has taken too long waits no more. Raises `StillWorking`; the work goes on, and keeping its result is its
        own business."""
        with self._lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="aside")
            if name not in self._pending:
                future = self._thread.submit(self._run, name, work)
                self._pending[name] = future, monotonic() + self._patience
            future, until = self._pending[name]
        try:
            made: Made = future.result(max(until - monotonic(), 0))
        except NotYet:
            raise StillWorking from None
        return made

    def close(self) -> None:
        """Begin nothing more; what is under way is finished."""
        with self._lock:
            if self._thread is not None:
                self._thread.shutdown(wait=False, cancel_futures=True)
                self._thread = None

    def _run(self, name: Hashable, work: Callable[[], Made]) -> Made:
        try:
            return work()
        finally:
            with self._lock:
                self._pending.pop(name, None)
