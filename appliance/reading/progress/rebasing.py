"""Carry current positions over to the new reference rendition when a book's file was replaced.

Whatever is compared with a report has to be counted in the same file. The journal keeps what it said.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlmodel import Session, col

from appliance.house import House
from appliance.library.renditions import open_rendition, remember_rendition
from appliance.models import Book, Device, DeviceProgress, Progress, Rendition
from appliance.positions import Place, Position, Status, translate
from appliance.positions.book import UNREADABLE
from appliance.positions.translate import share_of_text
from appliance.reading.progress.locate import share_of

SAME_TEXT = 0.9  # share of common text below which an edited copy is worth a warning (positions.md C.6)

_AT_ONCE = 100
_PROGRESS = Progress.__table__  # type: ignore[attr-defined]
_BOOK = Book.__table__  # type: ignore[attr-defined]


def rebase(house: House, stopping: Callable[[], bool] = lambda: False, stuck: set[Any] | None = None) -> int:
    """Rewrite every current position that is not in the coordinates of its book's reference rendition, where the same
    text stands there too; returns how many. The others stay as they are and are translated when they are needed;
    `stuck` remembers them, for not being looked at again and again."""
    stuck = set() if stuck is None else stuck
    done, after = 0, (0, "")
    while not stopping():
        with house.database.read() as session:
            rows = _outdated(session, after)
            places = [(row, _place(house, session, row)) for row in rows if _key(row) not in stuck]
        if not rows:
            break
        moved = [(row, *found) for row, found in places if found is not None]
        stuck.update(_key(row) for row, found in places if found is None)
        after = rows[-1].user_id, rows[-1].book_id
        warnings = _warnings(house, [row for row, _ in places])
        if moved or warnings:
            with house.database.write() as session:
                done += sum(_move(session, *one) for one in moved)
                for sha256, doubt in warnings.items():
                    _doubt(session, sha256, doubt)
    return done


def _warnings(house: House, rows: list[Any]) -> dict[str, str]:
    """What to say of new files that have less text of the former than an edited copy should, by their hashes."""
    result: dict[str, str] = {}
    for former_sha256, present_sha256 in {(row.reference_sha256, row.main_sha256) for row in rows}:
        with house.database.read() as session:
            former = open_rendition(house, session, former_sha256)
            present = open_rendition(house, session, present_sha256)
        try:
            share = share_of_text(former, present) if former is not None and present is not None else None
        except UNREADABLE:
            continue
        if share is not None and share < SAME_TEXT:
            result[present_sha256] = (
                f"Only {int(100 * share)} % of its text is that of the file it replaced; some places are only roughly"
                " known in it."
            )
    return result


def _doubt(session: Session, sha256: str, doubt: str) -> None:
    rendition = session.get_one(Rendition, sha256)
    if doubt not in rendition.doubts:
        rendition.doubts = [*rendition.doubts, doubt]
        session.add(rendition)


def _key(row: Any) -> tuple[Any, ...]:
    return row.user_id, row.book_id, row.version, row.main_sha256


def _outdated(session: Session, after: tuple[int, str]) -> list[Any]:
    """The next of them: columns of `Progress`, and the `main_sha256` of the book."""
    query = (
        select(
            _PROGRESS.c.user_id,
            _PROGRESS.c.book_id,
            _PROGRESS.c.version,
            _PROGRESS.c.reference_sha256,
            _PROGRESS.c.document,
            _PROGRESS.c.occurrence,
            _PROGRESS.c.k,
            _PROGRESS.c.tick,
            _PROGRESS.c.fraction,
            _BOOK.c.main_sha256,
        )
        .join(_BOOK, _BOOK.c.id == _PROGRESS.c.book_id)
        .where(
            _PROGRESS.c.reference_sha256 != _BOOK.c.main_sha256,
            tuple_(_PROGRESS.c.user_id, _PROGRESS.c.book_id) > after,
        )
        .order_by(_PROGRESS.c.user_id, _PROGRESS.c.book_id)
        .limit(_AT_ONCE)
    )
    return list(session.execute(query).all())


def _place(house: House, session: Session, row: Any) -> tuple[Place, float | None] | None:
    """Where it is in the present file, and how much of the book is read there."""
    if row.document is None or row.k is None:
        return None
    former = remember_rendition(house, session, row.reference_sha256)
    present = open_rendition(house, session, row.main_sha256)
    if former is None or present is None:
        return None
    place = translate(former.place(Position(row.document, row.occurrence, row.k)), former, present)
    if place.position is None or place.status.rank >= Status.APPROXIMATE.rank:
        return None
    fraction, is_aside = share_of(present, place.position)
    return place, row.fraction if is_aside else fraction


def _move(session: Session, row: Any, place: Place, fraction: float | None) -> bool:
    position = place.position
    assert position is not None
    changed = session.connection().execute(
        update(Progress)
        .where(
            col(Progress.user_id) == row.user_id,
            col(Progress.book_id) == row.book_id,
            col(Progress.version) == row.version,  # nobody read on meanwhile
        )
        .values(
            reference_sha256=row.main_sha256,
            document=position.document,
            occurrence=position.occurrence,
            k=position.k,
            tick=place.tick,
            total=place.total,
            fraction=fraction,
        )
    )
    if not changed.rowcount:
        return False
    # What devices were told and still show is this very place.
    session.execute(
        update(DeviceProgress)
        .where(
            col(DeviceProgress.book_id) == row.book_id,
            col(DeviceProgress.given_tick) == row.tick,
            col(DeviceProgress.device_id).in_(select(col(Device.id)).where(col(Device.user_id) == row.user_id)),
        )
        .values(given_tick=place.tick)
    )
    return True
