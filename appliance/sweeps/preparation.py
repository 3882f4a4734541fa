"""Make ahead of time what a device would otherwise wait for: covers, and KEPUBs once there is a Kobo in the house.

The work is done by `making`, a process of its own: converting is Python code that would hold the interpreter lock of
the server for seconds, and what it took of the memory is given back when it ends.
"""

import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec

import appliance
from appliance.house import House
from appliance.operations.errors import OperationError
from appliance.sweeps.making import Made, Order, is_anything_due, kinds_wanted, write_order
from appliance.sweeps.schedule import After
from appliance.sweeps.sweep import Stopping, Sweep

_SETTLED = timedelta(minutes=10)
"""A book that changed within this may be followed by one that another process is about to store with an older time."""


class PreparationFailed(OperationError):
    """The process that prepares ended before it was done."""


class Preparation:
    """Remembers how far it came, so that a library without changes costs one query and no process."""

    def __init__(self) -> None:
        self._upto: dict[str, tuple[float, str]] = {}

    def run(self, house: House, stopping: Stopping) -> str:
        """Raises `PreparationFailed`."""
        settled = (house.now() - _SETTLED).timestamp()
        order = Order(house.settings, {kind: self._upto.get(kind) for kind in kinds_wanted(house)}, settled)
        if not is_anything_due(house, order):
            return "Everything is prepared."
        made = _make(order, stopping)
        self._upto |= made.upto
        said = [f"{count:,} {kind if count == 1 else kind + 's'}" for kind, count in made.counts.items() if count]
        sentence = f"{' and '.join(said)} made." if said else "Everything is prepared."
        if made.failed:
            sentence += (
                f" {made.failed:,} {'book' if made.failed == 1 else 'books'} could not be prepared; the log says why."
            )
        return sentence


def _make(order: Order, stopping: Stopping) -> Made:
    # -P: what lies in the current folder must not be taken for a module.
    command = [sys.executable, "-P", "-c", "from appliance.sweeps.making import main; main()"]
    environment = {**os.environ, "PYTHONPATH": str(Path(appliance.__file__).parent.parent)}
    pipe = subprocess.PIPE
    # Its standard input stays open as long as we live: see `appliance.lifeline`.
    with subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, env=environment) as process:
        assert process.stdin is not None and process.stdout is not None
        with suppress(BrokenPipeError):  # it died at once; its status tells
            process.stdin.write(write_order(order))
        while process.poll() is None:
            if stopping():
                process.terminate()  # it ends after the book it is at
            time.sleep(0.1)
        answer = process.stdout.read()
    if process.returncode and stopping():
        return Made({}, 0, {})  # it had not begun
    if process.returncode:
        raise PreparationFailed(f"The preparation ended with status {process.returncode}; the log may say why.")
    return msgspec.json.decode(answer, type=Made)


SWEEP = Sweep(
    "preparation",
    "Makes the covers of new and changed books, and once there is a Kobo their KEPUBs.",
    After("scan"),
    Preparation().run,
)
