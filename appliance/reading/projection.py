"""The current position as one device needs it: in the coordinates of the file it holds. The only place that does this."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from appliance.house import House
from appliance.positions import Encoded, Position


@dataclass(frozen=True, slots=True)
class Projected:
    """A position for a device. `encoded.locator` is in the asked dialect, or the device's own string if the place came
    from it. `fraction`: 0 to 1 of the book. `device_id`, `device_name`, `device_kind`: where the reading happened."""

    encoded: Encoded
    position: Position | None
    fraction: float
    status: str
    version: int
    activity_at: datetime
    device_id: int
    device_name: str
    device_kind: str


def project(house: House, session: Session, user_id: int, book_id: str, sha256: str, dialect: str) -> Projected | None:
    """The current position in rendition `sha256` and `dialect` (xpointer, xpointer-indexed, cfi, kobo); `None` when
    nothing was read. A place that cannot be named there has `encoded.status` failed: send no locator then."""
    raise NotImplementedError
