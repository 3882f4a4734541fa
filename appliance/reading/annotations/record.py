"""Annotations of all devices: what a device says goes in through `exchange`, is merged, and is kept for good.

The journal gets what was said and what was done; `effects` folds the latter. Places are looked up before the write
transaction begins.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Select, Text, bindparam, cast, delete, insert, or_, select
from sqlmodel import Session

from appliance.house import House
from appliance.models import Annotation, DeviceAnnotation
from appliance.reading.annotations import journal
from appliance.reading.annotations.effects import Row
from appliance.reading.annotations.exchange import Exchange
from appliance.reading.annotations.links import Link, Links, absent, is_known
from appliance.reading.annotations.locate import locate_range, open_files
from appliance.reading.annotations.projection import ProjectedAnnotation, project_annotations
from appliance.reading.annotations.report import Answer, Caller, Deletion, Said
from appliance.reading.annotations.rows import AT_ONCE, as_dicts, update_rows
from appliance.reading.feed import take_versions
from appliance.reading.turn import take_turn

_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]
_HELD = DeviceAnnotation.__table__  # type: ignore[attr-defined]

_LINKS = select(_HELD).where(_HELD.c.device_id == bindparam("device_id"), _HELD.c.book_id == bindparam("book_id"))
_ROWS = select(_ANNOTATION).where(
    _ANNOTATION.c.user_id == bindparam("user_id"), _ANNOTATION.c.book_id == bindparam("book_id")
)
_MANY: BindParameter[Any] = bindparam("many", expanding=True)
_LINKS_NAMED = _LINKS.where(_HELD.c.native_id.in_(_MANY))
_LINKS_TO = _LINKS.where(_HELD.c.annotation_id.in_(_MANY))
# What `Links` looks at when a device is offered something, or followed: a third of a row.
_STATE = [_ANNOTATION.c[name] for name in ("id", "version", "versions", "changed_at", "deleted_at")]
_STATES = select(*_STATE).where(_ANNOTATION.c.id.in_(_MANY))
# What tells whether a device says anything new: a thousand of them are read with each sync.
_KNOWN = select(_HELD.c.native_id, _HELD.c.annotation_id, _HELD.c.held_version, _HELD.c.fingerprint).where(
    _HELD.c.device_id == bindparam("device_id"), _HELD.c.book_id == bindparam("book_id")
)
_KNOWN_OF_KOBO = _KNOWN.add_columns(_HELD.c.claimed_at)
# All but what the device is known to hold as it is now, in the file it has now: `due` looks at these only.
_MAYBE_DUE = or_(
    _HELD.c.annotation_id.is_(None),
    _HELD.c.held_version < _ANNOTATION.c.version,
    _HELD.c.gone_at.is_not(None),
    _HELD.c.sha256.is_distinct_from(bindparam("sha256")),
    _ANNOTATION.c.deleted_at.is_not(None),
)
_LINK_TO = (_HELD.c.annotation_id == _ANNOTATION.c.id) & (_HELD.c.device_id == bindparam("device_id"))
_ROWS_MAYBE_DUE = _ROWS.select_from(_ANNOTATION.outerjoin(_HELD, _LINK_TO)).where(_MAYBE_DUE)
_LINKS_MAYBE_DUE = _LINKS.join_from(_HELD, _ANNOTATION, _LINK_TO).where(_MAYBE_DUE)
# All that a device has to confirm, or has to be known to have dropped: `follow_all` looks at these only.
_UNANSWERED = or_(
    cast(_HELD.c.given, Text) != "[]",
    _HELD.c.gone_at.is_(None) & _ANNOTATION.c.deleted_at.is_not(None),
)
_STATES_UNANSWERED = _ROWS.join_from(_ANNOTATION, _HELD, _LINK_TO).where(_UNANSWERED).with_only_columns(*_STATE)
_LINKS_UNANSWERED = _LINKS.join_from(_HELD, _ANNOTATION, _LINK_TO).where(_UNANSWERED)


@dataclass(frozen=True, slots=True)
class Survey:
    """`projected`: what lives, and what the device has to be told is gone. `rows`, `links`: all, by annotation."""

    projected: list[ProjectedAnnotation]
    rows: Mapping[str, Row]
    links: Mapping[str, Link]


def exchange(
    house: House,
    caller: Caller,
    said: Sequence[Said],
    deletions: Sequence[Deletion] = (),
    *,
    complete: bool = False,
    is_foreign: bool = False,
) -> list[Answer]:
    """Take in what a device says of its annotations in one book; returns what became of each, in order, those it
    deleted last. All of it is committed, journal and all, when this returns; what the device said before costs a look.

    `complete`: this is all that the device has. What else it was known to hold it has lost, which is no deletion: it
    is offered again. `is_foreign`: so it is, and from a file that this device did not write last: copied from another
    one, or put back from a backup. Then nothing that differs is taken for a change made on this device.
    """
    names = {one.native_id for one in said} | {one.native_id for one in deletions}
    with house.database.read() as session:
        connection = session.connection()
        known = _known(connection, caller)
        news = [one for one in said if is_foreign or not _is_known(one, known.get(one.native_id), caller)]
        is_short = complete and not known.keys() <= names
        links = _links(connection, caller) if news or is_short or is_foreign else {}
        files = open_files(house, session, caller.book_id, caller.sha256) if news else None
        places = {
            one.native_id: locate_range(files, caller.dialect, one.range, one.words)
            for one in sorted(news, key=lambda one: str(one.range))  # document by document
            if one.range is not None and (is_foreign or not _is_same_range(one, links.get(one.native_id)))
        }
    answers = {
        name: Answer(name, "echo", "unchanged", annotation_id, version)
        for name, (annotation_id, version, *_) in known.items()
    }
    gone: list[Answer] = []
    lost = absent(links, names) if is_short else []
    if news or deletions or lost or (is_foreign and links):
        with house.database.write() as session:
            connection = session.connection()
            take_turn(connection, caller.user_id)
            # A list of all that the device has has nothing that it deleted. Who numbers its operations sends them in
            # order, and may give a name again.
            is_part = not (complete or is_foreign or caller.is_person)
            unnumbered = [one.native_id for one in news if is_part and one.operation_id is None]
            deleted = journal.deleted_names(connection, caller, unnumbered)
            operations = [*(one.operation_id for one in news), *(one.operation_id for one in deletions)]
            count = len(news) + len(deletions) + len(deleted)
            work = Exchange(
                caller,
                _rows(connection, caller),
                _links(connection, caller),
                journal.done(connection, caller, operations),
                take_versions(connection, caller.user_id, count) if count else 0,
                deleted_names=deleted,
                former_notes=journal.former_notes(connection, caller) if is_foreign else None,
            )
            if is_foreign:
                work.links.distrust(work.rows)
            elif complete:
                work.links.miss(names, work.rows)
            else:
                work.links.speaks_of(names, work.rows)
            gone = work.delete(deletions, journal.deleted_lately(connection, caller) if deletions else 0)
            for one in news:
                answers[one.native_id] = work.take(one, places.get(one.native_id))
            store(connection, work)
    return [*(answers[one.native_id] for one in said), *gone]


def offer(house: House, caller: Caller) -> list[ProjectedAnnotation]:
    """What the device has to be told of its book, in its own words. It is remembered as offered, not as held, until
    the device says so (`follow`) or shows it in what it says next."""
    with house.database.read() as session:
        rows, links = _maybe_due(session.connection(), caller)
        by_annotation = {link["annotation_id"]: link for link in links.values()}
        everything = project_annotations(house, session, caller, rows.values(), by_annotation)
    wanted = [one for one in everything if one.due is not None and (one.is_sure or one.due == "remove")]
    given = [one for one in wanted if one.due != "remove"]
    if given:
        with house.database.write() as session:
            connection = session.connection()
            take_turn(connection, caller.user_id)
            rows, links = _maybe_due(connection, caller)
            held = Links(caller, links)
            for one in given:
                row = rows.get(one.row["id"])
                if row is not None and row["version"] == one.row["version"]:
                    held.offer(row, {**one.fields, "range": one.range})
            _store_links(connection, caller, held)
    return wanted


def follow(house: House, caller: Caller, followed: Mapping[str, int]) -> None:
    """The device holds what it was offered, or has deleted what it was told to: version by native id."""
    if followed:
        with house.database.write() as session:
            connection = session.connection()
            take_turn(connection, caller.user_id)
            links = _some(connection, caller, _LINKS_NAMED, "native_id", [*followed])
            ids = [link["annotation_id"] for link in links.values()]
            rows, held = _some(connection, caller, _STATES, "id", ids), Links(caller, links)
            for native_id, version in followed.items():
                held.follow(native_id, version, rows)
            _store_links(connection, caller, held)


def outstanding(
    house: House, session: Session, caller: Caller, enough: int, can_be_told: Callable[[ProjectedAnnotation], bool]
) -> list[ProjectedAnnotation]:
    """What the device has to be told of its book, in its own words, and what it should be told and cannot; of what
    `can_be_told` at least `enough`, in the order of the book. `offer_these` remembers what it is told. Opens files only
    where there is anything."""
    connection = session.connection()
    rows = sorted(
        _rows(connection, caller, _ROWS_MAYBE_DUE).values(), key=lambda row: (row["first"] is None, row["first"])
    )
    found: list[ProjectedAnnotation] = []
    if rows:
        links = _links(connection, caller, _LINKS_MAYBE_DUE)
        by_annotation = {link["annotation_id"]: link for link in links.values()}
        for at in range(0, len(rows), enough):
            projected = project_annotations(house, session, caller, rows[at : at + enough], by_annotation)
            found += [one for one in projected if one.due is not None]
            if sum(map(can_be_told, found)) >= enough:
                break
    return found


def survey(house: House, session: Session, caller: Caller) -> Survey:
    """All annotations of the person in the book, as the device needs them and as it holds them: for one that takes what
    it is given for its whole set. Opens files."""
    connection = session.connection()
    rows = _rows(connection, caller)
    links = {link["annotation_id"]: link for link in _links(connection, caller).values()}
    return Survey(project_annotations(house, session, caller, rows.values(), links), rows, links)


def offer_these(house: House, caller: Caller, offered: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
    """The device is being told of annotations: their ids, versions, and fields with the range in its own spelling. One
    that changed meanwhile is not noted; the device is told of it again."""
    if offered:
        with house.database.write() as session:
            connection = session.connection()
            take_turn(connection, caller.user_id)
            ids = [annotation_id for annotation_id, *_ in offered]
            rows = _some(connection, caller, _STATES, "id", ids)
            held = Links(caller, _some(connection, caller, _LINKS_TO, "native_id", ids))
            for annotation_id, version, fields in offered:
                if rows[annotation_id]["version"] == version:
                    held.offer(rows[annotation_id], fields)
            _store_links(connection, caller, held)


def follow_all(house: House, caller: Caller, version: int) -> None:
    """The device took what it was offered for its whole set, as the person's annotations were at feed number
    `version`."""
    with house.database.write() as session:
        connection = session.connection()
        take_turn(connection, caller.user_id)
        rows = _rows(connection, caller, _STATES_UNANSWERED)
        held = Links(caller, _links(connection, caller, _LINKS_UNANSWERED))
        held.follow_all(version, rows)
        _store_links(connection, caller, held)


def _is_same_range(said: Said, link: Link | None) -> bool:
    return link is not None and link["held"].get("range") == said.range


class _Known(NamedTuple):
    """What a device is known to hold of an annotation. `fingerprint`: empty for what it has to say once more."""

    annotation_id: str
    version: int
    fingerprint: str
    claimed_at: datetime | None = None


def _is_known(said: Said, known: _Known | None, caller: Caller) -> bool:
    return known is not None and is_known(said, known.fingerprint, known.claimed_at, caller)


def _known(connection: Connection, caller: Caller) -> dict[str, _Known]:
    """By native id."""
    if caller.is_person:
        return {}
    query = _KNOWN_OF_KOBO if caller.surface == "kobo" else _KNOWN
    return {name: _Known(*known) for name, *known in connection.execute(query, _ids(caller))}


def _maybe_due(connection: Connection, caller: Caller) -> tuple[dict[str, Row], dict[str, Link]]:
    return _rows(connection, caller, _ROWS_MAYBE_DUE), _links(connection, caller, _LINKS_MAYBE_DUE)


def _links(connection: Connection, caller: Caller, query: Select[Any] = _LINKS) -> dict[str, Link]:
    if caller.is_person:
        return {}
    return {row["native_id"]: row for row in as_dicts(connection.execute(query, _ids(caller)))}


def _some(
    connection: Connection, caller: Caller, query: Select[Any], name: str, many: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """By the column `name`. `query`: one that asks for `_MANY`."""
    found: dict[str, dict[str, Any]] = {}
    for at in range(0, len(many), AT_ONCE):
        result = connection.execute(query, {**_ids(caller), "many": many[at : at + AT_ONCE]})
        found |= {one[name]: one for one in as_dicts(result)}
    return found


def _rows(connection: Connection, caller: Caller, query: Select[Any] = _ROWS) -> dict[str, Row]:
    return {row["id"]: row for row in as_dicts(connection.execute(query, _ids(caller)))}


def _ids(caller: Caller) -> dict[str, Any]:
    return {
        "user_id": caller.user_id,
        "device_id": caller.device_id,
        "book_id": caller.book_id,
        "sha256": caller.sha256,
    }


def store(connection: Connection, work: Exchange) -> None:
    """Write what an exchange worked out: journal, rows and links. The caller's transaction commits it."""
    journal.append(connection, work.caller, work.entries)
    new = [row for row in work.changed.values() if row["id"] in work.created]
    if new:
        connection.execute(insert(_ANNOTATION), new)
    update_rows(connection, [row for row in work.changed.values() if row["id"] not in work.created])
    _store_links(connection, work.caller, work.links)


def _store_links(connection: Connection, caller: Caller, links: Links) -> None:
    stale = [*links.dropped, *links.changed]
    for at in range(0, len(stale), AT_ONCE):
        these = _HELD.c.annotation_id.in_(stale[at : at + AT_ONCE])
        connection.execute(delete(_HELD).where(_HELD.c.device_id == caller.device_id, these))
    if links.changed:
        connection.execute(insert(_HELD), list(links.changed.values()))
