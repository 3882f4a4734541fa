"""One exchange: operations up, what there is for some files down, and which books changed (docs/plugin-protocol.md).

Operations are taken in order, each for itself; what makes no sense is rejected alone. Each is committed when the answer
comes, and may be sent again. What goes wrong here and not there is never an answer to an operation.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy.exc import DBAPIError

from appliance.library.file_links import Which, identify
from appliance.reading import feed
from koreader_api.plugin import annotation_operation, followed_operation, pulls, state_operation
from koreader_api.plugin import progress_operation as progress
from koreader_api.plugin import session_operation as reading
from koreader_api.plugin import sync_wire as wire
from koreader_api.plugin.call import Call, DeviceClock, Refusal
from koreader_api.plugin.limits import ANSWER, OPERATIONS, PULLS
from koreader_api.plugin.reading_json import NotUnderstood, shape

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """`needs_book`: it is about a book of the library, so that a file of none has to be sent again."""

    said: type[wire.Operation]
    take: Callable[..., wire.OperationAnswer]
    needs_book: bool = True


KINDS: Final[dict[str, Kind]] = {
    "progress": Kind(wire.ProgressSaid, progress.take),
    "annotations": Kind(wire.AnnotationsSaid, annotation_operation.take),
    "followed": Kind(wire.FollowedSaid, followed_operation.take),
    "state": Kind(wire.StateSaid, state_operation.take),
    "session": Kind(wire.SessionSaid, reading.take, needs_book=False),
}


def sync(call: Call, said: wire.Sync) -> wire.Synced:
    """Take in operations, answer pulls, and name the books of which something changed."""
    if len(said.operations) > OPERATIONS or len(said.pull) > PULLS:
        raise Refusal(413, "too-large", "These are too many operations or pulls at once. Send half.")
    clock = call.clock(said.clock)
    files = Files(call)
    answers = [_take(call, clock, files, raw) for raw in said.operations]
    room = pulls.Room(ANSWER - len(msgspec.json.encode(answers)))
    pulled = [pulls.pull(call, clock, one.file, files.which(one.file), room) for one in said.pull]
    return wire.Synced(answers, pulled, _changed(call, said) if said.since is not None else None)


class Files:
    """Which book each file is, looked up once in a request."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._found: dict[str, Which] = {}

    def which(self, file: str) -> Which:
        if file not in self._found:
            with self._call.house.database.read() as session:
                self._found[file] = identify(session, self._call.caller.user_id, file)
        return self._found[file]


def _take(call: Call, clock: DeviceClock, files: Files, raw: Any) -> wire.OperationAnswer:
    name = raw.get("id") if isinstance(raw, dict) else None
    id = name if isinstance(name, str) else ""
    kind = KINDS.get(str(raw.get("kind"))) if isinstance(raw, dict) else None
    if kind is None:
        return wire.OperationAnswer(id[:64], "rejected", "unknown-kind")
    try:
        said = shape(raw, kind.said)
    except NotUnderstood as error:
        logger.warning("device %d sent an operation that was not understood: %s", call.caller.device_id, error)
        return wire.OperationAnswer(id[:64], "rejected", "not-understood")
    which = files.which(said.file)
    if which.book_id is None and kind.needs_book:
        return wire.OperationAnswer(id, "unmatched", "unknown-book")
    try:
        return kind.take(call, clock, which, said)
    except (DBAPIError, OSError, MemoryError):
        raise  # a full disk, a busy database: the device keeps it all and tries again
    except Exception:
        # Our fault. If it were answered with an error, the device could never send what stands behind it.
        logger.exception("an operation %r of device %d failed", raw.get("kind"), call.caller.device_id)
        return wire.OperationAnswer(id, "rejected", "failed")


def _changed(call: Call, said: wire.Sync) -> wire.Changed:
    with call.house.database.read() as session:
        changes = feed.changes(session, call.caller.user_id, said.since or 0, said.until)
    books = list(dict.fromkeys(item.book_id for item in changes.items))
    return wire.Changed(books, changes.after, changes.more, changes.until)
