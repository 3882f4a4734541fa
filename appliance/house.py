"""What every part of the running appliance is given: no globals, no singletons."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from appliance.database import Database
from appliance.kepub import KepubStore
from appliance.positions import Shelf
from appliance.positions.kept_texts import KeptTexts
from appliance.settings import Settings


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class House:
    """The appliance's settings, database, open books, clock (aware UTC), store of KEPUBs and kept texts."""

    settings: Settings
    database: Database
    shelf: Shelf
    now: Callable[[], datetime] = _clock
    kepubs: KepubStore = field(init=False, repr=False)
    texts: KeptTexts = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kepubs", KepubStore(self.settings.kepubs, self.settings.kepubify))
        object.__setattr__(self, "texts", KeptTexts(self.settings.texts))


def open_house(settings: Settings) -> House:
    """A house by its settings: creates the data folder (for its owner only) and brings the database up to date.

    Raises `migrations.Downgrade`, `OSError`.
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database_url)
    database.migrate()
    return House(settings, database, Shelf())
