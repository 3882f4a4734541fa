"""What every part of the running appliance is given: no globals, no singletons."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from appliance.database import Database
from appliance.positions import Shelf
from appliance.settings import Settings


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class House:
    """The appliance's settings, database, open books and clock (aware UTC)."""

    settings: Settings
    database: Database
    shelf: Shelf
    now: Callable[[], datetime] = _clock
