"""Notes each request of a Kobo for its page and for reports of bugs, without what is secret in it.

Nothing is taken out: only what is known to be harmless goes in. Of a path the parts that are words, of ids the
beginning; of the query and the headers a few by name; of the bodies their size.
"""

import re
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl

from litestar.types import HTTPReceiveMessage, HTTPScope, Message, Receive, ReceiveMessage, Send

from appliance.accounts.recent_calls import RecentCall, RecentCalls
from appliance.house import House

_UUID = re.compile(r"([0-9A-Fa-f]{8})-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_WORD = re.compile(r"[A-Za-z0-9._…-]{1,48}")
_LONG = re.compile(r"[A-Za-z0-9]{21,}")  # an id or a secret; no word of the protocol is as long
_TOKEN = re.compile(r"S\d\.\d{1,15}(\.s\d{1,9})?")  # the ending counts pages of the store
_SHORT = re.compile(r"[A-Za-z0-9,._ -]{1,24}")
_QUERY = {"filter", "downloadurlfilter", "prioritizerecentreads", "pagesize", "pageindex", "limit"}
_WORDS = {"personalizedrecommendations", "ereaderdevicefeeds", "rakuten_token_exchange"}
MAX_SEGMENTS = 12
HIDDEN = "…"


class Watch:
    """One request while it is answered: hand its `receive` and `send` on, set `device_id` when it is known, and call
    `done`."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send, path: str) -> None:
        self.device_id: int | None = None
        self._scope, self._receive, self._send, self._path = scope, receive, send, path
        self._house: House = scope["app"].state.house
        self._calls: RecentCalls = scope["app"].state.recent_calls
        self._at, self._begun = self._house.now(), time.monotonic()
        self._received = self._sent = self._status = 0
        self._note = ""

    async def receive(self) -> HTTPReceiveMessage | ReceiveMessage:
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message["body"])
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            names = {name.lower(): value for name, value in message["headers"]}
            self._note = "continue" if names.get(b"x-kobo-sync") == b"continue" else ""
        elif message["type"] == "http.response.body":
            self._sent += len(message["body"])
        await self._send(message)

    def done(self) -> None:
        """The request is over, well or not."""
        if self.device_id is None:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._scope["headers"]}
        query = self._scope["query_string"].decode("latin-1")
        notes = [*_asked(query), *_told(self._path, headers), self._note]
        call = RecentCall(
            at=self._at,
            method=self._scope["method"],
            path=shown_path(self._path),
            status=self._status,
            milliseconds=round((time.monotonic() - self._begun) * 1000),
            received=self._received,
            sent=self._sent,
            note=", ".join(note for note in notes if note),
        )
        self._calls.add(self.device_id, call)


def shown_path(path: str) -> str:
    """A path below the secret, with nothing in it that could be one."""
    segments = path.rstrip("/").split("/")[: MAX_SEGMENTS + 1]
    return "/".join(_segment(segment) for segment in segments) or "/"


def _segment(segment: str) -> str:
    short = _UUID.sub(r"\1" + HIDDEN, segment)
    if not short or short.lower() in _WORDS:
        return short
    # What follows a shortened id, as the hash of a picture, tells nothing.
    if HIDDEN in short and _LONG.search(short.partition(HIDDEN)[2]):
        short = short.partition(HIDDEN)[0] + HIDDEN
    return short if _WORD.fullmatch(short) and not _LONG.search(short) else HIDDEN


def _asked(query: str) -> list[str]:
    pairs = parse_qsl(query, max_num_fields=None)[:20] if query else []
    return [f"{name}={value}" for name, value in pairs if name.lower() in _QUERY and _SHORT.fullmatch(value)]


def _told(path: str, headers: Mapping[str, str]) -> list[str]:
    told = []
    if path.lower().rstrip("/").endswith("/library/sync"):
        token = headers.get("x-kobo-synctoken", "").strip()
        told.append(f"token {token}" if _TOKEN.fullmatch(token) else "foreign token" if token else "no token")
    for header in ("x-kobo-appversion", "range"):
        if _SHORT.fullmatch(headers.get(header, "").replace("=", " ")):
            told.append(f"{header.removeprefix('x-kobo-')} {headers[header]}")
    return told
