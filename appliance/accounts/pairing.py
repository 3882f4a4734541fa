"""A KOReader with our plugin becomes somebody's device: by a code that is typed on the reader, by one that the reader
shows and somebody types in the browser, or by one that came inside the plugin.

A code works once and ends soon. An answer may get lost on its way, so the reader that used a code may ask again until
it has used its token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, func, select

from appliance.accounts.devices import add_device, renewed_token
from appliance.accounts.errors import AccountError
from appliance.accounts.people import checked_name
from appliance.accounts.tokens import hash_token, new_code, new_short_code, new_token, plain_code
from appliance.house import House
from appliance.models import Device, Pairing, User

LIFETIME = timedelta(minutes=10)
ENCLOSED_LIFETIME = timedelta(days=1)
MAX_WAITING = 50  # codes that readers show and nobody has typed in
SHORT = 6  # characters of a code that people type

About = Mapping[str, str]
"""What a reader says of itself: model, koreader, plugin and device_id, as far as it does."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A reader that is somebody's device now. `token`: shown this once; `person`: whose it is."""

    device: Device
    token: str
    person: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader shows (`code`) and what it asks by (`secret`)."""

    code: str
    secret: str
    expires_at: datetime


class TooManyWaiting(Exception):
    """More readers show a code than a household has."""


def offer_code(
    house: House, session: Session, user_id: int, name: str | None = None, *, is_enclosed: bool = False
) -> tuple[str, datetime]:
    """A code that makes the reader that uses it the person's device, and when it ends. `is_enclosed`: nobody has to
    type it, so it is longer and lasts longer. Raises `AccountError` for a `name` that cannot be."""
    name = checked_name(name) if name and name.strip() else None
    ends = house.now() + (ENCLOSED_LIFETIME if is_enclosed else LIFETIME)
    code = _free_code(house, session, is_enclosed)
    session.add(Pairing(code_hash=hash_token(plain_code(code)), user_id=user_id, name=name, expires_at=ends))
    return code, ends


def redeem(house: House, session: Session, code: str, about: About, name: str | None = None) -> Paired | None:
    """The reader that was given a code becomes a device; `None` for a code that is wrong, used, or too old."""
    pairing = session.get(Pairing, hash_token(plain_code(code)))
    if pairing is None or pairing.user_id is None or pairing.secret_hash is not None:
        return None
    if pairing.device_id is not None and about.get("device_id", "") != pairing.about.get("device_id"):
        return None
    pairing.about = dict(about)
    return _become(house, session, pairing, name)


def begin(house: House, session: Session, about: About, name: str | None = None) -> Shown:
    """A code for a reader to show. Raises `TooManyWaiting`."""
    now = house.now()
    waiting = select(func.count()).where(col(Pairing.user_id).is_(None), col(Pairing.expires_at) > now)
    if session.exec(waiting).one() >= MAX_WAITING:
        raise TooManyWaiting
    code, secret, ends = _free_code(house, session, False), new_token(), now + LIFETIME
    session.add(
        Pairing(
            code_hash=hash_token(plain_code(code)),
            secret_hash=hash_token(secret),
            name=_usable(name),
            about=dict(about),
            expires_at=ends,
        )
    )
    return Shown(code, secret, ends)


def accept(house: House, session: Session, user_id: int, code: str) -> str:
    """Somebody typed the code that a reader shows: it is theirs as soon as it asks. Returns what it says it is. Raises
    `AccountError`."""
    pairing = session.get(Pairing, hash_token(plain_code(code)))
    is_known = pairing is not None and pairing.secret_hash is not None and pairing.user_id in (None, user_id)
    if pairing is None or not is_known or pairing.expires_at <= house.now():
        raise AccountError(
            "No KOReader shows this code now. Type the one it shows; after ten minutes it has to show a new one."
        )
    pairing.user_id = user_id
    return pairing.name or str(pairing.about.get("model") or "KOReader")


def poll(house: House, session: Session, secret: str) -> Paired | bool:
    """What became of a code that a reader shows. `True`: nobody typed it in yet; `False`: it has ended."""
    pairing = session.exec(select(Pairing).where(Pairing.secret_hash == hash_token(secret))).first()
    if pairing is None or pairing.expires_at <= house.now():
        return False
    if pairing.user_id is None:
        return True
    return _become(house, session, pairing, None) or False


def _become(house: House, session: Session, pairing: Pairing, name: str | None) -> Paired | None:
    user = session.get_one(User, pairing.user_id)
    if pairing.expires_at <= house.now():
        return None
    if pairing.device_id is not None:
        device = session.get_one(Device, pairing.device_id)
        if device.revoked_at is not None or device.last_seen_at is not None:
            return None  # it was used
        return Paired(device, renewed_token(device), user.name)
    wish = _usable(name) or _usable(pairing.about.get("model"))
    added = add_device(house, session, user, "koreader", pairing.name, wish=wish)
    added.device.details = dict(pairing.about)
    pairing.device_id = added.device.id
    assert added.token is not None, "a KOReader has one"
    return Paired(added.device, added.token, user.name)


def _usable(name: str | None) -> str | None:
    """What a reader calls itself, if it can be shown."""
    try:
        return checked_name(name) if name else None
    except AccountError:
        return None


def _free_code(house: House, session: Session, is_long: bool) -> str:
    session.exec(delete(Pairing).where(col(Pairing.expires_at) <= house.now()))
    while True:
        code = new_code() if is_long else new_short_code()
        if session.get(Pairing, hash_token(plain_code(code))) is None:
            return code
