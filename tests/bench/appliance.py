"""Bookwake under test: its command line and its server, as people start them."""

import io
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from appliance.cli import main
from appliance.house import House, open_house
from appliance.settings import load
from tests.bench.server import Server, free_port

PASSWORD = "correct horse battery staple"


@dataclass
class Appliance:
    """One data folder and one book folder."""

    data: Path
    books: Path

    def cli(self, *arguments: str, stdin: str = "") -> str:
        """Run a command, in this process because starting one takes a second; returns what it printed. Raises
        `ChildProcessError`."""
        out, err = io.StringIO(), io.StringIO()
        where = ["--data", str(self.data), "--books", str(self.books)]
        with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "stdin", io.StringIO(stdin)):
            status = main([*arguments, *where])
        if status:
            raise ChildProcessError(f"bookwake {' '.join(arguments)}: {err.getvalue().strip()[-500:]}")
        return out.getvalue()

    def add_device(self, person: str, kind: str) -> dict[str, Any]:
        """Add a person if needed, and a device; returns what the person is shown."""
        if person not in self.cli("user", "list", "--json"):
            self.cli("user", "add", person, "--password-stdin", stdin=PASSWORD + "\n")
        found: dict[str, Any] = json.loads(self.cli("device", "add", "--user", person, "--kind", kind, "--json"))
        return found

    def start(self) -> Server:
        """Serve on a free port. Healthy is when /readyz says so, which it does only with a writable database."""
        port = free_port()
        command = [sys.executable, "-m", "appliance", "serve", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--data", str(self.data), "--books", str(self.books)]
        return Server.start(command, port, "/readyz", self.data.with_suffix(".log"), self._environment())

    def open(self) -> House:
        """The house itself, for what is measured without a server."""
        return open_house(load({"data": self.data, "books": [self.books]}, {}))

    def files(self) -> Iterator[Path]:
        """Its books, in a fixed order."""
        yield from sorted(self.books.rglob("*.epub"))

    @property
    def database(self) -> Path:
        return self.data / "bookwake.sqlite3"

    def _environment(self) -> dict[str, str]:
        return {key: value for key, value in os.environ.items() if not key.startswith("BOOKWAKE_")}


def wait_until_quiet(server: Server, calm: float = 4.0, patience: float = 900.0) -> None:
    """Wait until the sweeps of the start are through: `calm` seconds with hardly any work and no other process."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before = server.processor_seconds()
        time.sleep(calm)
        if not server.helpers() and server.processor_seconds() - before <= 0.05 * calm:
            return
    raise TimeoutError("the server did not become quiet")
