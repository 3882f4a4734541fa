"""Bodies of the KOSync protocol, named as on the wire (docs/reference/koreader.md 1.3, 1.4)."""

import json
import math
from dataclasses import dataclass

MAX_BODY = 64 * 1024  # bytes
MAX_PROGRESS = 4_000  # characters; deep documents need more than the 255 some servers allow
MAX_NAME = 255  # characters of a document or device name


class WireError(Exception):
    """A request that cannot be used; `status` and `code` are the protocol's own."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """`PUT /syncs/progress`. `percentage` is 0 to 1, `None` when the client's number means nothing."""

    document: str
    progress: str
    percentage: float | None
    device: str
    device_id: str


def read_progress(body: bytes) -> ProgressUpdate:
    """Parse a progress update. Raises `WireError`."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise WireError(400, 103, "The request is not JSON.") from None
    if not isinstance(value, dict):
        raise WireError(400, 104, "The request is not a JSON object.")
    document = read_document(value.get("document"))
    progress = value.get("progress")
    if isinstance(progress, int) and not isinstance(progress, bool):
        progress = str(progress)
    if not isinstance(progress, str) or len(progress) > MAX_PROGRESS:
        raise WireError(403, 2003, "Invalid request: progress must be a string.")
    names = []
    for field in ("device", "device_id"):
        name = value.get(field) or ""
        if not isinstance(name, str) or len(name) > MAX_NAME:
            raise WireError(403, 2003, f"Invalid request: {field} must be a string.")
        names.append(name)
    return ProgressUpdate(document, progress, _share(value.get("percentage")), *names)


def read_document(value: object) -> str:
    """A document digest as it is stored: lower case if it is hex. Raises `WireError`."""
    if not value:
        raise WireError(403, 2004, "Field 'document' not provided.")
    if not isinstance(value, str) or len(value) > MAX_NAME or ":" in value or "\0" in value:
        raise WireError(403, 2003, "Invalid request: document must be a digest.")
    return value.lower()


def _share(value: object) -> float | None:
    """A percentage as a share. Some clients send percents; 1 < x ≤ 100 can mean nothing else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return value if value <= 1 else value / 100 if value <= 100 else None


def floor_percentage(share: float) -> float:
    """KOReader's rounding: down to four decimals (koreader.md 1.3)."""
    share = min(max(share, 0.0), 1.0)
    # 0.0003 * 10000 is a little less than 3: what was rounded before must stay as it is.
    rounded = round(share, 4)
    return rounded if rounded <= share else math.floor(share * 10_000) / 10_000
