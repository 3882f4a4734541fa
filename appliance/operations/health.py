"""Whether the appliance can do its work, for /readyz and `doctor`. Reads and locks, but writes nothing: a container
asks every half minute."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from appliance.house import House

LOW_DISK = 50 * 1024 * 1024
"""Bytes free on the data disk below which the appliance is not ready: a database needs room for its log."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `said`: what was found, and if not `ok`, what to do. Holds no secret, but paths:
    show it to administrators only."""

    name: str
    ok: bool
    said: str


def check(house: House) -> list[Check]:
    """All checks, quick enough for every probe. The migrations need none: without them the server does not start."""
    return [_database(house), _disk(house.settings.data)]


def is_ready(house: House) -> bool:
    """Whether every check is well."""
    return all(found.ok for found in check(house))


def _database(house: House) -> Check:
    try:
        # On SQLite the transaction begins IMMEDIATE: it takes the lock of a writer and gives it back unused.
        with house.database.write() as session:
            session.execute(text("SELECT 1"))
            read_only = not house.database.is_sqlite and session.scalar(text("SHOW transaction_read_only")) == "on"
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error)
        return Check(
            "database", False, f"The database cannot be written: {reason}. See that its disk is whole and not full."
        )
    if read_only:
        return Check("database", False, "The PostgreSQL server is read-only; use the primary server.")
    return Check("database", True, "The database can be read and written.")


def _disk(folder: Path) -> Check:
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        return Check(
            "disk", False, f"The data folder {folder} cannot be read: {error.strerror}. See that its disk is there."
        )
    if disk.f_flag & os.ST_RDONLY:  # how Linux leaves a failing card
        return Check(
            "disk", False, f"The disk of {folder} has become read-only, often the sign of a failing card. Replace it."
        )
    if not os.access(folder, os.W_OK):
        return Check(
            "disk", False, f"The data folder {folder} cannot be written. Give it to the user that runs Bookwake."
        )
    free = disk.f_bavail * disk.f_frsize
    if free < LOW_DISK:
        return Check("disk", False, f"Only {free >> 20} MB are free on the disk of {folder}. Make room.")
    return Check("disk", True, f"{free >> 20} MB are free on the disk of {folder}.")
