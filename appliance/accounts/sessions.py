"""Signed-in browsers: a random cookie whose hash is stored, and the browser as a device of its person."""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, delete, select

from appliance.accounts.devices import add_device
from appliance.accounts.tokens import hash_token, new_token
from appliance.house import House
from appliance.models import Device, User, WebSession

LIFETIME = timedelta(days=90)
"""How long a browser stays signed in after its last visit."""

_RENEWAL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is using the browser. `device_id`: the browser as a device."""

    user_id: int
    name: str
    is_admin: bool
    time_zone: str
    device_id: int


def sign_in(house: House, session: Session, user: User, browser: str) -> str:
    """Begin a session; returns the cookie's value. `browser`: what to call it, such as “Firefox on Linux”.

    A browser that signs in again becomes the device it was; one like it that is still signed in is another.
    """
    now = house.now()
    session.exec(delete(WebSession).where(col(WebSession.expires_at) <= now))
    device = session.exec(
        select(Device)
        .where(Device.user_id == user.id, Device.kind == "browser", Device.client_key == browser)
        .where(col(Device.revoked_at).is_(None), col(Device.id).not_in(select(WebSession.device_id)))
    ).first()
    if device is None:
        device = add_device(house, session, user, "browser", None, wish=browser).device
    device.last_seen_at = now
    cookie = new_token()
    assert user.id is not None and device.id is not None, "rows of the database"
    session.add(
        WebSession(
            token_hash=hash_token(cookie),
            user_id=user.id,
            device_id=device.id,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return cookie


def find(house: House, cookie: str) -> SignedIn | None:
    """Who holds this cookie; `None` when its session ended. Writes at most once a day, to keep the session alive."""
    now = house.now()
    with house.database.read() as session:
        row = session.exec(
            select(WebSession, User)
            .where(WebSession.token_hash == hash_token(cookie), User.id == WebSession.user_id)
            .where(col(WebSession.expires_at) > now)
        ).first()
    if row is None:
        return None
    web_session, user = row
    if web_session.expires_at - now < LIFETIME - _RENEWAL:
        with house.database.write() as session:
            if kept := session.get(WebSession, web_session.token_hash):
                kept.expires_at = now + LIFETIME
                session.get_one(Device, kept.device_id).last_seen_at = now
    return SignedIn(web_session.user_id, user.name, user.is_admin, user.time_zone, web_session.device_id)


def sign_out(session: Session, cookie: str) -> None:
    """End the session of this cookie."""
    session.exec(delete(WebSession).where(col(WebSession.token_hash) == hash_token(cookie)))


def sign_out_everywhere_else(session: Session, user_id: int, device_id: int) -> None:
    """End the person's sessions on all other browsers."""
    session.exec(delete(WebSession).where(col(WebSession.user_id) == user_id, col(WebSession.device_id) != device_id))
