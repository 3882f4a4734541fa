"""`Kobo eReader.conf`: which server a Kobo calls (docs/reference/kobo-protocol.md 2.1, 3.2). Pure, on its bytes.

The file is the device's own, in the format of Qt's settings. One line of it is ours; every other byte, the ends of
lines included, stays as it is. The device copies the addresses that a server gives it into the same section and does
not always renew them (3.2), so those of a server that is left go with it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

SECTION = b"[OneStoreServices]"
KEY = b"api_endpoint"
STORE = "https://storeapi.kobo.com"

# What Qt's settings take as it stands: no quotes, commas, semicolons or backslashes.
_ENDPOINT = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~%/-]*)?")
_ENTRY = re.compile(rb"[ \t]*([^=\r\n;#\[][^=\r\n]*?)[ \t]*=[ \t]*(.*?)[ \t]*")
_BOM = b"\xef\xbb\xbf"


def checked_endpoint(text: str) -> str:
    """An `api_endpoint` as it may stand in the file. Raises `ValueError` with a sentence."""
    endpoint = text.strip().rstrip("/")
    if not _ENDPOINT.fullmatch(endpoint):
        raise ValueError(f"“{text}” is no address of a server; it begins with http:// or https:// and is a plain one.")
    if "/v1" in urlsplit(endpoint).path:
        raise ValueError("The address is that of a request; it must end with the secret, without /v1 and what follows.")
    return endpoint


def endpoint_of(data: bytes) -> str | None:
    """The server that the file names, `None` where it names none."""
    values = [entry.value for entry in _entries(_lines(data)) if entry.key == KEY]
    return values[-1] if values else None


def is_store(endpoint: str | None) -> bool:
    """Whether this is the Kobo store, which a device calls unless it is told otherwise."""
    return endpoint is None or (urlsplit(endpoint).hostname or "").endswith((".kobo.com", ".kobobooks.com"))


def with_endpoint(data: bytes, endpoint: str) -> bytes:
    """The file with another server. What the device stored of a former one that is not the store is taken out."""
    lines = _lines(data)
    entries = list(_entries(lines))
    named = [entry for entry in entries if entry.key == KEY]
    if not named:
        return b"".join(_inserted(lines, KEY + b"=" + endpoint.encode()))
    former = named[-1].value
    if former == endpoint:
        return data
    lines[named[-1].index] = KEY + b"=" + endpoint.encode() + _end(lines[named[-1].index])
    if not is_store(former):
        for entry in entries:
            if entry.key != KEY and _is_stale(entry.value, former, endpoint):
                lines[entry.index] = b""
    return b"".join(lines)


def given_back(data: bytes, before: bytes | None) -> bytes:
    """The file as it was `before` the server that it names now: exactly so if nothing else has changed since, else with
    the lines restored that name this server. Without the former file it is the store again. A file that names the store
    stays as it is."""
    endpoint = endpoint_of(data)
    if is_store(endpoint):
        return data
    assert endpoint is not None
    if before is not None and with_endpoint(before, endpoint) == data:
        return before
    lines = _lines(data)
    former_lines = _lines(f"{SECTION.decode()}\n{KEY.decode()}={STORE}".encode() if before is None else before)
    former = {entry.key: former_lines[entry.index].rstrip(b"\r\n") for entry in _entries(former_lines)}
    for entry in _entries(lines):
        if entry.key == KEY or _is_below(entry.value, _root(endpoint)):
            kept = former.get(entry.key)
            lines[entry.index] = b"" if kept is None else kept + _end(lines[entry.index])
    return b"".join(lines)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the section. `value` is text of any bytes (Latin-1)."""

    key: bytes
    value: str
    index: int


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _entries(lines: list[bytes]) -> Iterator[_Entry]:
    inside = False
    for index, line in enumerate(list(lines)):
        text = line.removeprefix(_BOM).strip()
        if text.startswith(b"[") and text.endswith(b"]"):
            inside = text == SECTION
        elif inside and (match := _ENTRY.fullmatch(line.rstrip(b"\r\n"))):
            yield _Entry(match[1], match[2].decode("latin-1"), index)


def _inserted(lines: list[bytes], entry: bytes) -> list[bytes]:
    """The lines with a new one at the beginning of the section, which is made if it is not there."""
    end = next((_end(line) for line in lines if _end(line)), b"\n")
    headers = [index for index, line in enumerate(lines) if line.removeprefix(_BOM).strip() == SECTION]
    at = headers[-1] + 1 if headers else len(lines)
    new = [entry + end] if headers else [SECTION + end, entry + end]
    if at and not _end(lines[at - 1]):
        new.insert(0, end)
    return [*lines[:at], *new, *lines[at:]]


def _is_stale(value: str, former: str, endpoint: str) -> bool:
    """Whether the device was told this by the former server, and the new one will tell it otherwise."""
    root = _root(former)
    return _is_below(value, former) or (root != _root(endpoint) and _is_below(value, root))


def _is_below(value: str, address: str) -> bool:
    """Whatever the scheme: hosts of images are written without one (3.4), and old firmware changes it (6.3)."""
    value, address = (re.sub("^https?:", "", text) for text in (value, address))
    return value == address or value.startswith(address + "/")


def _root(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _end(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]
