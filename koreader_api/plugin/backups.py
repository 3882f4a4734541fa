"""Sidecars, saved and given back as they were (docs/plugin-protocol.md, Backups of sidecars)."""

import re

from sqlmodel import Session

from appliance.library import sidecars
from appliance.library.sidecars import NoRoom, Part, Taken
from appliance.models import Device, SidecarBackup
from koreader_api.plugin import wire
from koreader_api.plugin.call import Call, FileAnswer, Refusal

_FULL = "There is no room for this backup on the server."


def begin(call: Call, said: wire.Backup) -> wire.BackupBegun:
    """What the sidecar is made of; the answer names the parts that the server does not have."""
    if len(said.parts) > sidecars.MAX_PARTS or sum(part.size for part in said.parts) > sidecars.MAX_SIZE:
        raise Refusal(413, "too-large", "This sidecar is too large to be saved.")
    if len({part.name for part in said.parts}) < len(said.parts):
        raise Refusal(400, "not-understood", "Two parts of this sidecar have one name.")
    taken_at = call.clock(said.clock).ours(said.taken_at)
    taken = Taken(
        file=said.file,
        title=said.title or "",
        taken_at=min(taken_at, call.now) if taken_at is not None else call.now,
        location=said.location or "",
        book_path=said.book_path or "",
        koreader=said.koreader or "",
        parts=[Part(part.name, part.size, part.mtime, part.sha256) for part in said.parts],
    )
    try:
        return wire.BackupBegun(*sidecars.begin(call.house, call.caller.user_id, call.caller.device_id, taken))
    except NoRoom:
        raise Refusal(503, "no-room", _FULL, retry_after=3600) from None


def put_part(call: Call, data: bytes) -> wire.PartTaken:
    """The bytes of a part that was asked for."""
    try:
        done = sidecars.put(call.house, call.caller.user_id, call.caller.device_id, call.parts["sha256"], data)
    except NoRoom:
        raise Refusal(503, "no-room", _FULL, retry_after=3600) from None
    except ValueError:
        raise Refusal(400, "wrong-bytes", "These are not the bytes of that name. Send the part again.") from None
    if done is None:
        raise Refusal(404, "not-missing", "No backup of this device misses this part.")
    return wire.PartTaken(done)


def listed(call: Call) -> wire.Backups:
    """The backups of a file (`file`), newest first. By the server's clock: there is no other in this request."""
    file = call.query.get("file", "")
    if not re.fullmatch("[0-9a-f]{32}", file):
        raise Refusal(400, "not-understood", "The file is named by its partial MD5.")
    with call.house.database.read() as session:
        found = sidecars.backups_of(session, call.caller.user_id, file)
        return wire.Backups([_shown(call, session, one) for one in found])


def one(call: Call) -> wire.BackupShown:
    """A backup with its parts."""
    with call.house.database.read() as session:
        made = _backup(call, session)
        shown = _shown(call, session, made)
        shown.parts = [wire.PartSaid(one["name"], one["size"], one["mtime"], one["sha256"]) for one in made.parts]
        shown.location, shown.book_path, shown.koreader, shown.file = (
            made.location or None,
            made.book_path or None,
            made.koreader or None,
            made.file,
        )
        return shown


def part(call: Call) -> FileAnswer:
    """The bytes of a part."""
    with call.house.database.read() as session:
        made = _backup(call, session)
    found = next((each for each in made.parts if each["name"] == call.parts["name"]), None)
    path = sidecars.path_of_part(call.house, found["sha256"]) if found is not None else None
    if path is None or not path.is_file():
        raise Refusal(404, "no-part", "This part of the backup is not there.")
    return FileAnswer(path, 0, path.stat().st_size, 200, {"content-type": "application/octet-stream"})


def _backup(call: Call, session: Session) -> SidecarBackup:
    text = call.parts["backup"]
    made = sidecars.backup(session, call.caller.user_id, int(text)) if re.fullmatch(r"\d{1,18}", text) else None
    if made is None:
        raise Refusal(404, "no-backup", "There is no such backup.")
    return made


def _shown(call: Call, session: Session, made: SidecarBackup) -> wire.BackupShown:
    device = session.get_one(Device, made.device_id)
    return wire.BackupShown(
        backup=made.id or 0,
        taken_at=int(made.taken_at.timestamp()),
        device=device.name,
        here=device.id == call.caller.device_id,
        size=made.size,
        title=made.title or None,
        annotations=made.annotations,
        percent=made.percent,
    )
