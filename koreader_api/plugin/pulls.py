"""What there is for one file on a device: the person's place, the book's state, and what to do with annotations
(docs/plugin-protocol.md, Pulls).

Annotations are only offered: the device has them when it says so.
"""

from datetime import datetime

import msgspec
from sqlmodel import Session

from appliance import models
from appliance.library.chapters import chapter_names
from appliance.library.file_links import Which
from appliance.library.renditions import open_rendition
from appliance.models import BookState, Rendition
from appliance.positions.book import UNREADABLE
from appliance.reading.annotations.projection import ProjectedAnnotation
from appliance.reading.annotations.record import offer_these, outstanding
from appliance.reading.annotations.refusals import refused_versions
from appliance.reading.book_state.rule import whole_stars
from appliance.reading.progress.projection import Projected, project
from koreader_api.drawers import drawer
from koreader_api.given_place import remember_given
from koreader_api.plugin import sync_wire as wire
from koreader_api.plugin.annotation_operation import caller_of
from koreader_api.plugin.call import Call, DeviceClock
from koreader_api.plugin.limits import GIVEN
from koreader_api.plugin.matching import shown_book
from koreader_api.plugin.state_operation import STATUSES
from koreader_api.spelling import percent_there, spelling

MOST_UNPLACED = 20
PEN_STROKES = "markup"  # which KOReader does not have
MOST_WORDS = 100  # characters of the words at a place


class Room:
    """How many bytes are left in an answer."""

    def __init__(self, left: int) -> None:
        self.left = left

    def takes(self, piece: object) -> bool:
        """Whether it still fits; if it does, it is in."""
        size = len(msgspec.json.encode(piece)) + 1
        if size > self.left:
            return False
        self.left -= size
        return True


def pull(call: Call, clock: DeviceClock, file: str, which: Which, room: Room) -> wire.Pulled:
    """What there is for a file. To one whose bytes are not known no places are given: nobody knows what they would
    point to."""
    if which.book_id is None:
        return wire.Pulled(file, "none")
    with call.house.database.read() as session:
        pulled = wire.Pulled(
            file,
            which.how,
            shown_book(session.get_one(models.Book, which.book_id)),
            _progress(call, session, clock, file, which),
            _state(session, call.caller.user_id, which.book_id),
        )
    room.takes(pulled)
    if which.sha256 is not None:
        _give(call, clock, which, pulled, room)
    return pulled


def _progress(call: Call, session: Session, clock: DeviceClock, file: str, which: Which) -> wire.ProgressPulled | None:
    user_id, device_id, book_id = call.caller.user_id, call.caller.device_id, str(which.book_id)
    sha256 = which.sha256 or session.get_one(models.Book, book_id).main_sha256
    if sha256 is None:
        return None
    dialect = spelling(session, user_id, [device_id], file)
    projected = project(call.house, session, user_id, book_id, sha256, dialect, device_id)
    if projected is None:
        return None
    locator = projected.encoded.locator if which.sha256 is not None else None
    shown = wire.ProgressPulled(
        version=projected.version,
        percent=projected.fraction,
        status=projected.encoded.status.value if locator is not None else "failed",
        at=clock.shown(projected.activity_at),
        device=projected.device.name,
        here=projected.device.id == device_id,
        reason=str(projected.encoded.reason) or None,
        **_words(call, session, projected, sha256),
    )
    if locator is None:
        shown.reason = "other-file" if which.sha256 is None else shown.reason
        return shown
    shown.locator = str(locator)
    shown.percent = percent_there(session, device_id, file, book_id, sha256, projected)
    remember_given(call.house, session, device_id, book_id, projected)
    return shown


def _words(call: Call, session: Session, projected: Projected, sha256: str) -> dict[str, str]:
    """The chapter and the first words at a place."""
    position = projected.place.position
    if position is None:
        return {}
    found: dict[str, str] = {}
    rendition = session.get(Rendition, sha256)
    chapter = chapter_names(rendition).get(position.document) if rendition is not None else None
    if chapter:
        found["chapter"] = chapter[:200]
    book = open_rendition(call.house, session, sha256)
    try:
        text = book.quote(position, 0, 0).display if book is not None else ""
    except (*UNREADABLE, ValueError):
        text = ""
    return found | ({"text": text[:MOST_WORDS]} if text else {})


def _state(session: Session, user_id: int, book_id: str) -> wire.StatePulled | None:
    state = session.get(BookState, (user_id, book_id))
    if state is None:
        return None
    status = next(theirs for theirs, ours in STATUSES.items() if ours == state.status)
    rating = whole_stars(state.rating)
    return wire.StatePulled(state.version, status, rating, state.review or None)


def _give(call: Call, clock: DeviceClock, which: Which, pulled: wire.Pulled, room: Room) -> None:
    caller = caller_of(call, clock, which)
    with call.house.database.read() as session:
        refused = refused_versions(session, caller.device_id, caller.book_id)

        def can_be_told(one: ProjectedAnnotation) -> bool:
            if one.due == "remove":
                return True
            is_refused = refused.get(one.row["id"]) == one.row["version"]
            return one.is_sure and one.row["kind"] != PEN_STROKES and not is_refused

        everything = outstanding(call.house, session, caller, GIVEN + 1, can_be_told)
    due = [one for one in everything if can_be_told(one)]
    unplaced = [one for one in everything if not can_be_told(one) and one.row["kind"] != PEN_STROKES]
    given: list[wire.AnnotationPulled] = []
    offered = []
    for one in due[:GIVEN]:
        item = _annotation(one, clock)
        if not room.takes(item):
            break
        given.append(item)
        if one.due != "remove":
            offered.append((one.row["id"], one.row["version"], {**one.fields, "range": one.range}))
    offer_these(call.house, caller, offered)
    pulled.annotations = given or None
    pulled.more = len(given) < len(due)
    shown = [
        wire.Unplaced(one.fields["text"][:200], one.fields["note"][:200], str(one.reason) or "not-placed")
        for one in unplaced[:MOST_UNPLACED]
    ]
    pulled.unplaced = [one for one in shown if room.takes(one)] or None


def _annotation(one: ProjectedAnnotation, clock: DeviceClock) -> wire.AnnotationPulled:
    row = one.row
    if one.due == "remove":
        return wire.AnnotationPulled("remove", one.native_id, row["version"], row["kind"])
    pos0, pos1 = one.range if isinstance(one.range, list | tuple) else (one.range, None)
    times = [datetime.fromisoformat(at) for at in row["times"].values()]
    is_highlight = row["kind"] == "highlight"
    return wire.AnnotationPulled(
        do=str(one.due),
        name=one.native_id,
        version=row["version"],
        type=row["kind"],
        pos0=pos0,
        pos1=pos1,
        text=one.fields["text"] or None,
        before=row["quote"].get("prefix") or None,
        after=row["quote"].get("suffix") or None,
        note=one.fields["note"] or None,
        colour=one.fields["colour"] if is_highlight else None,
        style=drawer(one.fields["style"]) if is_highlight else None,
        chapter=row["chapter"] or None,
        created_at=clock.shown(row["created_at"]),
        changed_at=clock.shown(max(times, default=row["created_at"])),
        native=dict(one.native) or None,
    )
