"""The delivery ledger: what a device must be told of a book, decided from what it was told and took before.

Sending an entitlement for a book that a device holds un-downloads it: the book, its place and its notes are gone
(kobo-protocol.md 4.10). So nothing is ever sent twice, except what provably never arrived and was never touched.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from appliance.models import KoboDelivery


class News(StrEnum):
    """What a device is to be told of a book."""

    NOTHING = "nothing"
    OFFER = "offer"  # the entitlement: the device lists the book, and drops what it holds of it
    METADATA = "metadata"  # title, cover and such; the file stays
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Shown:
    """A book as it would be offered now."""

    source_sha256: str | None
    edition: str | None
    metadata_fingerprint: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger has of a device and a book; the fields are those of `KoboDelivery`. `may_go`: whether a book that
    is not wanted is to be taken off now."""

    offered_in: int | None
    was_offered: bool
    source_sha256: str | None
    edition: str | None
    metadata_fingerprint: str
    wanted: bool
    may_go: bool
    removed: bool
    began: bool
    holds_notes: bool


def decide(shown: Shown, told: Told | None) -> News:
    """What to tell a device of a book.

    The converter's version is no reason to replace a file: a new version of Bookwake must not empty every Kobo. Nor are
    edits that leave the text as it was, nor a new text while the device holds notes that nobody else has.
    """
    if told is None:
        return News.OFFER
    if told.removed:
        return News.NOTHING
    if not told.wanted:
        return News.REMOVE if told.was_offered and told.may_go else News.NOTHING
    if told.offered_in is None and not told.began:
        return News.OFFER
    if told.began and not told.holds_notes and is_other_text(shown, told):
        return News.OFFER
    if told.offered_in is None or told.metadata_fingerprint != shown.metadata_fingerprint:
        return News.METADATA
    return News.NOTHING


def is_other_text(shown: Shown, told: Told) -> bool:
    """Whether the book has another text than was offered. Fingerprints alone do not decide: a new version of Bookwake
    may compute them differently for the same file."""
    return shown.source_sha256 != told.source_sha256 and shown.edition != told.edition


def removed_on_device(session: Session, device_id: int, book_id: str, at: datetime) -> None:
    """The person took the book off this device: do not offer it again until somebody asks (6.5)."""
    delivery = session.get(KoboDelivery, (device_id, book_id))
    if delivery is not None and delivery.removed_at is None:
        delivery.removed_at, delivery.removed_by = at, "device"
        delivery.began_at = delivery.downloaded_at = delivery.notes_refused_at = delivery.leaves_at = None
