"""The devices behind one KOSync login.

A login may be typed into several readers, and several clients share constant ids, so a client is told by both what it
calls itself and its id (docs/reference/koreader.md 1.6).
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from appliance.accounts.devices import Login
from appliance.models import Device

MAX_CLIENTS = 200  # per login; more is a client that invents an id each time
SEEN_STEP = timedelta(minutes=5)  # `last_seen_at` is written no more often, to spare the card

_FIND = select(Device.id, Device.last_seen_at).where(
    col(Device.parent_id) == bindparam("login"), col(Device.client_key) == bindparam("key")
)


def client_device(session: Session, login: Login, device: str, device_id: str, now: datetime) -> int:
    """The device row of a client, added when it is new. Runs inside the caller's transaction."""
    key = f"{device_id}\n{device}"
    found = session.connection().execute(_FIND, {"login": login.id, "key": key}).first()
    if found is not None and found.last_seen_at is not None and now - found.last_seen_at <= SEEN_STEP:
        return int(found.id)
    row = session.get(Device, found.id) if found else None
    if row is None:
        known = session.exec(
            select(Device).where(Device.parent_id == login.id).order_by(col(Device.id).desc()).limit(MAX_CLIENTS)
        ).all()
        if len(known) == MAX_CLIENTS:
            return _id(known[0])
        row = Device(
            user_id=login.user_id,
            parent_id=login.id,
            client_key=key,
            kind="kosync",
            name=device or login.name,
            details={"device": device, "device_id": device_id},
            created_at=now,
            last_seen_at=now,
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # another thread was faster (PostgreSQL; on SQLite writers queue)
            return client_device(session, login, device, device_id, now)
    else:
        row.last_seen_at = now
        session.add(row)
    return _id(row)


def _id(device: Device) -> int:
    assert device.id is not None
    return device.id
