"""How one device counts its pages: learned from what the journal has of it (docs/reference/positions.md C.7)."""

from sqlalchemy import bindparam, or_, select
from sqlmodel import Session, col

from appliance.models import Device, JournalEntry
from appliance.positions import Status
from appliance.positions.page_share import MAX_PAIRS, PageShare

RECENT = 500  # entries of one person's book that are looked at, however long the journal is

_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]
_NEWEST = (
    select(_JOURNAL)
    .where(
        _JOURNAL.c.user_id
        == select(col(Device.user_id)).where(col(Device.id) == bindparam("device")).scalar_subquery(),
        _JOURNAL.c.book_id == bindparam("book"),
    )
    .order_by(_JOURNAL.c.id.desc())
    .limit(RECENT)
    .subquery()
)
_PAIRS = (
    select(_NEWEST.c.device_id, _NEWEST.c.tick, _NEWEST.c.percent)
    .join(Device, col(Device.id) == _NEWEST.c.device_id)
    .where(
        or_(col(Device.id) == bindparam("device"), col(Device.parent_id) == bindparam("device")),
        _NEWEST.c.sha256 == bindparam("sha256"),
        _NEWEST.c.reference_sha256 == bindparam("reference"),
        _NEWEST.c.dialect == "xpointer",
        _NEWEST.c.place_status == Status.EXACT.value,
        _NEWEST.c.percent.is_not(None),
    )
    .order_by(_NEWEST.c.id.desc())
    .limit(4 * MAX_PAIRS)
)


def learned_pages(
    session: Session, device_id: int, book_id: str, sha256: str, reference_sha256: str, total: int
) -> PageShare:
    """The pages of rendition `sha256` on a device, over ticks of `reference_sha256`, which has `total`.

    `device_id`: the device, or a KOSync login; of the readers behind one, that which last spoke about this very file
    counts, because a request for progress does not say who asks (koreader.md 1.1).
    """
    keys = {"device": device_id, "book": book_id, "sha256": sha256, "reference": reference_sha256}
    rows = session.connection().execute(_PAIRS, keys).all()
    return PageShare(((row.tick, row.percent) for row in rows if row.device_id == rows[0].device_id), total)
