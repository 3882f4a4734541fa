"""Annotations as the database has them, dictionaries by column: read by their ids, and written back."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, bindparam, select, update

from appliance.models import Annotation
from appliance.reading.annotations.effects import Row

AT_ONCE = 500  # values in a statement

_TABLE = Annotation.__table__  # type: ignore[attr-defined]
_THESE = select(_TABLE).where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))
_UPDATE = update(_TABLE).where(_TABLE.c.id == bindparam("this_id"))


def rows_of(connection: Connection, ids: Sequence[str]) -> dict[str, Row]:
    """Those that are there, by id, tombstones too."""
    found: dict[str, Row] = {}
    for at in range(0, len(ids), AT_ONCE):
        result = connection.execute(_THESE, {"ids": ids[at : at + AT_ONCE]})
        found |= {row["id"]: row for row in as_dicts(result)}
    return found


def update_rows(connection: Connection, rows: Sequence[Row]) -> None:
    """Write what became of annotations that are there."""
    if rows:
        values = [{"this_id": row["id"], **{name: row[name] for name in row if name != "id"}} for row in rows]
        connection.execute(_UPDATE, values)


def as_dicts(result: CursorResult[Any]) -> Iterator[dict[str, Any]]:
    """The rows of any table by column: `mappings` takes several times as long, and there are thousands."""
    names = [*result.keys()]
    return (dict(zip(names, row, strict=True)) for row in result.all())
