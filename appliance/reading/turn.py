"""Reports of one person are judged one after another."""

from sqlalchemy import Connection, func, select


def take_turn(connection: Connection, user_id: int) -> None:
    """Wait for the person's other reports; lasts until the end of the transaction. On SQLite there is one writer
    anyway; PostgreSQL has to be told."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(user_id)))
