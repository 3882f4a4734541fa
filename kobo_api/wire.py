"""Shapes of the Kobo protocol, named as on the wire; they never leave this room (docs/reference/kobo-protocol.md)."""

from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

DUMMY_CATEGORY = "00000000-0000-0000-0000-000000000001"


class Wire(Struct, rename="pascal", gc=False):
    """Fields are `snake_case` here and `PascalCase` on the wire. `UNSET` fields are left out."""


class BookEntitlement(Wire):
    """4.5. Every id is the same one per book. `active_period` must be the same for ever (4.10)."""

    active_period: dict[str, str]
    created: str
    cross_revision_id: str
    id: str
    last_modified: str
    revision_id: str
    accessibility: str = "Full"
    is_hidden_from_archive: bool = False
    is_locked: bool = False
    is_removed: bool = False
    origin_category: str = "Imported"
    status: str = "Active"


class DownloadUrl(Wire):
    """4.6. `format` says what the bytes are, KEPUB or EPUB3 (6.1). `size`: bytes, of the source until a KEPUB is."""

    format: str
    size: int
    url: str
    drm_type: str = "None"
    platform: str = "Generic"


class Series(Wire):
    """4.6. `number` is a string, `number_float` a number."""

    id: str
    name: str
    number: str
    number_float: float


class BookMetadata(Wire):
    """4.6."""

    contributor_roles: list[dict[str, str]]
    contributors: list[str]
    cover_image_id: str
    cross_revision_id: str
    download_urls: list[DownloadUrl]
    entitlement_id: str
    language: str
    publisher: dict[str, str]
    revision_id: str
    title: str
    work_id: str
    description: str | UnsetType = UNSET
    isbn: str | UnsetType = UNSET
    publication_date: str | UnsetType = UNSET
    series: Series | UnsetType = UNSET
    categories: list[str] = field(default_factory=lambda: [DUMMY_CATEGORY])
    current_display_price: dict[str, Any] = field(default_factory=lambda: {"CurrencyCode": "USD", "TotalAmount": 0})
    current_love_display_price: dict[str, Any] = field(default_factory=lambda: {"TotalAmount": 0})
    external_ids: list[str] = field(default_factory=list)
    genre: str = DUMMY_CATEGORY
    is_eligible_for_kobo_love: bool = False
    is_internet_archive: bool = False
    is_pre_order: bool = False
    is_social_enabled: bool = True
    phonetic_pronunciations: dict[str, str] = field(default_factory=dict)


class RemovedMetadata(Wire):
    """4.7: what a removal needs to say of the book."""

    cross_revision_id: str
    entitlement_id: str
    revision_id: str
    title: str
    work_id: str


class Location(Wire):
    """5.3: a document by its path in the KEPUB, and a span in it."""

    source: str
    value: str
    type: str = "KoboSpan"


class CurrentBookmark(Wire):
    """5.3. Percents are integers: a float would count as another place (5.4)."""

    last_modified: str
    content_source_progress_percent: int | UnsetType = UNSET
    location: Location | UnsetType = UNSET
    progress_percent: int | UnsetType = UNSET


class StatusInfo(Wire):
    """5.3. `status`: ReadyToRead, Reading or Finished."""

    last_modified: str
    status: str
    times_started_reading: int


class ReadingState(Wire):
    """5.3. Sections that came from the device itself are given back as they came."""

    created: str
    current_bookmark: CurrentBookmark | dict[str, Any]
    entitlement_id: str
    last_modified: str
    priority_timestamp: str
    statistics: dict[str, Any]
    status_info: StatusInfo | dict[str, Any]


def write_time(time: datetime) -> str:
    """`2026-03-01T09:30:00Z`: whole seconds, because a lost fraction would make a stamp look newer (1.2, 5.4)."""
    return time.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def read_time(text: object) -> datetime | None:
    """A time as any firmware writes it (1.2), in UTC; `None` for anything else."""
    if not isinstance(text, str) or not 10 <= len(text) <= 40:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def whole(number: object) -> int | float | None:
    """A percentage as it goes back to the device: an integer when it is one (5.4); `None` when it is no number."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 100:
        return None
    return int(number) if number == int(number) else number
