"""The same Kobo, added a second time: known by the device id that it sends (docs/reference/kobo-protocol.md 2.3).

Under a new entry it would be offered every book anew, and drop what it holds, notes included (4.10). So the older
entry, with all that is known of the device, takes over the new secret, and the new entry ends.
"""

from typing import Any

from sqlalchemy import Exists, delete, exists, select, update
from sqlmodel import Session, col

from appliance.house import House
from appliance.library.kobo_choice import sync_of
from appliance.models import Device, KoboChoice, KoboDelivery, KoboSync

_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_CHOICE = KoboChoice.__table__  # type: ignore[attr-defined]


def take_over(house: House, device_id: int, device_id_hash: str) -> int | None:
    """The id of the entry that was this Kobo before, now with the secret of entry `device_id`; `None` when there is
    none, or when the device has synced under the new entry already, for then that one knows better."""
    with house.database.read() as session:
        if _older(session, device_id, device_id_hash) is None:
            return None
    with house.database.write() as session:
        older, new = _older(session, device_id, device_id_hash), session.get_one(Device, device_id)
        if older is None or older.id is None:
            return None
        secret, new.token_hash, new.revoked_at = new.token_hash, None, house.now()
        new.details = {**new.details, "same_as": older.id}
        session.flush()  # no two entries may have the same secret at any time
        older.token_hash = secret
        older.details = {**older.details, "taken_over_at": house.now().isoformat(), "taken_over_as": new.name}
        if older.revoked_at is not None:
            older.revoked_at, older.name = None, new.name
        _take_choice(session, older.id, device_id)
        return older.id


def _older(session: Session, device_id: int, device_id_hash: str) -> Device | None:
    new = session.get_one(Device, device_id)
    if new.revoked_at is not None or session.execute(select(_of(device_id))).scalar_one():
        return None
    others = (
        select(Device)
        .where(
            col(Device.user_id) == new.user_id,
            col(Device.kind) == "kobo",
            col(Device.id) != device_id,
            _of(Device.id),
        )
        .order_by(col(Device.last_seen_at).desc())
    )
    return next((one for one in session.scalars(others) if one.details.get("device_id_hash") == device_id_hash), None)


def _of(device_id: Any) -> Exists:
    return exists(select(_DELIVERY.c.book_id).where(_DELIVERY.c.device_id == device_id))


def _take_choice(session: Session, older_id: int, new_id: int) -> None:
    """What was chosen for the new entry before its first sync is the person's latest word."""
    wish = session.get(KoboSync, new_id)
    if wish is None or not wish.due:
        return
    session.execute(delete(_CHOICE).where(_CHOICE.c.device_id == older_id))
    session.execute(update(_CHOICE).where(_CHOICE.c.device_id == new_id).values(device_id=older_id))
    kept = sync_of(session, older_id)
    kept.everything, kept.due = wish.everything, True
