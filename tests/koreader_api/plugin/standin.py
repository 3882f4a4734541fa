"""A KOReader with our plugin as the server sees it: requests over HTTP, without any of the plugin's own logic."""

import time
from pathlib import Path
from typing import Any

import httpx

from tests.server import PATIENCE, Server
from tests.simulators.engine import Engine
from tests.simulators.kosync import partial_md5

PREFIX = "/api/koplugin/v1"
ABOUT = {"model": "Kobo_spaBW", "koreader": "v2026.07.2", "plugin": "1.0.0", "platform": "Kobo"}


class Device:
    """`clock_off`: seconds by which its clock is ahead."""

    def __init__(self, url: str, token: str = "", clock_off: int = 0) -> None:
        self.clock_off = clock_off
        self.http = httpx.Client(base_url=url + PREFIX, trust_env=False, timeout=PATIENCE)
        self.token = token
        self.count = 0
        self.id = 0

    def now(self, ago: float = 0) -> int:
        """What its clock shows, or showed so many seconds ago."""
        return int(time.time() + self.clock_off - ago)

    def ask(self, path: str, **body: Any) -> httpx.Response:
        """POST."""
        return self.http.post(path, json={"clock": self.now(), **body}, headers=self.headers)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(path, headers={**self.headers, **headers})

    def done(self, path: str, **body: Any) -> Any:
        """POST, for an answer that has to be good."""
        answer = self.ask(path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    # -- sync

    def operation(self, kind: str, file: str | Path, **fields: Any) -> dict[str, Any]:
        """With an id of its own."""
        self.count += 1
        name = file if isinstance(file, str) else partial_md5(file)
        return {"id": f"{self.id}-{self.count}", "kind": kind, "file": name, "at": self.now(), **fields}

    def sync(self, *operations: dict[str, Any], pull: str | Path | None = None, **more: Any) -> Any:
        """The whole answer."""
        files = [] if pull is None else [{"file": pull if isinstance(pull, str) else partial_md5(pull)}]
        return self.done("/sync", operations=list(operations), pull=files, **more)

    def says(self, kind: str, file: str | Path, **fields: Any) -> Any:
        """The answer to one operation."""
        (answer,) = self.sync(self.operation(kind, file, **fields))["answers"]
        return answer

    def pulls(self, file: str | Path) -> Any:
        """What there is for one file."""
        (pulled,) = self.sync(pull=file)["pulled"]
        return pulled


def paired(server: Server, person: str, clock_off: int = 0, **about: str) -> Device:
    """A device of the person."""
    code = server.add_device(person, "koreader")["code"]
    device = Device(server.url, clock_off=clock_off)
    answer = device.done("/pair", code=code, **{**ABOUT, **about})
    device.token, device.id = answer["token"], answer["device"]["id"]
    return device


class Words:
    """Where words of a book are, as KOReader spells it."""

    def __init__(self, file: Path) -> None:
        self.engine = Engine(file)

    def at(self, word: int) -> str:
        return self.engine.spelled(word)

    def text(self, word: int, count: int) -> str:
        return " ".join(one.text for one in self.engine.words[word : word + count])

    def highlight(self, name: str, word: int, count: int = 6, **fields: Any) -> dict[str, Any]:
        """An annotation over so many words."""
        return {
            "name": name,
            "type": "highlight",
            "pos0": self.at(word),
            "pos1": self.end(word + count - 1),
            "text": self.text(word, count),
            "colour": "yellow",
            "style": "lighten",
            **fields,
        }

    def end(self, word: int) -> str:
        """Behind the word."""
        start = self.at(word)
        head, _, offset = start.rpartition(".")
        return f"{head}.{int(offset) + len(self.engine.words[word].text)}"
