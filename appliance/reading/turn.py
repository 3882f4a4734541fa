"""Reports of one person are judged one after another.

The turn comes first in a transaction, before any row is written: whoever held a row while waiting for the turn could
be waited for by the one who has it.
"""

from sqlalchemy import Connection, bindparam, func, select

from appliance.models import Device

_DEVICE = Device.__table__  # type: ignore[attr-defined]
_OF_DEVICE = select(func.pg_advisory_xact_lock(_DEVICE.c.user_id)).where(_DEVICE.c.id == bindparam("device_id"))


def take_turn(connection: Connection, user_id: int) -> None:
    """Wait for the person's other reports; lasts until the end of the transaction. On SQLite there is one writer
    anyway; PostgreSQL has to be told."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(user_id)))


def take_turn_of(connection: Connection, device_id: int) -> None:
    """`take_turn` for the person whose device that is."""
    if connection.dialect.name == "postgresql":
        connection.execute(_OF_DEVICE, {"device_id": device_id})
