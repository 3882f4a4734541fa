"""`GET /v1/library/sync`: what changed for this device, a page at a time (docs/reference/kobo-protocol.md 4)."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from appliance.library.kobo_choice import reconcile, sync_of
from appliance.models import KoboDelivery, KoboEntitlement, KoboSync
from appliance.reading.progress.projection import Projected, project
from appliance.reading.turn import take_turn
from kobo_api.call import Answer, Call, answer
from kobo_api.downloads import planned_url
from kobo_api.library import book_rows, tag_news
from kobo_api.library.book_rows import BookRow
from kobo_api.library.entitlements import entitlement, fingerprint, metadata, removed_metadata
from kobo_api.library.ledger import News, Shown, Told, decide
from kobo_api.library.reset import note_token
from kobo_api.library.sync_run import SLACK, Run, latest_id, move_horizon, open_run, save_checkpoint, write_token
from kobo_api.library.tag_news import Given, TagNews
from kobo_api.reading.reading_state import first_state, moved_state, note_told, restated, told_status, with_told
from kobo_api.wire import BookMetadata

PAGE = 100  # events; each page costs the device a pause, and it waits 30 s for one (4.3)
ITEMS = 25  # books of a collection that weigh as much as an event
TIME = 1.0  # seconds after which a page is closed with what it has
STATES = 25  # places in a page; each may have to open a book
PATIENCE = 0.25  # seconds after which a page is closed with the places it has
ATTEMPTS = 5

_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_ENTITLEMENT = KoboEntitlement.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class _Page:
    """A page before it is given: its events, what the ledger must then say, and where the run stands. `stops`:
    there was much to look at and little to tell; the next run goes on there."""

    cursor_at: datetime
    cursor_id: str
    events: list[dict[str, Any]] = field(default_factory=list)
    entitlements: list[dict[str, Any]] = field(default_factory=list)
    added: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    places: list[tuple[str, int, Projected | None]] = field(default_factory=list)
    states: list[tuple[str, int, str | None, str | None]] = field(default_factory=list)
    given: Given = field(default_factory=Given)
    tags: list[TagNews] = field(default_factory=list)
    more: bool = False
    begun: float = field(default_factory=time.monotonic)
    weight: int = 0
    stops: bool = False

    @property
    def is_full(self) -> bool:
        return bool(self.events) and (self.weight >= PAGE or self.is_late)

    @property
    def is_late(self) -> bool:
        return time.monotonic() - self.begun > TIME

    def add(self, event: dict[str, Any], weight: int = 1) -> None:
        self.events.append(event)
        self.weight += weight


def sync(call: Call) -> Answer:
    """`GET /v1/library/sync` → an array of events, `x-kobo-synctoken`, and `x-kobo-sync: continue` exactly while there
    is more. Nothing is converted here: books are offered as the KEPUB that they will be.

    The page is computed first and written into the ledger in a short transaction; if another sync of this device or
    user came between, it is computed again.
    """
    for _ in range(ATTEMPTS):
        now = call.house.now()
        with call.house.database.read() as session:
            wish = note_token(call, session)
        run = open_run(call.house, call.caller.device_id, call.headers.get("x-kobo-synctoken", ""))
        if run.looping:
            return _give([], run.latest, more=False)
        everything = wish is None or wish.everything
        if wish is not None and not run.goes_on:
            _reconcile(call, wish, now)
        with call.house.database.read() as session:
            page = _plan(call, session, run, now, everything=everything)
            horizon = _settled_horizon(session, run, now) if not page.stops else None
        if not (
            page.events
            or page.added
            or page.changed
            or page.places
            or page.states
            or page.tags
            or run.goes_on
            or horizon
        ):
            return _give([], run.latest, more=False)
        try:
            with call.house.database.write() as session:
                take_turn(session.connection(), call.caller.user_id)
                if latest_id(session, call.caller.device_id) == run.latest:
                    if horizon:
                        move_horizon(session, run.latest, horizon)
                    checkpoint = _write(call, session, run, page, now)
                    return _give(page.events, checkpoint, more=page.more)
        except IntegrityError:  # another Kobo of this user was given the same new books a moment ago
            continue
    raise RuntimeError("other syncs of the same device do not let this one through")


def _give(events: list[dict[str, Any]], checkpoint: int, *, more: bool) -> Answer:
    headers = {"x-kobo-synctoken": write_token(checkpoint)}
    if more:
        headers["x-kobo-sync"] = "continue"
    return answer(events, headers=headers)


def _reconcile(call: Call, wish: KoboSync, now: datetime) -> None:
    """Carry the device's choice into its ledger, if the choice or the library changed."""
    if not wish.due:
        if wish.everything:
            return
        with call.house.database.read() as session:
            newest = book_rows.newest_change(session)
        if newest is None or (wish.looked_at is not None and wish.looked_at > newest + SLACK):
            return
    with call.house.database.write() as session:
        kept = sync_of(session, call.caller.device_id)
        kept.due, kept.looked_at = False, now
        reconcile(session, call.caller.user_id, call.caller.device_id, everything=kept.everything, now=now)


def _plan(call: Call, session: Session, run: Run, now: datetime, *, everything: bool) -> _Page:
    """Books that are due, books that leave, books that changed, then places, then collections (4.4), with a look beyond
    the end of the page: only so is it known whether there is more (4.3)."""
    page = _Page(run.cursor_at, run.cursor_id)
    seen = 0
    while True:
        rows = book_rows.due(session, call.caller, seen, PAGE + 1)
        for row in rows:
            if not _add_book(call, page, row, now):
                return page
        seen += len(rows)
        if len(rows) <= PAGE:
            break
    for row in book_rows.leaving(session, call.caller, now, PAGE + 1):
        if not _add_book(call, page, row, now):
            return page
    while True:
        rows = book_rows.changed(session, call.caller, page.cursor_at, page.cursor_id, PAGE + 1, everything=everything)
        for row in rows:
            if not _add_book(call, page, row, now):
                return page
            page.cursor_at, page.cursor_id = row.changed_at, row.id
        if len(rows) <= PAGE:
            break
        if page.is_late:
            page.stops = True
            return page
    if _add_places(call, session, page) and _add_states(call, session, page):
        _add_tags(call, session, page, now)
    return page


def _add_book(call: Call, page: _Page, row: BookRow, now: datetime) -> bool:
    """Put what the device has to be told of a book on the page. False when the page is full and so announces more."""
    id = row.entitlement_id or str(uuid.uuid4())
    created = row.entitled_at or row.added_at
    shown = metadata(id, row, planned_url(call, row, id))
    offer = Shown(row.main_sha256, row.text_fingerprint, fingerprint(shown))
    told = book_rows.told(row, now)
    news = decide(offer, told)
    if news is News.OFFER and not row.is_here:
        news = News.NOTHING
    if news is not News.NOTHING:
        if page.is_full:
            page.more = True
            return False
        page.add(_event(news, id, created, now, shown, row))
        if news is News.OFFER:
            page.given.offered[row.id] = id
        elif news is News.REMOVE:
            page.given.removed.add(row.id)
    if row.entitlement_id is None:
        page.entitlements.append({"id": id, "user_id": call.caller.user_id, "book_id": row.id, "created_at": created})
    _note(page, row, news, offer, told, now)
    return True


def _event(news: News, id: str, created: datetime, now: datetime, shown: BookMetadata, row: BookRow) -> dict[str, Any]:
    if news is News.REMOVE:
        removal = {"BookEntitlement": entitlement(id, created, now, removed=True), "BookMetadata": removed_metadata(id)}
        return {"ChangedEntitlement": removal}
    book = {"BookEntitlement": entitlement(id, created, now), "BookMetadata": shown}
    if news is News.METADATA:
        # Alone and in this shape it is the one form that was reported to leave the file in place (4.9).
        return {"ChangedProductMetadata": book}
    return {"NewEntitlement": {**book, "ReadingState": first_state(id, created, row)}}


def _note(page: _Page, row: BookRow, news: News, offer: Shown, told: Told | None, now: datetime) -> None:
    """What the ledger must say of the book afterwards. `offered_in` of what was told follows in `_write`."""
    values: dict[str, Any] = {
        "book": row.id,
        "is_news": news is not News.NOTHING,
        "offered_in": row.offered_in,
        "offered_at": now if news is News.OFFER else row.offered_at,
        "source_sha256": row.source_sha256,
        "edition": row.edition,
        "metadata_fingerprint": row.metadata_fingerprint or "",
        "book_changed_at": row.changed_at,
        "began_at": row.began_at,
        "downloaded_at": row.downloaded_at,
        "removed_at": row.removed_at,
        "removed_by": row.removed_by,
        "leaves_at": row.leaves_at,
    }
    if news is News.OFFER or told is None or not told.began:
        values |= {"source_sha256": offer.source_sha256, "edition": offer.edition}
    if news in (News.OFFER, News.METADATA):
        values["metadata_fingerprint"] = offer.metadata_fingerprint
    if news is News.OFFER:
        values |= {"began_at": None, "downloaded_at": None}
    if news is News.REMOVE:
        values |= {"removed_at": now, "removed_by": "server", "began_at": None, "downloaded_at": None}
        values["leaves_at"] = None
    if told is None:
        page.added.append(values)
    elif news is not News.NOTHING or row.book_changed_at != row.changed_at:
        page.changed.append(values)


def _add_places(call: Call, session: Session, page: _Page) -> bool:
    """Where other devices have read on in books that this one holds (5.6). False when the page is full."""
    room = min(STATES, max(PAGE - page.weight, 1))
    begun = time.monotonic()
    for number, row in enumerate(book_rows.moved(session, call.caller, room + 1)):
        if number >= room or (number and time.monotonic() - begun > PATIENCE) or page.is_full:
            page.more = True
            return False
        projected = project(call.house, session, call.caller.user_id, row.book_id, row.sha256, "kobo")
        page.places.append((row.book_id, row.version, projected))
        if projected is not None:
            state = moved_state(row.entitlement_id, row.entitled_at, row, projected)
            page.add({"ChangedReadingState": {"ReadingState": state}})
    return True


def _add_states(call: Call, session: Session, page: _Page) -> bool:
    """Statuses that a person set elsewhere, where no place changed with them. False when the page is full."""
    told = {book_id for book_id, *_ in page.places}
    for number, row in enumerate(book_rows.restated(session, call.caller, PAGE + 1)):
        if row.book_id in told:
            continue
        status = told_status(row)
        if number >= PAGE or (status and page.is_full):
            page.more = bool(page.events)
            return False
        told_since = None
        if status:
            state = restated(row.entitlement_id, row.entitled_at, row, status, announced=True)
            page.add({"ChangedReadingState": {"ReadingState": state}})
            told_since = with_told(row.reading_state, state.priority_timestamp)
        page.states.append((row.book_id, row.state_version, row.reading_state, told_since))
    return True


def _add_tags(call: Call, session: Session, page: _Page, now: datetime) -> None:
    """Collections last: one that names a book before its entitlement came may show incomplete (4.4)."""
    for one in tag_news.news(session, call.caller, page.given, now):
        if one.event is not None:
            if page.is_full:
                page.more = True
                return
            page.add(one.event, 1 + one.size // ITEMS)
        page.tags.append(one)


def _settled_horizon(session: Session, run: Run, now: datetime) -> datetime | None:
    """A later horizon for a device that has seen everything: written once, so that idle syncs look at nothing."""
    newest = book_rows.newest_change(session)
    if run.goes_on or not run.latest or newest is None or not run.horizon < newest < now - SLACK:
        return None
    return now - SLACK


def _write(call: Call, session: Session, run: Run, page: _Page, now: datetime) -> int:
    """Write the page into the ledger; returns the checkpoint whose token goes with it."""
    device_id = call.caller.device_id
    checkpoint = run.latest
    if page.events or run.goes_on or (page.stops and not checkpoint):
        checkpoint = save_checkpoint(
            session, device_id, run, now, more=page.more, cursor_at=page.cursor_at, cursor_id=page.cursor_id
        )
    if page.stops:
        move_horizon(session, checkpoint, page.cursor_at)
    for values in (*page.added, *page.changed):
        if values.pop("is_news"):
            values["offered_in"] = checkpoint
    connection = session.connection()
    if page.entitlements:
        connection.execute(_ENTITLEMENT.insert(), page.entitlements)
    if page.added:
        rows = [{"device_id": device_id, "book_id": values.pop("book"), **values} for values in page.added]
        connection.execute(_DELIVERY.insert(), rows)
    if page.changed:
        one = (_DELIVERY.c.device_id == device_id) & (_DELIVERY.c.book_id == bindparam("book"))
        connection.execute(update(_DELIVERY).where(one), page.changed)
    tag_news.note_moved(session, device_id, page.given)
    tag_news.note(session, page.tags, checkpoint)
    for book_id, version, said, told_since in page.states:
        row = (_DELIVERY.c.device_id == device_id, _DELIVERY.c.book_id == book_id)
        connection.execute(update(_DELIVERY).where(*row).values(told_state=version, given_in=checkpoint))
        if told_since is not None:  # unless the device spoke in between
            unchanged = _DELIVERY.c.reading_state == said
            connection.execute(update(_DELIVERY).where(*row, unchanged).values(reading_state=told_since))
    for book_id, version, projected in page.places:
        note_told(session, device_id, book_id, version, projected, now, checkpoint)
    return checkpoint
