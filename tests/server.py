"""A real appliance in a process of its own, for tests from end to end.

with running_server(books=[BOOKS / "minimal-v2.epub"]) as server:
    server.add_user("Ida")
    kobo = server.add_device("Ida", "kobo")
    httpx.get(kobo["api_endpoint"] + "/v1/initialization")
"""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

import httpx

from appliance.cli import main
from tests.conftest import ROOT

BOOKS = ROOT / "tests" / "data" / "books"
PASSWORD = "correct horse battery"
PATIENCE = 60
"""Seconds after which a server that does not answer is given up; no measure of anything."""


@dataclass
class Server:
    """One appliance on one data folder, which can be stopped and started again on the same port.

    `data`, `books`: its folders. `log`: what it printed, the set-up code included.
    """

    folder: Path
    port: int
    options: Sequence[str] = ()
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def books(self) -> Path:
        return self.folder / "books"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def start(self) -> None:
        """Start the appliance and wait until it answers."""
        assert self.process is None
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command("serve"), cwd=self.folder, env=self._environ(), stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the server did not start:\n{self.log}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as an init system would; fails when it does not end well."""
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(PATIENCE) == 0, self.log
            finally:
                process.kill()
                process.wait()

    def kill(self) -> None:
        """Stop it as a power cut would."""
        if self.process is not None:
            process, self.process = self.process, None
            process.kill()
            process.wait()

    def restart(self) -> None:
        """Stop and start again; the data stays."""
        self.stop()
        self.start()

    def cli(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run another command of the appliance on the same data."""
        return subprocess.run(
            self._command(*arguments), cwd=self.folder, env=self._environ(), input=stdin, capture_output=True, text=True
        )

    def json(self, *arguments: str, stdin: str = "") -> object:
        """What a command prints with `--json`; fails when it does. Runs in this process, because starting one takes
        seconds; `tests/cli` runs them as people do."""
        out, err = io.StringIO(), io.StringIO()
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            patch.object(sys, "stdin", io.StringIO(stdin)),
            patch.dict(os.environ, self._environ(), clear=True),
        ):
            status = main([*arguments, "--json", *self._where()])
        assert status == 0, err.getvalue()
        return json.loads(out.getvalue())

    def add_user(self, name: str = "Ida", password: str = PASSWORD, admin: bool = False) -> dict[str, object]:
        """Add a person."""
        options = ["--admin"] if admin else []
        return self.json("user", "add", name, "--password-stdin", *options, stdin=password)  # type: ignore[return-value]

    def add_device(self, user: str, kind: str, name: str | None = None) -> dict[str, str]:
        """Add a device; returns what its person has to enter on it."""
        options = ["--name", name] if name else []
        return self.json("device", "add", "--user", user, "--kind", kind, *options)  # type: ignore[return-value]

    def scan(self) -> dict[str, object]:
        """Scan the books folder now and wait for it."""
        return self.json("scan")  # type: ignore[return-value]

    def setup_code(self) -> str:
        """The set-up code printed last."""
        return re.findall(r"^Set-up code: (\S+)$", self.log, re.MULTILINE)[-1]

    @contextmanager
    def browser(self, name: str | None = None, password: str = PASSWORD) -> "Iterator[Browser]":
        """A browser without scripts, signed in when a name is given."""
        with Browser(self.url) as browser:
            if name is not None:
                answer = browser.submit("/sign-in", name=name, password=password)
                assert answer.status_code == 303, answer.text
            yield browser

    def _command(self, *arguments: str) -> list[str]:
        # -P: modules come from the checkout, never from the folder the command runs in.
        return [sys.executable, "-P", "-m", "appliance", *arguments, *self._where()]

    def _where(self) -> list[str]:
        folders = ["--data", str(self.data), "--books", str(self.books)]
        return [*folders, "--host", "127.0.0.1", "--port", str(self.port), *self.options]

    def _environ(self) -> dict[str, str]:
        """The environment without whatever settings the developer has there; the checkout is what runs."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BOOKWAKE_")}
        return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self.environ}

    def _is_ready(self) -> bool:
        try:
            return self._probe.get(self.url + "/readyz").status_code == 200
        except httpx.TransportError:
            return False

    @cached_property
    def _probe(self) -> httpx.Client:
        # Kept, because a client reads all certificates of the system when it is made.
        return httpx.Client(trust_env=False)


class Browser(httpx.Client):
    """Keeps cookies, and sends forms with the token of the page they came from."""

    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, headers={"Accept": "text/html"}, trust_env=False, timeout=PATIENCE)

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as the page at hand would."""
        if "bookwake-csrf" not in self.cookies:
            self.get("/sign-in")
        return self.post(path, data={**fields, "_csrf_token": self.cookies.get("bookwake-csrf", "")})

    @property
    def csrf(self) -> dict[str, str]:
        """The header with which a script proves that it runs in a page of ours."""
        return {"x-csrftoken": self.cookies["bookwake-csrf"]}


@contextmanager
def running_server(
    books: Iterable[Path] = (), options: Sequence[str] = (), environ: dict[str, str] | None = None
) -> Iterator[Server]:
    """A server on a free port of this machine, on empty data, with copies of `books` scanned already. `options`: of
    the command line, for every command. `environ`: added to the environment. Stopped and cleared away at the end."""
    with tempfile.TemporaryDirectory(prefix="bookwake-test-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), _free_port(), options, environ or {})
        server.books.mkdir()
        for book in books:
            shutil.copy(book, server.books / book.name)
        if any(server.books.iterdir()):
            server.scan()
        server.start()
        try:
            yield server
            server.stop()
        finally:
            server.kill()
            server._probe.close()


def eventually(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; fails when it still does not after a long while."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
