"""When the appliance is killed its worker processes go with it, in the middle of what they do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlmodel import select

from appliance.house import open_house
from appliance.library.scan import scan
from appliance.models import LibraryFile
from appliance.settings import load
from tests.conftest import ROOT
from tests.library.making import put, titled

PATIENCE = 300  # seconds; no measure of anything

# The worker of each opens a named pipe instead of a book, and waits for ever for somebody who opens the other end.
EXAMINING = """
from appliance.library.workers import Workers
with Workers(1) as pool:
    pool.examine({path!r}, 1 << 30)
"""
PREPARING = """
from pathlib import Path
from appliance.settings import load
from appliance.sweeps.making import Order
from appliance.sweeps.preparation import _make
settings = load({{"data": Path({data!r}), "books": [Path({path!r}).parent]}}, {{}})
_make(Order(settings, {{"cover": None, "KEPUB": None}}, 0.0), lambda: False)
"""


def python(program: str, **options) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-P", "-c", program], env=environment, **options)


def test_a_process_ends_when_its_lifeline_is_cut():
    program = "from appliance.lifeline import end_with_parent as e; e(); print(flush=True)\nwhile True: pass"
    process = python(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() and process.poll() is None
        process.stdin.write(b"something nobody reads")
        process.stdin.close()
        assert process.wait(PATIENCE) == 1
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("program", [EXAMINING, PREPARING], ids=["examining", "preparing"])
def test_a_worker_goes_with_the_appliance(program, tmp_path):
    path = tmp_path / "books" / "book.epub"
    path.parent.mkdir()
    if program is PREPARING:
        scan_and_replace(tmp_path, path)
    else:
        os.mkfifo(path)
    appliance = python(program.format(path=str(path), data=str(tmp_path / "data")))
    worker = None
    try:
        worker = eventually(lambda: next(iter(children(appliance.pid)), None))
        eventually(lambda: stands_still(worker))
        assert is_running(worker)
        appliance.kill()
        appliance.wait()
        eventually(lambda: not is_running(worker))
    finally:
        appliance.kill()
        appliance.wait()
        if worker is not None and is_running(worker):
            os.kill(worker, signal.SIGKILL)


def scan_and_replace(folder: Path, path: Path) -> None:
    """A book that was scanned, and is a named pipe since."""
    put(path, titled("A Book"))
    house = open_house(load({"data": folder / "data", "books": [path.parent]}, {}))
    scan(house)
    path.unlink()
    os.mkfifo(path)
    with house.database.write() as session:
        row = session.exec(select(LibraryFile)).one()
        row.size, row.mtime_ns = path.stat().st_size, path.stat().st_mtime_ns
        session.add(row)
    house.shelf.close()
    house.database.close()


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return found


def stands_still(pid: int) -> bool:
    """Whether it holds its lifeline and has had nothing to do for a while."""
    before = status(pid)
    time.sleep(0.5)
    after = status(pid)
    return before is not None and before == after and int(after[17]) > 1  # threads


def children(pid: int) -> list[int]:
    """The processes that it started."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [number for number in numbers if (stat := status(number)) and int(stat[1]) == pid]


def is_running(pid: int) -> bool:
    """Not when it waits to be taken note of by whoever inherited it."""
    stat = status(pid)
    return stat is not None and stat[0] not in "ZX"


def status(pid: int) -> list[str] | None:
    """From its state on: see proc(5)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
