"""Kobos whose owner still buys at the Kobo store (docs/reference/kobo-protocol.md 9)."""

from sqlalchemy import Text
from sqlmodel import Field, SQLModel


class KoboStore(SQLModel, table=True):
    """Whether the store's answers are merged into ours for a device, and how far its sync with the store has come.

    `token`: the store's token that the device is known to have got everything up to. `next_token`: the one that came
    with page `page`, which may not have arrived. Kept while it is off: the store must not send again what is on the
    device, or the device drops it.
    """

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    is_on: bool = False
    token: str | None = Field(default=None, sa_type=Text)
    next_token: str | None = Field(default=None, sa_type=Text)
    page: int = 0
