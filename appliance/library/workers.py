"""Book files come from anywhere, so they are taken apart in worker processes that can neither hang nor eat the memory.

A worker is `python -m appliance.library.workers`: it reads requests from its standard input and writes answers to its
standard output, each MessagePack after a 4-byte length. Processes rather than threads: building the index of a book
is Python code that holds the interpreter lock, so threads would not use a second core and would slow the server's
answers; and only a process can be stopped, or held to a share of memory, whatever libxml2 is doing in it.
"""

import os
import queue
import resource
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from appliance.epub.errors import BookError, TooLarge
from appliance.epub.metadata import line
from appliance.library.examination import Examined, Refused, examine
from appliance.lifeline import end_with_parent

MEMORY = 256 * 1024 * 1024  # bytes of data of one worker
SECONDS = 8.0  # processor time for any file …
SECONDS_PER_MB = 2.0  # … and for each megabyte of it: a large book takes a Raspberry Pi half a minute
PATIENCE = 3.0  # wall-clock time allowed, as a multiple of processor time

MAX_MESSAGE = 64 * 1024 * 1024  # bytes; the largest real answer is some 3 MB
READY = b"ready"
_LENGTH = struct.Struct("!I")


class _Request(msgspec.Struct):
    path: str
    seconds: float


class _Answer(msgspec.Struct):
    examined: Examined | None = None
    refused: Refused | None = None
    lost: str | None = None  # the file itself cannot be read: what the system says


class WorkerFailed(Exception):
    """The worker program itself does not run, so nothing can be said about any file."""

    def __init__(self) -> None:
        super().__init__("The program that examines books cannot be started; the log says why. Is there enough memory?")


class Workers:
    """Up to `count` worker processes, started when needed, ended by `close`. Safe to share between threads."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def examine(self, path: str, size: int) -> Examined | Refused:
        """Examine one file of `size` bytes in the next free worker. Raises `OSError` when it cannot be read, and
        `WorkerFailed`."""
        # Twice, because a worker may also end for a reason of its own, such as the system running out of memory.
        answer = self._ask(path, size) or self._ask(path, size)
        if answer is None:
            return Refused("Examining the file failed twice: the program that did it was ended.", TooLarge.remedy)
        if answer.lost is not None:
            raise OSError(answer.lost)
        if answer.examined is not None:
            return answer.examined
        assert answer.refused is not None
        return answer.refused

    def _ask(self, path: str, size: int) -> "_Answer | None":
        worker = self._idle.get()
        try:
            if worker is None:
                worker = _Worker()
            answer = worker.ask(path, SECONDS + SECONDS_PER_MB * size / 2**20)
            if worker.has_ended:
                worker = None
            return answer
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End all processes. Not to be called while one examines."""
        for _ in range(self.count):
            worker = self._idle.get()
            if worker is not None:
                worker.stop()


class _Worker:
    """One worker process, seen from the appliance."""

    def __init__(self) -> None:
        package = Path(__file__).resolve().parent.parent.parent
        self._process = subprocess.Popen(
            # -P: what lies in the current folder must not be taken for a module.
            [sys.executable, "-P", "-m", "appliance.library.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(package)},
        )
        assert self._process.stdout is not None
        if _receive(self._process.stdout) != READY:
            self.stop()
            raise WorkerFailed

    def ask(self, path: str, seconds: float) -> _Answer | None:
        """The answer, or `None` when the process died without having used up its time."""
        assert self._process.stdin is not None and self._process.stdout is not None
        alarm = threading.Timer(seconds * PATIENCE, self._process.kill)
        alarm.start()
        begun = time.monotonic()
        try:
            _send(self._process.stdin, msgspec.msgpack.encode(_Request(path, seconds)))
            data = _receive(self._process.stdout)
            if data is not None:
                return msgspec.msgpack.decode(data, type=_Answer)
        except (OSError, msgspec.DecodeError):
            pass
        finally:
            alarm.cancel()
        self.stop()
        if time.monotonic() - begun < seconds:
            return None
        return _Answer(refused=Refused("Examining the file took too long, so it was stopped.", TooLarge.remedy))

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_MESSAGE:
        return None
    data = stream.read(length)
    return data if len(data) == length else None


def _serve() -> None:
    """The worker's side."""
    requests = sys.stdin.buffer
    # Whatever prints must not disturb the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    end_with_parent()
    _send(answers, READY)
    os.dup2(nowhere, sys.stderr.fileno())  # until here the log gets what goes wrong
    os.nice(5)
    for kind, bound in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))
    while (data := _receive(requests)) is not None:
        request = msgspec.msgpack.decode(data, type=_Request)
        # The system ends the process when its processor time is used up, even if the appliance is gone by then.
        used = int(time.process_time() + request.seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (used, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        _send(answers, msgspec.msgpack.encode(_answer(request)))


def _answer(request: _Request) -> _Answer:
    try:
        return _Answer(examined=examine(Path(request.path)))
    except BookError as error:
        return _Answer(refused=Refused(line(str(error), 1000), error.remedy))
    except OSError as error:
        return _Answer(lost=error.strerror or str(error))
    except MemoryError:
        return _Answer(refused=Refused("The file needs more memory than a book may take.", TooLarge.remedy))
    except Exception as error:
        # One odd file must never stop a scan; the text lets the bug be found.
        return _Answer(
            refused=Refused(
                line(f"Bookwake failed to read the file ({type(error).__name__}: {error}).", 1000),
                "This is a fault in Bookwake. Please report it and, if you may, attach the file.",
            )
        )


if __name__ == "__main__":
    _serve()
