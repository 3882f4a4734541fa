"""One call of a Kobo, and what it is answered. Nothing here knows the web framework."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from sqlmodel import Session

from appliance.house import House

JSON = "application/json; charset=utf-8"
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Caller:
    """The Kobo that calls. `token` is the secret in its URL, `token_hash` what is stored of it."""

    device_id: int
    user_id: int
    token: str
    token_hash: str


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `session` reads the database as it was when the call came in. `path` begins behind the token; header
    names are lower-case; `server_port` is where we listen."""

    house: House
    session: Session
    caller: Caller
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    scheme: str = "http"
    server_port: int | None = None

    @property
    def root(self) -> str:
        """The address of the site as the device must use it, without a trailing slash."""
        return root_url(self.house.settings.public_url, self.scheme, self.headers, self.server_port)

    @property
    def base(self) -> str:
        """The `api_endpoint` of the device."""
        return f"{self.root}/kobo/{self.caller.token}"

    def json(self) -> Any:
        """The body, or `None` when it is not JSON. A Kobo gets no 4xx for that (5.4)."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


def root_url(public_url: str | None, scheme: str, headers: Mapping[str, str], server_port: int | None) -> str:
    """The public URL if one is set, else what the device itself just used.

    Some firmware leaves the port out of `Host`; links built from that lead nowhere, and the book goes Download →
    Pending → Download for ever (kobo-protocol.md 2.3). So our own port is added, unless a reverse proxy spoke.
    """
    if public_url:
        return public_url
    proxied = "x-forwarded-proto" in headers or "x-forwarded-host" in headers
    forwarded = headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    if forwarded in ("http", "https"):
        scheme = forwarded
    host = headers.get("x-forwarded-host", "").split(",")[0].strip() or headers.get("host", "")
    match = _HOST.fullmatch(host)
    name, port = (match["name"], match["port"]) if match else ("localhost", None)
    if port is None and not proxied and server_port not in (None, 443 if scheme == "https" else 80):
        port = str(server_port)
    return f"{scheme}://{name}:{port}" if port else f"{scheme}://{name}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `on_sent` is called when its last byte has left."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    on_sent: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file, or the bytes `start` to `end` (exclusive) of it. `on_sent` is called when the last byte has left."""

    path: Path
    start: int
    end: int
    status: int
    headers: Mapping[str, str]
    content_type: str
    on_sent: Callable[[], None] | None = None


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """`value` as JSON."""
    return Answer(msgspec.json.encode(value), status, headers or {})
