"""Which Kobo is calling: by the token in its URL or, on paths that have none, by the access token we gave it."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam
from sqlmodel import Session, col, select

from appliance.accounts.tokens import hash_token
from appliance.house import House
from appliance.models import Device
from kobo_api.call import Caller
from kobo_api.library.same_kobo import take_over

SEEN_STEP = timedelta(minutes=1)  # `last_seen_at` is written no more often, to spare the card
TOKEN_LIFETIME = timedelta(hours=1)  # what every server sends, and the firmware expects (2.5)
_DETAILS = {"x-kobo-devicemodel": "model", "x-kobo-appversion": "firmware", "x-kobo-platformid": "platform"}
# Asked with each request, so it is kept compiled and loads no object.
_DEVICE = Device.__table__  # type: ignore[attr-defined]
_BY_TOKEN = select(_DEVICE.c.id, _DEVICE.c.user_id, _DEVICE.c.details, _DEVICE.c.last_seen_at).where(
    _DEVICE.c.token_hash == bindparam("token_hash"), _DEVICE.c.kind == "kobo", _DEVICE.c.revoked_at.is_(None)
)
_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()


def by_path_token(house: House, session: Session, token: str, headers: Mapping[str, str]) -> Caller | None:
    """The Kobo that owns the token in the URL, unless it was revoked. Notes that it was seen, and what it is."""
    token_hash = hash_token(token)
    device = session.connection().execute(_BY_TOKEN, {"token_hash": token_hash}).first()
    if device is None:
        return None
    device_id = device.id
    if (said := headers.get("x-kobo-deviceid")) and "device_id_hash" not in device.details:
        device_id = take_over(house, device_id, _hash(said)) or device_id
    if device_id == device.id:
        _note_seen(house, device, headers)
    return Caller(device_id, device.user_id, token, token_hash)


def by_access_token(session: Session, headers: Mapping[str, str]) -> Device | None:
    """The Kobo that shows an access token of ours, also an expired one (7.1); else the one whose device id it sends."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and (device := _signed_for(session, token.strip())):
        return device
    device_id = headers.get("x-kobo-deviceid")
    if not device_id:
        return None
    digest = _hash(device_id)
    kobos = (
        select(Device).where(Device.kind == "kobo", col(Device.revoked_at).is_(None)).order_by(col(Device.id).desc())
    )
    return next((kobo for kobo in session.exec(kobos) if kobo.details.get("device_id_hash") == digest), None)


def access_token(caller: Caller, now: datetime) -> str:
    """A short token of our own that names the device row: all that reaches paths without a token in them (2.4).

    Signed with the hash of the device's own secret, so that it dies with it.
    """
    payload = msgspec.json.encode({"dev": caller.device_id, "exp": int((now + TOKEN_LIFETIME).timestamp())})
    signed = f"{_HEADER}.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}"
    return f"{signed}.{_signature(signed, caller.token_hash)}"


def is_access_token(text: str) -> bool:
    """Whether there is an access token of ours in a text, or what looks like one."""
    return f"{_HEADER}." in text


def _signed_for(session: Session, token: str) -> Device | None:
    signed, _, signature = token.rpartition(".")
    try:
        payload = signed.partition(".")[2]
        device_id = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["dev"]
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError, KeyError, TypeError):
        return None
    device = session.get(Device, device_id) if isinstance(device_id, int) else None
    if device is None or device.kind != "kobo" or device.revoked_at is not None or not device.token_hash:
        return None
    return device if hmac.compare_digest(_signature(signed, device.token_hash), signature) else None


def _signature(signed: str, key: str) -> str:
    digest = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _note_seen(house: House, device: Row[*tuple[Any, ...]], headers: Mapping[str, str]) -> None:
    """Keep model and firmware for people to read; of the device id, which is a lasting secret (2.3), only the hash."""
    told = {name: headers[header][:100] for header, name in _DETAILS.items() if headers.get(header)}
    if device_id := headers.get("x-kobo-deviceid"):
        told["device_id_hash"] = _hash(device_id)
    now = house.now()
    news = any(device.details.get(name) != value for name, value in told.items())
    if not news and device.last_seen_at is not None and abs(now - device.last_seen_at) < SEEN_STEP:
        return
    with house.database.write() as session:
        stored = session.get_one(Device, device.id)
        stored.last_seen_at = now
        if news:
            stored.details = {**stored.details, **told}


def _hash(device_id: str) -> str:
    return hashlib.sha256(device_id.encode()).hexdigest()
