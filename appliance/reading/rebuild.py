"""Derive the present state of the reading record again from its facts: the journal, and the events of reading time.

What was done is in the journal as effects, so that folding them gives the very rows that are there. Where it does not,
the rows are put right and what differed is told. Two things are not in the journal and are kept as they are: what was
derived before effects were written down, and a current position that was carried over to a replaced file.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, union, update
from sqlmodel import Session

from appliance.house import House
from appliance.models import Annotation, BookState, Feed, JournalEntry, Progress, ReadingSession
from appliance.reading.annotations.effects import fold
from appliance.reading.book_state.rule import FIELDS, FINISHED, fold_state
from appliance.reading.clock import happened, skew_of
from appliance.reading.sessions import record as reading_time
from appliance.reading.turn import take_turn

_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]
_PROGRESS = Progress.__table__  # type: ignore[attr-defined]
_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]
_STATE = BookState.__table__  # type: ignore[attr-defined]
_SESSION = ReadingSession.__table__  # type: ignore[attr-defined]
_FEED = Feed.__table__  # type: ignore[attr-defined]

_PLACE = ("reference_sha256", "document", "occurrence", "k", "tick", "total", "fraction")
_ENTRIES = (
    select(_JOURNAL)
    .where(_JOURNAL.c.user_id == bindparam("user_id"), _JOURNAL.c.book_id == bindparam("book_id"))
    .order_by(_JOURNAL.c.id)
    .execution_options(yield_per=500)
)

Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that was not what the journal says. `kind`: progress, annotation, state or session; `key`: the annotation's
    id, else the book's. `columns`: those that differed; empty for a row that was missing. `is_unknown`: the journal has
    nothing of it, so it was left alone."""

    user_id: int
    book_id: str
    kind: str
    key: str
    columns: tuple[str, ...] = ()
    is_unknown: bool = False


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did. `books`: of each person, counted once for each; `kept`: rows of which a part is older than
    the effects in the journal."""

    people: int = 0
    books: int = 0
    entries: int = 0
    kept: int = 0
    differences: list[Difference] = field(default_factory=list)


@dataclass(slots=True)
class _Folded:
    """One book of a person, folded from its entries. `is_old`: entries from before effects were written moved it."""

    progress: Columns | None = None
    state: Columns | None = None
    annotations: dict[str, Columns] = field(default_factory=dict)
    entries: int = 0
    is_old: bool = False
    epoch_is_old: bool = False
    old_status: str = "reading"


def rebuild(house: House, watch: Callable[[int, int], None] = lambda done, total: None) -> Rebuilt:
    """Derive everything again, one transaction for each person. `watch` is told how many books of how many are done."""
    with house.database.read() as session:
        people = session.connection().execute(select(_JOURNAL.c.user_id).distinct().order_by(_JOURNAL.c.user_id))
        books = {user_id: _books(session.connection(), user_id) for user_id in people.scalars().all()}
    total = sum(map(len, books.values()))
    result = Rebuilt()
    for user_id in books:
        result.people += 1
        with house.database.write() as session:
            rebuild_person(session, user_id, result, lambda: watch(result.books, total))
    watch(total, total)
    return result


def rebuild_person(session: Session, user_id: int, result: Rebuilt, watch: Callable[[], None] = lambda: None) -> None:
    """Derive what one person has again, and add to `result`. The caller's transaction commits it."""
    connection = session.connection()
    take_turn(connection, user_id)
    newest = 0
    for book_id in _books(connection, user_id):
        ids = {"user_id": user_id, "book_id": book_id}
        with connection.execute(_ENTRIES, ids) as entries:
            folded = _fold(dict(entry) for entry in entries.mappings())
        newest = max(newest, _put(connection, ids, folded, result))
        result.books += 1
        result.entries += folded.entries
        watch()
    _check_feed(connection, user_id, newest)
    _rebuild_sessions(session, user_id, result)


def _books(connection: Connection, user_id: int) -> list[str]:
    tables = (_JOURNAL, _PROGRESS, _ANNOTATION, _STATE)
    parts = [
        select(table.c.book_id).where(table.c.user_id == user_id, table.c.book_id.is_not(None)) for table in tables
    ]
    return sorted(connection.execute(union(*parts)).scalars())


# -- what the journal says


def _fold(entries: Iterable[Mapping[str, Any]]) -> _Folded:
    folded = _Folded()
    for entry in entries:
        folded.entries += 1
        if entry["effects"] is None:
            if entry["kind"] == "progress" and entry["outcome"] == "current":
                _fold_old(folded, entry)
            continue
        for effect in entry["effects"]:
            if effect["do"] == "move":
                folded.progress = _moved(folded.progress, entry, effect)
                folded.epoch_is_old = False
            elif effect["do"] == "state":
                folded.state = fold_state(folded.state, effect)
            else:
                folded.annotations[effect["id"]] = fold(folded.annotations.get(effect["id"]), effect)
    return folded


def _fold_old(folded: _Folded, entry: Mapping[str, Any]) -> None:
    """A move of before effects were written. Its epoch and the status that followed stand only in the row itself; where
    that is gone, they are guessed."""
    epoch = folded.progress["epoch"] if folded.progress else 1
    folded.progress = _moved(folded.progress, entry, {"version": 0, "epoch": epoch})
    folded.is_old = folded.epoch_is_old = True
    finished = entry["reason"] == "finished" or (folded.progress.get("fraction") or 0.0) >= FINISHED
    folded.old_status = "finished" if finished else "reading"


def _moved(row: Columns | None, entry: Mapping[str, Any], effect: Mapping[str, Any]) -> Columns:
    moved: Columns = {
        **(row or {**dict.fromkeys(_PLACE), "occurrence": 0}),
        "entry_id": entry["id"],
        "version": row["version"] + 1 if row else 1,
        "epoch": effect["epoch"],
        "activity_at": happened(entry["claimed_at"], entry["received_at"], skew_of(entry["skew"])),
        "updated_at": _time(effect.get("updated_at")) or entry["received_at"],
        "feed_version": effect["version"],
    }
    if entry["document"] is None:
        return moved
    share = entry["tick"] / entry["total"] if entry["tick"] is not None and entry["total"] else 0.0
    fraction = entry["fraction"] if entry["fraction"] is not None else share
    return moved | {name: entry[name] for name in _PLACE[:-1]} | {"fraction": fraction}


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


# -- compared with what is there


def _put(connection: Connection, ids: Columns, folded: _Folded, result: Rebuilt) -> int:
    """Write the rows that differ; returns the highest number of the feed that the book has."""
    is_kept = False
    there = _row(connection, _PROGRESS, ids)
    progress = folded.progress
    if progress is not None and there is not None:
        if folded.epoch_is_old:
            progress, is_kept = progress | {"epoch": there["epoch"]}, True
        if _was_carried_over(there, progress):
            progress |= {name: there[name] for name in _PLACE}
    _put_row(connection, _PROGRESS, "progress", ids, ids, there, progress, result)

    there = _row(connection, _STATE, ids)
    state = folded.state
    if folded.is_old:
        state, is_kept = _with_old(state, there, folded.old_status), True
    _put_row(connection, _STATE, "state", ids, ids, there, state, result)

    mine = _ANNOTATION.c.user_id == ids["user_id"], _ANNOTATION.c.book_id == ids["book_id"]
    rows = {row["id"]: dict(row) for row in connection.execute(select(_ANNOTATION).where(*mine)).mappings()}
    for id in sorted(rows.keys() | folded.annotations.keys()):
        row = folded.annotations.get(id)
        _put_row(connection, _ANNOTATION, "annotation", ids, {"id": id}, rows.get(id), row, result)
    result.kept += is_kept
    numbers: list[int] = [row["version"] for row in folded.annotations.values()]
    numbers += [progress["feed_version"]] if progress is not None else []
    numbers += [state["version"]] if state is not None else []
    return max(numbers, default=0)


def _was_carried_over(there: Columns, derived: Columns) -> bool:
    """Whether it is the same position in the coordinates of a file that replaced the one of the report (`rebasing`)."""
    same = there["entry_id"] == derived["entry_id"] and there["version"] == derived["version"]
    return same and there["reference_sha256"] not in (None, derived["reference_sha256"])


def _with_old(state: Columns | None, there: Columns | None, guess: str) -> Columns:
    """The fields that no effect ever set are those of before."""
    old: Columns = {"status": guess, "status_by": "automatic", "rating": 0, "review": ""}
    old |= {"versions": {}, "times": {}, "version": 0}
    if there is not None and "status" not in there["versions"]:
        old["status"] = there["status"]
    if state is None:
        return old
    unset = [name for name in FIELDS if name not in state["versions"]]
    names = [*unset, "status_by"] if "status" in unset else unset
    return state | {name: old[name] for name in names}


def _row(connection: Connection, table: Any, ids: Columns) -> Columns | None:
    query = select(table).where(table.c.user_id == ids["user_id"], table.c.book_id == ids["book_id"])
    found = connection.execute(query).mappings().first()
    return dict(found) if found is not None else None


def _put_row(
    connection: Connection,
    table: Any,
    kind: str,
    ids: Columns,
    key: Columns,
    there: Columns | None,
    derived: Columns | None,
    result: Rebuilt,
) -> None:
    name = str(key.get("id", ids["book_id"]))
    if derived is None:
        if there is not None:
            result.differences.append(Difference(**ids, kind=kind, key=name, is_unknown=True))
        return
    if there is None:
        result.differences.append(Difference(**ids, kind=kind, key=name))
        connection.execute(insert(table), {**ids, **key, **derived})
        return
    changed = {column: value for column, value in derived.items() if there[column] != value}
    if changed:
        result.differences.append(Difference(**ids, kind=kind, key=name, columns=tuple(sorted(changed))))
        where = [table.c[column] == value for column, value in key.items()]
        connection.execute(update(table).where(*where).values(changed))


def _check_feed(connection: Connection, user_id: int, newest: int) -> None:
    """No number of the feed is given twice."""
    there = connection.execute(select(_FEED.c.version).where(_FEED.c.user_id == user_id)).scalar()
    if there is None and newest:
        connection.execute(insert(_FEED), {"user_id": user_id, "version": newest})
    elif there is not None and there < newest:
        connection.execute(update(_FEED).where(_FEED.c.user_id == user_id).values(version=newest))


def _rebuild_sessions(session: Session, user_id: int, result: Rebuilt) -> None:
    def rows() -> dict[tuple[Any, ...], Columns]:
        query = select(_SESSION).where(_SESSION.c.user_id == user_id)
        found = session.connection().execute(query).mappings()
        return {(row["book_id"], row["started_at"]): dict(row) for row in found}

    before = rows()
    reading_time.rebuild(session, user_id)
    after = rows()
    for book_id, started_at in sorted(before.keys() | after.keys()):
        old, new = before.get((book_id, started_at)), after.get((book_id, started_at))
        if old != new:
            columns = tuple(sorted(name for name in new if new[name] != old[name])) if old and new else ()
            result.differences.append(Difference(user_id, book_id, "session", started_at.isoformat(), columns))
