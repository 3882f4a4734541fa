"""What KOReader keeps beside its books (sidecars), saved as it is: versions in the database, bytes in the data folder.

The bytes lie once, under their SHA-256. Of a book on a device the last versions stay, and one of each month before.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, func, select

from appliance.house import House
from appliance.library.sidecar_glance import Glance, glance
from appliance.models import SidecarBackup
from appliance.reading.turn import take_turn

KEEP = 10  # versions of a book on a device
MAX_PARTS = 40  # files of a sidecar
MAX_SIZE = 32 * 1024 * 1024  # bytes of a sidecar
MAX_BACKUPS = 20_000  # of a person
SPARE = 256 * 1024 * 1024  # bytes that stay free on the disk
UNFINISHED = 3  # versions of a book on a device that were begun and whose parts did not all come

_EVERYBODY = 0  # whose turn it is when bytes come or go: they are shared by all people
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WRITING = ".writing-"


class NoRoom(Exception):
    """The disk is full, or a person has too much."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a sidecar. `mtime`: seconds since 1970 by the device's clock."""

    name: str
    size: int
    mtime: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A sidecar as a device had it. `file`: partial MD5 of the book's file."""

    file: str
    title: str
    taken_at: datetime
    location: str
    book_path: str
    koreader: str
    parts: Sequence[Part]


def begin(house: House, user_id: int, device_id: int, taken: Taken) -> tuple[int, list[str]]:
    """The id of a version of a sidecar, and which of its parts are missing here. The same parts again are no new
    version. Raises `NoRoom`."""
    with house.database.write() as session:
        take_turn(session.connection(), _EVERYBODY)
        # Whoever knows the name of bytes does not have them yet: only what this person sent need not be sent again.
        theirs = _sent_by(session, user_id)
        parts = [
            {
                "name": one.name,
                "size": one.size,
                "mtime": one.mtime,
                "sha256": one.sha256,
                "here": one.sha256 in theirs and path_of_part(house, one.sha256).is_file(),
            }
            for one in taken.parts
        ]
        latest = session.exec(_of(user_id, device_id, taken.file).order_by(col(SidecarBackup.id).desc())).first()
        if latest is None or _content(latest.parts) != _content(parts):
            if session.exec(select(func.count()).where(SidecarBackup.user_id == user_id)).one() >= MAX_BACKUPS:
                raise NoRoom(f"There are {MAX_BACKUPS} backups of this person already.")
            latest = SidecarBackup(
                user_id=user_id,
                device_id=device_id,
                file=taken.file,
                title=taken.title,
                taken_at=taken.taken_at,
                received_at=house.now(),
                location=taken.location,
                book_path=taken.book_path,
                koreader=taken.koreader,
                parts=parts,
                size=sum(one.size for one in taken.parts),
            )
            session.add(latest)
            session.flush()
        missing = list(dict.fromkeys(part["sha256"] for part in latest.parts if not part["here"]))
        gone = set() if missing else _complete(house, session, latest)
        assert latest.id is not None
    _forget(house, gone)
    return latest.id, missing


def put(house: House, user_id: int, device_id: int, sha256: str, data: bytes) -> bool | None:
    """The bytes of a part that a device was asked for; whether a version is complete with it. `None`: nothing of this
    device has such a part. Raises `NoRoom`, `OSError`, and `ValueError` for other bytes than those."""
    with house.database.read() as session:
        theirs = session.exec(_of(user_id, device_id).order_by(col(SidecarBackup.is_complete)))
        found = next((one for one in theirs if _has_part(one, sha256)), None)
        if found is None:
            return None
        if found.is_complete:
            return True
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError("These are not the bytes of that name.")
    _write(house, sha256, data)
    gone: set[str] = set()
    with house.database.write() as session:
        take_turn(session.connection(), _EVERYBODY)
        waiting = session.exec(_of(user_id, device_id).where(col(SidecarBackup.is_complete).is_(False))).all()
        mine = [one for one in waiting if _has_part(one, sha256)]
        for one in mine:
            one.parts = [{**part, "here": part["here"] or part["sha256"] == sha256} for part in one.parts]
            session.add(one)
        done = [one for one in mine if all(part["here"] for part in one.parts)]
        for one in done:
            gone |= _complete(house, session, one)
    _forget(house, gone)
    return len(done) == len(mine)


def backups_of(session: Session, user_id: int, file: str) -> list[SidecarBackup]:
    """The complete versions of a book's sidecar from all devices of a person, newest first."""
    query = select(SidecarBackup).where(
        SidecarBackup.user_id == user_id, SidecarBackup.file == file, col(SidecarBackup.is_complete)
    )
    return list(session.exec(query.order_by(col(SidecarBackup.taken_at).desc(), col(SidecarBackup.id).desc())))


def backup(session: Session, user_id: int, id: int) -> SidecarBackup | None:
    """A complete version of this person."""
    found = session.get(SidecarBackup, id)
    return found if found is not None and found.user_id == user_id and found.is_complete else None


def path_of_part(house: House, sha256: str) -> Path:
    """Where those bytes are, or would be."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is no SHA-256")
    return house.settings.sidecars / sha256[:2] / sha256


def _complete(house: House, session: Session, made: SidecarBackup) -> set[str]:
    """All of it is here, so that older versions may go. Returns the bytes that nobody may need any more."""
    if not made.is_complete:
        seen = _glance(house, made.parts)
        made.is_complete, made.annotations, made.percent = True, seen.annotations, seen.percent
        session.add(made)
        session.flush()
    newest_first = (col(SidecarBackup.taken_at).desc(), col(SidecarBackup.id).desc())
    versions = session.exec(_of(made.user_id, made.device_id, made.file).order_by(*newest_first)).all()
    gone = too_old([(one.id or 0, one.taken_at, one.is_complete) for one in versions])
    parts: set[str] = set()
    for one in versions:
        if one.id in gone:
            parts |= {part["sha256"] for part in one.parts}
            session.delete(one)
    return parts


def _forget(house: House, parts: set[str]) -> None:
    """Remove the bytes that no version has, now that it is certain which ones there are."""
    if parts:
        with house.database.write() as session:
            take_turn(session.connection(), _EVERYBODY)
            for sha256 in parts - _referred(session, parts):
                path_of_part(house, sha256).unlink(missing_ok=True)


def too_old(versions: Sequence[tuple[int, datetime, bool]]) -> set[int]:
    """Of the versions of a book on a device (id, when, whether complete), newest first, those that go: all but the last
    `KEEP` and the last of each month; of those that were never completed, all but a few."""
    complete = [(id, at) for id, at, is_complete in versions if is_complete]
    kept = {id for id, _ in complete[:KEEP]}
    months: set[tuple[int, int]] = set()
    for id, at in complete:
        if (at.year, at.month) not in months:
            months.add((at.year, at.month))
            kept.add(id)
    kept |= set([id for id, _, is_complete in versions if not is_complete][:UNFINISHED])
    return {id for id, *_ in versions} - kept


def _of(user_id: int, device_id: int, file: str | None = None) -> Any:
    query = select(SidecarBackup).where(SidecarBackup.user_id == user_id, SidecarBackup.device_id == device_id)
    return query if file is None else query.where(SidecarBackup.file == file)


def _sent_by(session: Session, user_id: int) -> set[str]:
    rows = session.exec(select(SidecarBackup.parts).where(SidecarBackup.user_id == user_id))
    return {part["sha256"] for parts in rows for part in parts if part["here"]}


def _has_part(made: SidecarBackup, sha256: str) -> bool:
    return any(part["sha256"] == sha256 for part in made.parts)


def _content(parts: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What makes a version: the files, whenever they were written."""
    return sorted((part["name"], part["sha256"]) for part in parts)


def _referred(session: Session, wanted: set[str]) -> set[str]:
    """Which of these bytes some version has."""
    found: set[str] = set()
    for parts in session.exec(select(SidecarBackup.parts)):
        found |= wanted & {part["sha256"] for part in parts}
        if found == wanted:
            break
    return found


def _glance(house: House, parts: Sequence[dict[str, Any]]) -> Glance:
    for part in parts:
        if part["name"].startswith("metadata.") and part["name"].endswith(".lua"):
            return glance(path_of_part(house, part["sha256"]).read_bytes())
    return Glance()


def _write(house: House, sha256: str, data: bytes) -> None:
    target = path_of_part(house, sha256)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(target.parent).free < SPARE + len(data):
        raise NoRoom(f"less than {SPARE >> 20} MB are free on the disk of {house.settings.sidecars}")
    writing = target.with_name(f"{_WRITING}{sha256}")
    try:
        with writing.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        writing.replace(target)
    finally:
        writing.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
