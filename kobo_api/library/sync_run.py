"""Sync runs: which page a device is asking for, and which earlier pages reached it (kobo-protocol.md 4.2, 4.3).

The token names a checkpoint, nothing else; all state is here. A device shows the token of a page when it asks for the
next one, or fetches a book that the page offered: either proves that the page arrived. It keeps the last token of a run
that ended, so an interrupted run begins again with an older token, or with none: what the pages since then told is told
again, except that nothing it may hold is offered (4.10). A lost or foreign token thus costs nothing.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, func, select, update
from sqlmodel import Session

from appliance.house import House
from appliance.library.kobo_doubt import doubt
from appliance.models import KoboCheckpoint, KoboDelivery, KoboTag

RUN_PAUSE = timedelta(minutes=2)  # firmware that sends no token is taken to go on with a run that is no older
LOOP_WINDOW = timedelta(minutes=1)
LOOP_RUNS = 3  # runs from the same token in the window; more is a device that gets nowhere
SLACK = timedelta(minutes=15)  # a scan may commit a book that long after the time that it writes into it
KEPT = timedelta(hours=1)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

_CHECKPOINT = KoboCheckpoint.__table__  # type: ignore[attr-defined]
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_TAG = KoboTag.__table__  # type: ignore[attr-defined]
_TOKEN = re.compile(r"S1\.(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Run:
    """The page to compute. `latest`: id of the newest checkpoint, 0 if there is none. `goes_on`: the page
    before announced it. `looping`: give nothing."""

    latest: int
    presented: int | None
    started_at: datetime
    cursor_at: datetime
    cursor_id: str
    horizon: datetime
    goes_on: bool = False
    looping: bool = False


def write_token(checkpoint_id: int) -> str:
    """`S1.<checkpoint id>`: tiny, since long ones break proxies (4.2)."""
    return f"S1.{checkpoint_id}"


def read_token(text: str) -> int | None:
    """The checkpoint a token names; `None` for none and for those of other servers."""
    match = _TOKEN.fullmatch(text.strip())
    return int(match[1]) if match else None


def open_run(house: House, device_id: int, token: str) -> Run:
    """Find out where the device stands. Writes only when something was learned of an earlier page."""
    now = house.now()
    asked = read_token(token)
    with house.database.read() as session:
        checkpoints = _checkpoints(session, device_id)
    latest = checkpoints[0] if checkpoints else None
    shown = next((row for row in checkpoints if row["id"] == asked), None)
    presented = asked if shown is not None else None
    newest = latest["id"] if latest is not None else 0
    is_strange = asked > newest if asked is not None else bool(token.strip()) and newest > 0
    if is_strange:
        # A page that this database never gave: it is a backup from before, and the device knows more. Or the token of
        # another server, which may have taken notes: they are sent only once (7.4, 7.5).
        with house.database.write() as session:
            doubt(session.connection(), "newer-token" if asked is not None else "elsewhere", now, device_id)
    if latest is None:
        return Run(0, None, now, BEGINNING, "", BEGINNING)
    goes_on = latest["more"] and (shown is latest or (shown is None and abs(now - latest["created_at"]) < RUN_PAUSE))
    unsettled = [row for row in checkpoints if row["settled_at"] is None]
    if shown in unsettled or (unsettled and not goes_on):
        with house.database.write() as session:
            _settle(session, device_id, presented, [row["id"] for row in unsettled], now, lost=not goes_on)
    if goes_on:
        started, cursor_at, cursor_id = latest["run_started_at"], latest["cursor_at"], latest["cursor_id"]
        return Run(latest["id"], presented, started, cursor_at, cursor_id, latest["horizon"], goes_on=True)
    runs = {row["run_started_at"] for row in checkpoints if row["presented"] == presented}
    looping = sum(now - LOOP_WINDOW < started <= now for started in runs) >= LOOP_RUNS
    return Run(latest["id"], presented, now, latest["horizon"], "", latest["horizon"], looping=looping)


def save_checkpoint(
    session: Session, device_id: int, run: Run, now: datetime, *, more: bool, cursor_at: datetime, cursor_id: str
) -> int:
    """Name the page just computed; returns the id of its checkpoint, as `latest_id` must still be `run.latest`."""
    horizon = run.horizon if more else max(run.horizon, run.started_at - SLACK)
    result = session.execute(
        _CHECKPOINT.insert().returning(_CHECKPOINT.c.id),
        {
            "device_id": device_id,
            "created_at": now,
            "presented": run.presented,
            "more": more,
            "run_started_at": run.started_at,
            "cursor_at": cursor_at,
            "cursor_id": cursor_id,
            "horizon": horizon,
        },
    )
    checkpoint_id = int(result.scalar_one())
    # What a device may still come back with are the ends of its last runs.
    old = (_CHECKPOINT.c.run_started_at == run.started_at) | (_CHECKPOINT.c.created_at < now - LOOP_WINDOW)
    session.execute(
        _CHECKPOINT.delete().where(
            _CHECKPOINT.c.device_id == device_id,
            _CHECKPOINT.c.id < run.latest,
            _CHECKPOINT.c.settled_at.is_not(None),
            (_CHECKPOINT.c.more & old) | (_CHECKPOINT.c.created_at < now - KEPT),
        )
    )
    return checkpoint_id


def latest_id(session: Session, device_id: int) -> int:
    """Id of the device's newest checkpoint, 0 if there is none."""
    query = select(func.coalesce(func.max(_CHECKPOINT.c.id), 0)).where(_CHECKPOINT.c.device_id == device_id)
    return int(session.execute(query).scalar_one())


def move_horizon(session: Session, checkpoint_id: int, horizon: datetime) -> None:
    """Remember that everything before `horizon` was looked at, so that no later run has to."""
    session.execute(update(_CHECKPOINT).where(_CHECKPOINT.c.id == checkpoint_id).values(horizon=horizon))


def _checkpoints(session: Session, device_id: int) -> list[RowMapping]:
    query = select(_CHECKPOINT).where(_CHECKPOINT.c.device_id == device_id).order_by(_CHECKPOINT.c.id.desc())
    return list(session.execute(query).mappings())


def _settle(
    session: Session, device_id: int, arrived: int | None, unsettled: list[int], now: datetime, *, lost: bool
) -> None:
    """The page of checkpoint `arrived` reached the device; if `lost`, the other unsettled ones did not."""
    mine = _DELIVERY.c.device_id == device_id
    gone = {id for id in unsettled if id != arrived} - _touched(session, device_id, unsettled) if lost else set()
    if gone:
        # What a removal or an offer told is due again; `ledger.decide` sees to it that no held book is offered.
        session.execute(
            update(_DELIVERY)
            .where(mine, _DELIVERY.c.offered_in.in_(gone), _DELIVERY.c.removed_by == "server")
            .values(removed_at=None, removed_by=None)
        )
        session.execute(update(_DELIVERY).where(mine, _DELIVERY.c.offered_in.in_(gone)).values(offered_in=None))
        session.execute(
            update(_DELIVERY)
            .where(mine, _DELIVERY.c.given_in.in_(gone))
            .values(given_in=None, given_version=None, told_state=None)
        )
        # Whole again, also a deletion: the device does not mind to hear of a collection twice.
        lost_tags = (_TAG.c.device_id == device_id, _TAG.c.told_in.in_(gone))
        session.execute(update(_TAG).where(*lost_tags).values(due=True, is_known=True, told_in=None, fingerprint=""))
    settled = unsettled if lost else [arrived]
    session.execute(
        update(_CHECKPOINT)
        .where(_CHECKPOINT.c.device_id == device_id, _CHECKPOINT.c.id.in_(settled))
        .values(settled_at=now)
    )


def _touched(session: Session, device_id: int, checkpoints: list[int]) -> set[int]:
    """Checkpoints whose page told of a book that the device then fetched or removed."""
    query = select(_DELIVERY.c.offered_in).where(
        _DELIVERY.c.device_id == device_id,
        _DELIVERY.c.offered_in.in_(checkpoints),
        _DELIVERY.c.began_at.is_not(None) | (_DELIVERY.c.removed_by == "device"),
    )
    return set(session.execute(query.distinct()).scalars())
