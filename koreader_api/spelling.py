"""How the KOReaders of a person write XPointers, and count pages."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from appliance.models import JournalEntry
from appliance.positions import Reason, is_indexed
from appliance.reading.progress.pages import learned_pages
from appliance.reading.progress.projection import Projected


def spelling(session: Session, user_id: int, devices: Sequence[int], file: str) -> str:
    """The dialect that these devices write: KOReader keeps a book to the DOM version it was first opened with, so what
    was last said of the file decides, else what was said last (xpointer.md 11). `file`: its digest."""
    theirs = select(JournalEntry.locator).where(
        JournalEntry.user_id == user_id,
        JournalEntry.dialect == "xpointer",
        JournalEntry.kind == "progress",
        col(JournalEntry.device_id).in_(devices),
    )
    newest = theirs.order_by(col(JournalEntry.id).desc()).limit(1)
    said = session.exec(newest.where(JournalEntry.asked_for == file)).first() or session.exec(newest).first()
    return "xpointer-indexed" if said is not None and is_indexed(said) else "xpointer"


def share(percent: float | None) -> float | None:
    """A percentage as KOReader says it, which is a share of 1, within its bounds."""
    return min(max(percent, 0.0), 1.0) if percent is not None else None


def percent_there(
    session: Session, device_id: int, file: str, book_id: str, sha256: str, projected: Projected
) -> float:
    """What KOReader compares with its own number, and shows (positions.md A.4), 0 to 1: its own where the place is its
    own, else how the asking reader counts its pages, as far as that is known."""
    entry, progress = projected.entry, projected.progress
    own = projected.encoded.locator == entry.locator or entry.place_reason == Reason.FRACTION
    if entry.asked_for == file and entry.percent is not None and own:
        return entry.percent
    if progress.tick is None or not progress.total or progress.reference_sha256 is None:
        return projected.fraction
    pages = learned_pages(session, device_id, book_id, sha256, progress.reference_sha256, progress.total)
    return pages.at(progress.tick)[0]
