"""A stock KOReader with its bundled progress-sync plugin.

Built from docs/reference/koreader.md 1 and 5.6 and from what a real KOReader v2026.07.2 sent
(../shared/captures-koreader/kosync-http): the same headers and bodies, the decision tree of a pull, the debounce, the
queue with its defects, and the silent jump to page 1 for a pointer it cannot resolve.
"""

import hashlib
import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.simulators.engine import Engine

PAGE = 120  # words
DEBOUNCE = 25.0  # seconds between automatic pushes, and between automatic pulls
EXPECTED = {"authorize": {200, 401}, "update": {200, 202, 401}, "get": {200, 401}, "register": {201, 402}}


class ClientFailure(AssertionError):
    """The stock client would show "Something went wrong": the server answered what it does not expect."""


@dataclass
class KOReader:
    """One reader. `forward` and `backward`: prompt, silent or never, for newer and older states of the server.

    Time is the client's own: `clock` starts at the real time and is moved by `wait`.
    """

    server: str
    username: str
    password: str
    model: str = "Kobo_spaBW"
    device_id: str = "0123456789ABCDEF0123456789ABCDEF"
    auto_sync: bool = True
    forward: str = "prompt"
    backward: str = "never"
    pages_before_update: int | None = None
    checksum_method: str = "binary"
    online: bool = True
    answer_prompt: bool = True
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(timeout=httpx.Timeout(5.0, read=5.0), follow_redirects=False)
        self.clock = time.time()
        self.file: Path | None = None
        self.engine: Engine | None = None
        self.queue: dict[tuple[str, int], dict[str, object]] = {}
        self.sidecars: dict[str, str] = {}
        self.messages: list[str] = []
        self._last_push = self._last_pull = -math.inf

    # What a person does

    def login(self) -> None:
        """Set the custom server and log in."""
        answer = self._call("authorize", "GET", "/users/auth")
        assert answer.status_code == 200 and answer.json() == {"authorized": "OK"}, "login refused"

    def open(self, file: Path) -> None:
        """Open a book at the place where this device left it, then pull if auto sync is on."""
        self.file, self.engine = file, Engine(file)
        self.progress = self.sidecars.get(str(file), self.engine.spelled(0))
        self.word = self.engine.resolve(self.progress) or 0
        self.last_page_turn = 0.0
        self._say(f"opened {file.name} at word {self.word}")
        if self.auto_sync:
            self.pull()

    def read_words(self, count: int) -> None:
        """Read on by so many words. The page then begins exactly there, as it may with another font."""
        assert self.engine is not None
        self._show(min(max(self.word + count, 0), len(self.engine.words) - 1))

    def turn_pages(self, count: int) -> None:
        """Turn pages of `PAGE` words."""
        self.read_words(count * PAGE)

    def wait(self, seconds: float) -> None:
        """Let time pass on the device."""
        self.clock += seconds

    def close(self) -> None:
        """Close the book: pushed if online, else queued."""
        if self.auto_sync:
            self.push()
        self.sidecars[str(self.file)] = self.progress
        self._say("closed")

    def go_online(self) -> None:
        """Network connected: the queue is sent in one go, then a pull."""
        self.online = True
        self._drain()
        if self.file is not None and self.auto_sync:
            self.pull()

    def text(self, words: int = 12) -> str:
        """The words at the top of the page."""
        assert self.engine is not None
        return " ".join(word.text for word in self.engine.words[self.word : self.word + words])

    # What the plugin does

    def push(self, interactive: bool = False) -> None:
        """`PUT /syncs/progress`."""
        if not interactive and self.clock - self._last_push < DEBOUNCE:
            return
        self._last_push = self.clock
        body = {
            "document": self.document(),
            "progress": self.progress,
            "percentage": self.percentage(),
            "device": self.model,
            "device_id": self.device_id,
        }
        if not self.online:
            self.queue[(self.document(), int(self.clock // 86400))] = body
            self._say(f"offline, queued {self.progress}")
            return
        self._send(body)

    def pull(self, interactive: bool = False) -> dict[str, object]:
        """`GET /syncs/progress/:document`, then the decision tree of koreader.md 1.5."""
        if not self.online or (not interactive and self.clock - self._last_pull < DEBOUNCE):
            return {}
        self._last_pull = self.clock
        answer = self._call("get", "GET", f"/syncs/progress/{self.document()}")
        body = answer.json()
        if not body.get("percentage"):
            self._say("no progress found")
            return body
        assert isinstance(body["percentage"], int | float) and isinstance(body["progress"], str)
        assert isinstance(body["timestamp"], int)
        percentage = math.floor(body["percentage"] * 10_000) / 10_000
        if body["device"] == self.model and body["device_id"] == self.device_id:
            self._say("latest progress is from this device")
        elif percentage == self.percentage() or body["progress"] == self.progress:
            self._say("already synchronised")
        elif interactive:
            self._jump(body)
        else:
            newer = body["timestamp"] > self.last_page_turn
            strategy = self.forward if newer else self.backward
            if strategy == "prompt":
                self.messages.append(f"Sync to latest location {percentage:.0%} from device '{body['device']}'?")
            if strategy == "silent" or (strategy == "prompt" and self.answer_prompt):
                self._jump(body)
        return body

    def document(self) -> str:
        """The digest by which the plugin names the open file."""
        assert self.file is not None
        if self.checksum_method == "filename":
            return hashlib.md5(self.file.name.encode()).hexdigest()
        return partial_md5(self.file)

    def percentage(self) -> float:
        """Page of pages, cut to four decimals."""
        assert self.engine is not None
        pages = math.ceil(len(self.engine.words) / PAGE)
        return math.floor((self.word // PAGE + 1) / pages * 10_000) / 10_000

    def _show(self, word: int) -> None:
        assert self.engine is not None
        self.word = word
        self.progress = self.engine.spelled(word)
        self.clock += 60
        self.last_page_turn = self.clock
        self._say(f"reads at word {word} {self.progress}: {self.text(6)}")
        if self.pages_before_update and self.online and self.auto_sync:
            self.clock += 10
            self.push()

    def _jump(self, body: dict[str, object]) -> None:
        assert self.engine is not None
        found = self.engine.resolve(str(body["progress"]))
        self.progress = str(body["progress"])  # kept as received, and pushed back as such, until a page is turned
        if found is None:
            self.messages.append("lost: went to page 1")
            self._say(f"CANNOT RESOLVE {body['progress']}: page 1")
        self.word = found or 0
        self._say(f"jumped to word {self.word} {self.progress}: {self.text(6)}")

    def _drain(self) -> None:
        """Every queued item at once; each counts as sent whatever the server says (1.5, defects of the queue)."""
        for body in self.queue.values():
            self._send(body)
        self.queue.clear()

    def _send(self, body: dict[str, object]) -> None:
        answer = self._call("update", "PUT", "/syncs/progress", body)
        assert answer.status_code == 200, f"not stored: {answer.status_code}"
        stored = answer.json()
        assert stored["document"] == body["document"] and isinstance(stored["timestamp"], int)
        self._say(f"pushed {body['progress']} {body['percentage']}")

    def _call(self, name: str, method: str, path: str, body: dict[str, object] | None = None) -> httpx.Response:
        headers = {
            "Accept": "application/vnd.koreader.v1+json",
            "x-auth-user": self.username,
            "x-auth-key": hashlib.md5(self.password.encode()).hexdigest(),
            "User-Agent": "lua-Spore",
            "Connection": "close, TE",
            "TE": "trailers",
        }
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        answer = self.http.request(method, self.server.rstrip("/") + path, headers=headers, content=content)
        self._say(f"{method} {path} -> {answer.status_code} {answer.text[:200]}")
        if answer.status_code not in EXPECTED[name]:
            raise ClientFailure(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer

    def _say(self, line: str) -> None:
        self.log.append(line)


def partial_md5(file: Path) -> str:
    """KOReader's document digest, as koreader.md 2.1 tells it step by step."""
    digest = hashlib.md5()
    with file.open("rb") as stream:
        for step in range(-1, 11):
            stream.seek(0 if step == -1 else 1024 << (2 * step))
            sample = stream.read(1024)
            if not sample:
                break
            digest.update(sample)
    return digest.hexdigest()
