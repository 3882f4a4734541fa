"""Which bytes of a file a request asks for (RFC 9110, 13.1.5 and 14.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` (exclusive); `is_part`: answer 206, as one range was asked for."""

    start: int
    end: int
    is_part: bool


def requested(headers: Mapping[str, str], size: int, etag: str) -> Span | None:
    """The bytes to send of a file; `None` when the range lies outside of it (416).

    Several ranges at once, or a range that cannot be read, are ignored, as is one that belongs to another file
    (`If-Range`): the whole file is sent then.
    """
    whole = Span(0, size, False)
    match = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    if match is None or headers.get("if-range", etag) != etag:
        return whole
    first, last = match.groups()
    if not first:
        if not last:
            return whole
        return Span(max(size - int(last), 0), size, True) if int(last) and size else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return whole
    return Span(start, end, True) if start < size else None
