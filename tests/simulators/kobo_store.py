"""The genuine store as far as a server that merges it can see: it signs devices in, has a list of books, and fails in
every way (docs/reference/kobo-protocol.md 9). Keeps every request, so that a test can look for what must not go out."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BOOK = "e2b5c1f4-0b7e-4b7b-8f0a-61a3b6b9d502"
TOKEN = "c3RvcmU"
GENUINE = "eyJhbGciOiJSUzI1NiJ9.genuine.c2ln"


@dataclass
class Store:
    """`pages`: what a sync gives, one list of events after the other; its tokens are `TOKEN.N`. `mode`: good, error,
    refuse (401), hang, flood, garbage, drop or redirect. `seen`: each request as one text."""

    pages: list[list[dict[str, Any]]] = field(default_factory=list)
    mode: str = "good"
    seen: list[str] = field(default_factory=list)
    url: str = ""
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def everything(self) -> str:
        return "\n".join(self.seen)


def entitlement(id: str = BOOK, title: str = "Bought") -> dict[str, Any]:
    return {"NewEntitlement": {"BookEntitlement": {"Id": id}, "BookMetadata": {"Title": title}}}


@contextmanager
def running_store() -> Iterator[Store]:
    store = Store()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
            store.seen.append(f"{self.command} {self.path}\n{self.headers}\n{body}")
            _answer(self, store)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: the requests are kept."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield store
    finally:
        store.release.set()
        server.shutdown()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, store: Store) -> None:
    match store.mode:
        case "error":
            return _give(request, {"ResponseStatus": {"ErrorCode": "Broken"}}, 500)
        case "refuse":
            return _give(request, {"ResponseStatus": {"ErrorCode": "ExpiredToken"}}, 401)
        case "garbage":
            return _give(request, b"<html>busy</html>")
        case "redirect":
            return _give(request, b"", 302, {"Location": "http://127.0.0.1:1/"})
        case "drop":
            request.close_connection = True
            return None
        case "hang":
            store.release.wait(20)
            request.close_connection = True
            return None
        case "flood":
            request.send_response(200)
            request.send_header("Content-Length", str(10**12))
            request.end_headers()
            try:
                for _ in range(4000):
                    request.wfile.write(b" " * 65536)
            except OSError:
                request.close_connection = True
            return None
    _good(request, store)


def _good(request: BaseHTTPRequestHandler, store: Store) -> None:
    path = request.path.partition("?")[0]
    if path.startswith("/v1/auth/"):
        keys = {"AccessToken": GENUINE, "RefreshToken": "genuine-refresh", "TokenType": "Bearer", "UserKey": "u"}
        return _give(request, keys, headers={"Set-Cookie": "session=1"})
    if path == "/v1/initialization":
        if GENUINE not in (request.headers.get("Authorization") or ""):
            return _give(request, {"ResponseStatus": {"ErrorCode": "ExpiredToken"}}, 401)
        names = {f"store_key_{number}": "https://www.kobo.com" for number in range(120)}
        return _give(request, {"Resources": {**names, "library_sync": "x", "oauth_host": "https://oauth.kobo.com"}})
    if path == "/v1/library/sync":
        shown = request.headers.get("x-kobo-synctoken") or f"{TOKEN}.0000"
        number = int(shown.rpartition(".")[2]) if shown.startswith(f"{TOKEN}.") else 0
        events = store.pages[number] if number < len(store.pages) else []
        more = number + 1 < len(store.pages)
        token = f"{TOKEN}.{min(number + 1, len(store.pages)):04}"
        headers = {"x-kobo-synctoken": token} | ({"x-kobo-sync": "continue"} if more else {})
        return _give(request, events, headers=headers)
    return _give(request, {"FromTheStore": True})


def _give(
    request: BaseHTTPRequestHandler, value: Any, status: int = 200, headers: dict[str, str] | None = None
) -> None:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    request.send_response(status)
    for name, text in (headers or {}).items():
        request.send_header(name, text)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)
