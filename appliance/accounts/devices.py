"""Devices: add, find by secret, list, rename, revoke."""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass

from sqlalchemy import bindparam
from sqlmodel import Session, col, or_, select

from appliance.accounts.errors import AccountError
from appliance.accounts.people import checked_name
from appliance.accounts.tokens import hash_token, new_token, new_typeable_password
from appliance.house import House
from appliance.models import Device, Pairing, User, WebSession

KINDS = {"kobo": "Kobo", "koreader": "KOReader", "kosync": "KOReader", "browser": "Browser"}
"""Each kind of device with the name that a device gets when nobody gives it one."""


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device just added, with the secrets that are shown this once. Fields that its kind does not need are `None`."""

    device: Device
    token: str | None = None
    login: str | None = None
    password: str | None = None


def add_device(
    house: House, session: Session, user: User, kind: str, name: str | None, wish: str | None = None
) -> NewDevice:
    """Add a kobo, koreader, kosync or browser device. A KOSync password is random and travels as its MD5
    (koreader.md 1.2); a KOReader with our plugin gets its token by a code (`pairing`). Without a `name` it is called
    `wish`, numbered if that is taken. Raises `AccountError`."""
    if kind not in KINDS:
        raise AccountError(f"There is no kind of device “{kind}”. Choose one of: {', '.join(KINDS)}.")
    name = checked_name(name) if name and name.strip() else _free_name(session, user, wish or KINDS[kind])
    device = Device(user_id=_id(user.id), kind=kind, name=name, created_at=house.now())
    if kind == "kosync":
        device.login = _free_login(session, user)
    if kind == "browser":
        # Known by its session (sessions.py); what it calls itself finds it again.
        device.client_key = wish
    session.add(device)
    session.flush()
    return _with_secret(device)


def renew(session: Session, user_id: int, device_id: int) -> NewDevice:
    """Give one of the person's devices a new secret; the old one ends. Everything that was read stays, and so does what
    the device is known to hold. Raises `AccountError`."""
    device = get(session, user_id, device_id)
    if device.kind not in ("kobo", "kosync") or device.parent_id is not None:
        raise AccountError("This device has no secret that could be renewed. Remove it and add it again.")
    return _with_secret(device)


def renewed_token(device: Device) -> str:
    """Another token in place of the one before, which ends."""
    token = new_token()
    device.token_hash = hash_token(token)
    return token


def _with_secret(device: Device) -> NewDevice:
    if device.kind == "kosync":
        password = new_typeable_password()
        device.token_hash = hash_token(hashlib.md5(password.encode()).hexdigest())
        return NewDevice(device, login=device.login, password=password)
    if device.kind in ("kobo", "koreader"):
        return NewDevice(device, token=renewed_token(device))
    return NewDevice(device)


def by_token(session: Session, token: str) -> Device | None:
    """The device that owns this token, unless it was revoked."""
    return session.exec(
        select(Device).where(Device.token_hash == hash_token(token), col(Device.revoked_at).is_(None))
    ).first()


@dataclass(frozen=True, slots=True)
class Login:
    """A KOSync login. `id`: of its device row. `token_hash`: of the MD5 of its password."""

    id: int
    user_id: int
    name: str
    token_hash: str


# Asked with each report of a page turn, so without the cost of an object that is tracked for changes.
_BY_LOGIN = select(Device.id, Device.user_id, Device.name, Device.token_hash).where(
    col(Device.login) == bindparam("login"), col(Device.revoked_at).is_(None), col(Device.token_hash).is_not(None)
)


def by_login(session: Session, login: str) -> Login | None:
    """The KOSync login of that name, unless it was revoked."""
    row = session.connection().execute(_BY_LOGIN, {"login": login}).first()
    return Login(*row) if row else None


def of_person(session: Session, user_id: int, with_revoked: bool = False) -> list[Device]:
    """A person's devices, oldest first; a KOSync login comes before the clients that use it."""
    query = select(Device).where(Device.user_id == user_id).order_by(col(Device.id))
    if not with_revoked:
        query = query.where(col(Device.revoked_at).is_(None))
    return list(session.exec(query))


def get(session: Session, user_id: int, device_id: int) -> Device:
    """One of the person's devices that is not revoked. Raises `AccountError`, also for somebody else's."""
    device = session.get(Device, device_id)
    if device is None or device.user_id != user_id or device.revoked_at is not None:
        raise AccountError("There is no such device. It may have been removed already; reload the list.")
    return device


def rename(session: Session, user_id: int, device_id: int, name: str) -> Device:
    """Give one of the person's devices another name. Raises `AccountError`."""
    device = get(session, user_id, device_id)
    device.name = checked_name(name)
    return device


def revoke(house: House, session: Session, user_id: int, device_id: int) -> Device:
    """Shut out one of the person's devices for good, with everything that uses its login; what it read stays.

    Raises `AccountError`.
    """
    device = get(session, user_id, device_id)
    for shut in session.exec(select(Device).where(or_(Device.id == device_id, Device.parent_id == device_id))):
        if shut.revoked_at is None:
            shut.revoked_at = house.now()
        # The secret itself is forgotten too. The login name stays taken: nobody gets a stranger's old one.
        shut.token_hash = None
    for row in session.exec(select(WebSession).where(WebSession.device_id == device_id)):
        session.delete(row)
    for pairing in session.exec(select(Pairing).where(Pairing.device_id == device_id)):
        session.delete(pairing)
    return device


def _id(id: int | None) -> int:
    assert id is not None, "a row of the database"
    return id


def _free_name(session: Session, user: User, wish: str) -> str:
    """`wish`, or `wish 2`, `wish 3`, … when the person has such devices already."""
    taken = {device.name for device in of_person(session, _id(user.id))}
    number = 2
    name = wish
    while name in taken:
        name = f"{wish} {number}"
        number += 1
    return name


def _free_login(session: Session, user: User) -> str:
    """A name for a KOSync login that is short and easy to type: `ida-3f`. Never one that was used before."""
    plain = unicodedata.normalize("NFKD", user.name).encode("ascii", "ignore").decode().lower()
    stem = "".join(character for character in plain if character.isalnum())[:12] or "reader"
    digits = 2
    while True:
        login = f"{stem}-{secrets.token_hex(4)[:digits]}"
        if session.exec(select(Device.id).where(Device.login == login)).first() is None:
            return login
        digits = min(digits + 1, 8)
