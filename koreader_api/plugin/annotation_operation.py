"""`annotations`: what was made, changed and deleted in one file (docs/plugin-protocol.md, Operations)."""

from typing import Any

import msgspec

from appliance.library.file_links import Which
from appliance.models import Book
from appliance.reading.annotations.palette import MAX_LENGTH
from appliance.reading.annotations.record import exchange
from appliance.reading.annotations.report import Answer, Caller, Deletion, Said
from appliance.reading.annotations.unread import keep_unread
from koreader_api.drawers import style_of
from koreader_api.plugin import moved_file
from koreader_api.plugin import sync_wire as wire
from koreader_api.plugin.call import Call, DeviceClock
from koreader_api.plugin.reading_json import NotUnderstood, shape

MAX_RAW = 64 * 1024  # characters kept of what is not understood

# The most that became of anything in an operation is what became of the operation.
_RANKS = ("current", "suggestion", "history", "duplicate", "echo", "rejected")


def take(call: Call, clock: DeviceClock, which: Which, said: wire.AnnotationsSaid) -> wire.OperationAnswer:
    """All that can be understood goes into one exchange, which is one transaction."""
    items: list[wire.AnnotationSaid | wire.AnnotationAnswer] = []
    deletions: list[wire.DeletionSaid | wire.AnnotationAnswer] = []
    unread = [raw for raw in said.changed if not _read(raw, wire.AnnotationSaid, items)]
    for raw in said.deleted:
        _read(raw, wire.DeletionSaid, deletions)
    if unread:
        _keep(call, which, said, unread)
    caller = caller_of(call, clock, which)
    changed = [_said(item, clock, said.id) for item in items if isinstance(item, wire.AnnotationSaid)]
    names = {one.native_id for one in changed}
    if said.moved_from is not None:
        moved_file.bring_back(call, caller, said, names)
    gone = [_deletion(one, clock, said.id) for one in deletions if isinstance(one, wire.DeletionSaid)]
    answers = iter(
        exchange(
            call.house,
            caller,
            changed,
            gone,
            # What was not understood is not missing.
            complete=(said.complete or said.foreign) and not unread,
            is_foreign=said.foreign,
        )
    )
    if said.moved_from is not None:
        moved_file.take_away(call, caller, said, names)
    told = [one if isinstance(one, wire.AnnotationAnswer) else _answer(next(answers)) for one in (*items, *deletions)]
    outcomes = {one.outcome for one in told}
    outcome = next((each for each in _RANKS if each in outcomes), "echo")
    return wire.OperationAnswer(said.id, outcome, "taken", annotations=told)


def caller_of(call: Call, clock: DeviceClock, which: Which) -> Caller:
    """Who speaks, of which file. One whose bytes are not known is read as if it were the book's own; what is said of it
    is checked by its words."""
    assert which.book_id is not None
    sha256 = which.sha256
    if sha256 is None:
        with call.house.database.read() as session:
            sha256 = session.get_one(Book, which.book_id).main_sha256 or ""
    device = call.caller
    return Caller(device.user_id, device.device_id, which.book_id, "koreader", "xpointer", sha256, call.now, clock.skew)


def _read(raw: Any, kind: Any, into: list[Any]) -> bool:
    try:
        into.append(shape(raw, kind))
    except NotUnderstood:
        name = raw.get("name") if isinstance(raw, dict) else ""
        name = name[:64] if isinstance(name, str) else ""
        into.append(wire.AnnotationAnswer(name, "rejected", "not-understood"))
        return False
    return True


def _said(item: wire.AnnotationSaid, clock: DeviceClock, operation: str) -> Said:
    is_range = item.type == "highlight" and item.pos1 is not None
    fields = {"text": item.text, "note": item.note or "", "colour": (item.colour or "")[:MAX_LENGTH] or None}
    if item.style:
        fields["style"] = style_of(item.style)
    if item.type == "bookmark":
        fields.pop("colour", None)
        fields.pop("style", None)
    return Said(
        native_id=item.name,
        kind=item.type,
        range=[item.pos0, item.pos1] if is_range else item.pos0,
        fields={name: value for name, value in fields.items() if value is not None},
        native=item.native,
        chapter=item.chapter or "",
        created_at=clock.past(item.created_at),
        changed_at=clock.past(item.changed_at),
        base_version=item.base,
        operation_id=f"{operation}:{item.name}",
    )


def _deletion(one: wire.DeletionSaid, clock: DeviceClock, operation: str) -> Deletion:
    at = clock.instant(one.at)
    return Deletion(one.name, at, one.base, one.confirmed, f"{operation}:deleted:{one.name}")


def _answer(answer: Answer) -> wire.AnnotationAnswer:
    return wire.AnnotationAnswer(
        answer.native_id, answer.outcome, answer.reason, answer.annotation_id, answer.version, answer.deleted
    )


def _keep(call: Call, which: Which, said: wire.AnnotationsSaid, unread: list[Any]) -> None:
    """Words that somebody wrote may be in it."""
    with call.house.database.write() as session:
        keep_unread(
            session.connection(),
            user_id=call.caller.user_id,
            device_id=call.caller.device_id,
            book_id=which.book_id,
            asked_for=said.file,
            dialect="xpointer",
            texts=[msgspec.json.encode(raw).decode()[:MAX_RAW] for raw in unread[:100]],
            received_at=call.now,
        )
