"""What a device was offered and could not show: not offered again until it changes, and told to the person."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlmodel import Session, col

from appliance.house import House
from appliance.models import Annotation, Device, DeviceAnnotation, RefusedOffer
from appliance.reading.annotations.report import Caller
from appliance.reading.turn import take_turn

_REFUSED = RefusedOffer.__table__  # type: ignore[attr-defined]
_HELD = DeviceAnnotation.__table__  # type: ignore[attr-defined]

_AT_ONCE = 500  # values in a statement
MAX_REASON = 100  # characters


@dataclass(frozen=True, slots=True)
class Refusal:
    """An annotation that a device does not show. `reason`: the device's fixed code."""

    annotation_id: str
    device: str
    reason: str
    refused_at: datetime


def refuse(house: House, caller: Caller, refused: Mapping[str, tuple[int, str]], done: Collection[str] = ()) -> None:
    """The device could not show these: version and reason, by what the device calls them. `done`: it shows those."""
    if not refused and not done:
        return
    with house.database.read() as session:
        known = refused_versions(session, caller.device_id, caller.book_id)
        names = _annotations(session, caller, [*refused, *done])
    gone = [names[name] for name in done if names.get(name) in known]
    rows = {
        names[name]: {
            "device_id": caller.device_id,
            "annotation_id": names[name],
            "book_id": caller.book_id,
            "version": version,
            "reason": reason[:MAX_REASON],
            "refused_at": caller.received_at,
        }
        for name, (version, reason) in refused.items()
        if name in names and known.get(names[name]) != version
    }
    if not gone and not rows:
        return
    with house.database.write() as session:
        connection = session.connection()
        take_turn(connection, caller.user_id)
        stale = [*gone, *rows]
        for at in range(0, len(stale), _AT_ONCE):
            these = _REFUSED.c.annotation_id.in_(stale[at : at + _AT_ONCE])
            connection.execute(delete(_REFUSED).where(_REFUSED.c.device_id == caller.device_id, these))
        if rows:
            connection.execute(insert(_REFUSED), list(rows.values()))


def refused_versions(session: Session, device_id: int, book_id: str) -> dict[str, int]:
    """The versions that a device could not show, by annotation."""
    query = select(_REFUSED.c.annotation_id, _REFUSED.c.version).where(
        _REFUSED.c.device_id == device_id, _REFUSED.c.book_id == book_id
    )
    return {row.annotation_id: row.version for row in session.connection().execute(query)}


def refusals(session: Session, user_id: int, book_id: str) -> dict[str, list[Refusal]]:
    """Why annotations of a book are not on which devices, by annotation: as they are now, on devices in use."""
    query = (
        select(
            col(RefusedOffer.annotation_id), col(Device.name), col(RefusedOffer.reason), col(RefusedOffer.refused_at)
        )
        .join(Device, col(Device.id) == col(RefusedOffer.device_id))
        .join(Annotation, col(Annotation.id) == col(RefusedOffer.annotation_id))
        .where(
            col(RefusedOffer.book_id) == book_id,
            col(Device.user_id) == user_id,
            col(Device.revoked_at).is_(None),
            col(Annotation.version) == col(RefusedOffer.version),
        )
        .order_by(Device.name)
    )
    found: dict[str, list[Refusal]] = {}
    for annotation_id, device, reason, refused_at in session.execute(query):
        found.setdefault(annotation_id, []).append(Refusal(annotation_id, device, reason, refused_at))
    return found


def _annotations(session: Session, caller: Caller, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for at in range(0, len(names), _AT_ONCE):
        query = select(_HELD.c.native_id, _HELD.c.annotation_id).where(
            _HELD.c.device_id == caller.device_id,
            _HELD.c.book_id == caller.book_id,
            _HELD.c.native_id.in_(names[at : at + _AT_ONCE]),
        )
        found |= {row.native_id: row.annotation_id for row in session.connection().execute(query)}
    return found
