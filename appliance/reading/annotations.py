"""Annotations of all devices: what a device says goes in through `exchange`, is merged, and is kept for good.

The journal gets what was said and what was done; `annotation_effects` folds the latter. Places are looked up before
the write transaction begins.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from appliance.house import House
from appliance.models import Annotation, DeviceAnnotation
from appliance.reading import annotation_journal as journal
from appliance.reading.annotation_effects import Row
from appliance.reading.annotation_exchange import Exchange
from appliance.reading.annotation_links import Link, Links, absent
from appliance.reading.annotation_projection import ProjectedAnnotation, project_annotations
from appliance.reading.annotation_report import Answer, Caller, Deletion, Said
from appliance.reading.feed import take_versions
from appliance.reading.locate_range import locate_range
from appliance.reading.turn import take_turn

_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]
_HELD = DeviceAnnotation.__table__  # type: ignore[attr-defined]

_LINKS = select(_HELD).where(_HELD.c.device_id == bindparam("device_id"), _HELD.c.book_id == bindparam("book_id"))
_ROWS = select(_ANNOTATION).where(
    _ANNOTATION.c.user_id == bindparam("user_id"), _ANNOTATION.c.book_id == bindparam("book_id")
)
_UPDATE_ROW = update(_ANNOTATION).where(_ANNOTATION.c.id == bindparam("this_id"))


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
    with house.database.read() as session:
        links = _links(session.connection(), caller)
        news = [one for one in said if is_foreign or not _is_known(one, links.get(one.native_id))]
        places = {
            one.native_id: locate_range(
                house, session, caller.book_id, caller.sha256, caller.dialect, one.range, one.fields.get("text", "")
            )
            for one in news
            if one.range is not None and (is_foreign or not _is_same_range(one, links.get(one.native_id)))
        }
    answers = {
        name: Answer(name, "echo", "unchanged", link["annotation_id"], link["held_version"])
        for name, link in links.items()
    }
    gone: list[Answer] = []
    names = set() if is_foreign else {one.native_id for one in said} | {one.native_id for one in deletions}
    lost = absent(links, names) if complete or is_foreign else []
    if news or deletions or lost:
        with house.database.write() as session:
            connection = session.connection()
            operations = [*(one.operation_id for one in news), *(one.operation_id for one in deletions)]
            work = _exchange(connection, caller, len(news) + len(deletions), operations)
            if lost:
                work.links.miss(names, work.rows)
            gone = work.delete(deletions, journal.deleted_lately(connection, caller) if deletions else 0)
            for one in news:
                answers[one.native_id] = work.take(one, places.get(one.native_id))
            _store(connection, work)
    return [*(answers[one.native_id] for one in said), *gone]


def offer(house: House, caller: Caller) -> list[ProjectedAnnotation]:
    """What the device has to be told of its book, in its own words. It is remembered as offered, not as held, until
    the device says so (`follow`) or shows it in what it says next."""
    with house.database.read() as session:
        connection = session.connection()
        rows, links = _rows(connection, caller), _links(connection, caller)
        by_annotation = {link["annotation_id"]: link for link in links.values()}
        everything = project_annotations(house, session, caller, rows.values(), by_annotation)
    wanted = [one for one in everything if one.due is not None and (one.is_sure or one.due == "remove")]
    given = [one for one in wanted if one.due != "remove"]
    if given:
        with house.database.write() as session:
            connection = session.connection()
            rows, held = _held(connection, caller)
            for one in given:
                if rows[one.row["id"]]["version"] == one.row["version"]:
                    held.offer(rows[one.row["id"]], {**one.fields, "range": one.range})
            _store_links(connection, caller, held)
    return wanted


def follow(house: House, caller: Caller, followed: Mapping[str, int]) -> None:
    """The device holds what it was offered, or has deleted what it was told to: version by native id."""
    if followed:
        with house.database.write() as session:
            connection = session.connection()
            rows, held = _held(connection, caller)
            for native_id, version in followed.items():
                held.follow(native_id, version, rows)
            _store_links(connection, caller, held)


def _exchange(connection: Connection, caller: Caller, count: int, operations: Sequence[str | None]) -> Exchange:
    take_turn(connection, caller.user_id)
    version = take_versions(connection, caller.user_id, count) if count else 0
    done = journal.done(connection, caller, operations)
    return Exchange(caller, _rows(connection, caller), _links(connection, caller), done, version)


def _held(connection: Connection, caller: Caller) -> tuple[dict[str, Row], Links]:
    take_turn(connection, caller.user_id)
    return _rows(connection, caller), Links(caller, _links(connection, caller))


def _is_known(said: Said, link: Link | None) -> bool:
    return link is not None and link["gone_at"] is None and link["fingerprint"] == said.fingerprint


def _is_same_range(said: Said, link: Link | None) -> bool:
    return link is not None and link["held"].get("range") == said.range


def _links(connection: Connection, caller: Caller) -> dict[str, Link]:
    if caller.is_person:
        return {}
    rows = connection.execute(_LINKS, {"device_id": caller.device_id, "book_id": caller.book_id}).mappings()
    return {row["native_id"]: dict(row) for row in rows}


def _rows(connection: Connection, caller: Caller) -> dict[str, Row]:
    rows = connection.execute(_ROWS, {"user_id": caller.user_id, "book_id": caller.book_id}).mappings()
    return {row["id"]: dict(row) for row in rows}


def _store(connection: Connection, work: Exchange) -> None:
    journal.append(connection, work.caller, work.entries)
    new = [row for row in work.changed.values() if row["id"] in work.created]
    if new:
        connection.execute(insert(_ANNOTATION), new)
    for row in work.changed.values():
        if row["id"] not in work.created:
            connection.execute(_UPDATE_ROW, {"this_id": row["id"], **{k: v for k, v in row.items() if k != "id"}})
    _store_links(connection, work.caller, work.links)


def _store_links(connection: Connection, caller: Caller, links: Links) -> None:
    stale = [*links.dropped, *links.changed]
    for at in range(0, len(stale), 500):
        these = _HELD.c.annotation_id.in_(stale[at : at + 500])
        connection.execute(delete(_HELD).where(_HELD.c.device_id == caller.device_id, these))
    if links.changed:
        connection.execute(insert(_HELD), list(links.changed.values()))
