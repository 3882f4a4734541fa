"""Which KOReader is calling: by the token that pairing gave it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session

from appliance.accounts.tokens import hash_token
from appliance.house import House
from appliance.models import Device
from koreader_api.plugin.call import Caller

SEEN_STEP = timedelta(minutes=5)  # `last_seen_at` is written no more often, to spare the card

# Asked with each request, so it is kept compiled and loads no object.
_DEVICE = Device.__table__  # type: ignore[attr-defined]
_BY_TOKEN = select(_DEVICE.c.id, _DEVICE.c.user_id, _DEVICE.c.name, _DEVICE.c.details, _DEVICE.c.last_seen_at).where(
    _DEVICE.c.token_hash == bindparam("token_hash"), _DEVICE.c.kind == "koreader", _DEVICE.c.revoked_at.is_(None)
)


def caller(house: House, session: Session, headers: Mapping[str, str]) -> Caller | None:
    """The KOReader that shows a token of ours, unless it was revoked. Notes that it was seen."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    token_hash = hash_token(token.strip())
    row = session.connection().execute(_BY_TOKEN, {"token_hash": token_hash}).first()
    if row is None:
        return None
    now = house.now()
    if row.last_seen_at is None or abs(now - row.last_seen_at) >= SEEN_STEP:
        _change(house, row.id, {}, seen=True)
    return Caller(row.id, row.user_id, row.name, token_hash, row.details)


def remember(house: House, caller: Caller, told: Mapping[str, Any]) -> None:
    """Keep what a device says of itself, for people to read. Writes only what is new."""
    if any(caller.details.get(name) != value for name, value in told.items()):
        _change(house, caller.device_id, told)


def _change(house: House, device_id: int, told: Mapping[str, Any], *, seen: bool = False) -> None:
    with house.database.write() as session:
        device = session.get_one(Device, device_id)
        if told:
            device.details = {**device.details, **told}
        if seen:
            device.last_seen_at = house.now()
