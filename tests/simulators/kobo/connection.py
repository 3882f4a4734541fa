"""How a Kobo speaks HTTP: its headers, its patience, and what it does with an error (kobo-protocol.md 2.3, 8)."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.simulators.kobo.violation import Violation, check

PATIENCE = 30.0  # seconds the device waits for an answer
ANONYMOUS = ("/v1/auth/device", "/v1/affiliate", "/v1/initialization")  # sent without x-kobo-deviceid


class SyncFailed(Violation):
    """“Sync failed”: everything that was queued is cancelled."""


@dataclass
class Connection:
    """`portless`: leave the port out of `Host`, as some firmware does. `user_key`: of the owner's account, empty for a
    device that has none yet. `say`: writes the log."""

    api_endpoint: str
    say: Callable[[str], None]
    firmware: str = "4.45.23697"
    model: str = "Kobo Clara 2E"
    model_code: str = "386"
    device_id: str = "9c1f0e6d5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0"
    serial: str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    user_key: str = "5b0e9c3a-7f21-4c55-9a40-0d9b6f1e2c77"
    portless: bool = False
    is_offline: bool = False
    access_token: str = ""
    slowest: float = 0.0
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(timeout=PATIENCE, follow_redirects=False, trust_env=False)

    @property
    def discovers(self) -> bool:
        """Whether this firmware renews its token as OpenID Connect has it (2.5)."""
        major, minor, *_ = (int(part) for part in self.firmware.split("."))
        return (major, minor) >= (4, 44)

    @property
    def platform_id(self) -> str:
        return f"00000000-0000-0000-0000-{self.model_code:>012}"

    def identity(self) -> dict[str, str]:
        """The body of the sign-in calls (2.4)."""
        return {
            "AffiliateName": "Kobo",
            "AppVersion": self.firmware,
            "ClientKey": base64.b64encode(self.platform_id.encode()).decode(),
            "DeviceId": self.device_id,
            "PlatformId": self.platform_id,
            "SerialNumber": self.serial,
            "UserKey": self.user_key,
        }

    def headers(self, url: str) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Accept-Language": "*",
            "User-Agent": "Mozilla/5.0 (Linux; U; Android 2.0; en-us;) AppleWebKit/538.1 (KHTML, like Gecko) Version/"
            f"4.0 Mobile Safari/538.1 (Kobo Touch 0{self.model_code}/{self.firmware})",
            "x-kobo-affiliatename": "Kobo",
            "x-kobo-appversion": self.firmware,
            "x-kobo-carriername": "",
            "x-kobo-devicemodel": self.model,
            "x-kobo-deviceos": "4.1.15",
            "x-kobo-deviceosversion": "NA",
            "x-kobo-platformid": self.platform_id,
        }
        if self.user_key:
            headers["x-kobo-userkey"] = self.user_key
        if self.access_token:
            headers["Authorization"] = f"Bearer {self.access_token}"
        if not urlsplit(url).path.endswith(ANONYMOUS):
            headers["x-kobo-deviceid"] = self.device_id
        if self.portless:
            headers["Host"] = urlsplit(url).hostname or ""
        return headers

    def send(
        self,
        method: str,
        url: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
    ) -> httpx.Response:
        """One request; the answer whatever its status. Raises `SyncFailed` for none within the device's patience.

        The query goes out as it stands, brackets and braces included (8).
        """
        if self.is_offline:
            raise SyncFailed(f"{method} {self.short(url)}: no network")
        all_headers = {**self.headers(url), **(headers or {})}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            all_headers["Content-Type"] = "application/json"
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = self.http.build_request(
            method, url, content=content, data=form, headers=all_headers, extensions={"target": target.encode()}
        )
        begun = time.monotonic()
        try:
            answer = self.http.send(request)
        except httpx.TransportError as error:
            self.say(f"  {method} {self.short(url)} → {type(error).__name__}")
            raise SyncFailed(f"{method} {self.short(url)}: no answer ({error})") from error
        seconds = time.monotonic() - begun
        self.slowest = max(self.slowest, seconds)
        check_sync(seconds < PATIENCE, f"{method} {self.short(url)} took {seconds:.0f} s; the device gave up")
        self.say(f"  {method} {self.short(url)} → {answer.status_code}, {len(answer.content)} bytes, {seconds:.3f} s")
        return answer

    def call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        """A call below the `api_endpoint`; its JSON, or `None` for an empty answer. An error cancels the sync."""
        answer = self.send(method, self.url(path), body, headers)
        check_sync(answer.status_code < 300, f"{method} {path} was answered with {answer.status_code}")
        return read_json(answer, path)

    def url(self, path: str) -> str:
        return self.api_endpoint + path

    def short(self, url: str) -> str:
        """For the log: without the secret."""
        return url.replace(self.api_endpoint, "…").partition("?")[0]


def check_sync(condition: object, text: str) -> None:
    """Raise `SyncFailed` unless `condition` holds."""
    if not condition:
        raise SyncFailed(text)


def read_json(answer: httpx.Response, path: str) -> Any:
    """The JSON of an answer, `None` if it is empty."""
    if not answer.content:
        return None
    type = answer.headers.get("content-type", "")
    check(type.startswith("application/json"), f"{path} was answered with {type!r}, which hangs a device")
    try:
        return answer.json()
    except ValueError:
        raise SyncFailed(f"{path} was answered with something that is not JSON") from None
