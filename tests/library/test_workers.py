"""A worker that hangs, dies or eats memory costs one file and nothing else."""

import os
import signal
from pathlib import Path

import pytest

from appliance.library import workers
from appliance.library.examination import Examined, Refused
from appliance.library.workers import WorkerFailed, Workers
from tests.library.making import epub, put, titled


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return put(tmp_path / "book.epub", titled("A Book"))


def the_process(pool: Workers) -> int:
    worker = pool._idle.get()
    assert worker is not None
    pool._idle.put(worker)
    return worker._process.pid


def test_a_book(book: Path) -> None:
    with Workers(1) as pool:
        found = pool.examine(str(book), book.stat().st_size)
        assert isinstance(found, Examined) and found.metadata.title == "A Book"


def test_a_file_that_is_not_there(book: Path) -> None:
    with Workers(1) as pool:
        with pytest.raises(OSError, match="No such file"):
            pool.examine(str(book.with_name("none.epub")), 1)
        assert isinstance(pool.examine(str(book), 1), Examined)


def test_a_worker_that_hangs_is_ended(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Workers(1) as pool:
        assert isinstance(pool.examine(str(book), 1), Examined)
        stopped = the_process(pool)
        os.kill(stopped, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr(workers, "SECONDS", 0.2)
            refused = pool.examine(str(book), 1)
        assert isinstance(refused, Refused) and "too long" in refused.problem
        with pytest.raises(ProcessLookupError):
            os.kill(stopped, 0)
        assert isinstance(pool.examine(str(book), 1), Examined)


def test_a_worker_that_dies_is_replaced(book: Path) -> None:
    with Workers(1) as pool:
        assert isinstance(pool.examine(str(book), 1), Examined)
        os.kill(the_process(pool), signal.SIGKILL)
        assert isinstance(pool.examine(str(book), 1), Examined)


def test_a_file_that_kills_every_worker_is_refused(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def die(worker: workers._Worker, *_request: object) -> None:
        asked.append(worker)
        worker.stop()

    with Workers(1) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(workers._Worker, "ask", die)
            assert isinstance(pool.examine(str(book), 1), Refused)
        assert len(set(asked)) == 2
        assert isinstance(pool.examine(str(book), 1), Examined)


def test_a_worker_that_does_not_even_start_says_nothing_about_the_file(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workers(1) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(workers.sys, "executable", "/bin/false")
            with pytest.raises(WorkerFailed):
                pool.examine(str(book), 1)
        assert isinstance(pool.examine(str(book), 1), Examined)


def test_memory_is_bounded(tmp_path: Path, book: Path) -> None:
    # Within the bound of every single part, but four million elements would take more than a gigabyte.
    path = put(tmp_path / "huge.epub", epub(chapters={"one.xhtml": "<i/>" * 3_900_000}))
    with Workers(1) as pool:
        assert isinstance(pool.examine(str(path), path.stat().st_size), Refused)
        status = Path(f"/proc/{the_process(pool)}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 300 * 1024
        assert isinstance(pool.examine(str(book), 1), Examined)


def test_processes_end_with_the_pool(book: Path) -> None:
    with Workers(2) as pool:
        pool.examine(str(book), 1)
        process = the_process(pool)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
