"""Devices: add, find by secret, rename, revoke."""

from dataclasses import dataclass

from sqlmodel import Session

from appliance.house import House
from appliance.models import Device, User


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device just added, with the secrets that are shown this once. Fields that its kind does not need are `None`."""

    device: Device
    token: str | None = None
    login: str | None = None
    password: str | None = None
    enrolment_code: str | None = None


def add_device(house: House, session: Session, user: User, kind: str, name: str | None) -> NewDevice:
    """Add a kobo, koreader, kosync or browser device. A KOSync password is random and travels as its MD5."""
    raise NotImplementedError


def by_token(session: Session, token: str) -> Device | None:
    """The device that owns this token, unless it was revoked."""
    raise NotImplementedError
