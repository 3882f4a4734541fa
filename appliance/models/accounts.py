"""People, their devices, and what proves who is calling."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from appliance.models.columns import UtcDateTime


class User(SQLModel, table=True):
    """A person of the household. `name_key` is the case-folded name, so that no two differ only in case. `kobo_pushes`:
    whether annotations made elsewhere are brought to their Kobos."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    name_key: str = Field(unique=True)
    password_hash: str
    is_admin: bool = False
    time_zone: str = "UTC"
    kobo_pushes: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)


class Device(SQLModel, table=True):
    """One reader that syncs.

    `kind`: kobo, koreader, kosync or browser. `token_hash`: SHA-256 (hex) of the secret that the device sends.
    A KOSync login is a device too; each client that uses it gets a row of its own with `parent_id` set and
    `client_key` made of what it calls itself, because several clients share constant ids (koreader.md 1.6).
    `details`: what the device tells of itself (model, firmware, …), for people to read.
    """

    __table_args__ = (UniqueConstraint("parent_id", "client_key"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    parent_id: int | None = Field(default=None, foreign_key="device.id")
    client_key: str | None = None
    kind: str
    name: str
    token_hash: str | None = Field(default=None, unique=True)
    login: str | None = Field(default=None, unique=True)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WebSession(SQLModel, table=True):
    """A signed-in browser. Only the hash of the cookie is stored."""

    token_hash: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    device_id: int = Field(foreign_key="device.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
