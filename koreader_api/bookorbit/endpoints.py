"""The endpoints of BookOrbit's plugin API, below `/api/v1/koreader`, where KOSync's own are as well."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, Router, get, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import RawBody
from sqlmodel import Session

from appliance import __version__
from appliance.house import House
from appliance.library.file_links import library_mark
from appliance.reading.book_state.record import SaidState, record_state
from appliance.reading.progress.locate import locate
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Report
from appliance.reading.sessions.event import Event, Source
from appliance.reading.sessions.record import record_events
from koreader_api.bookorbit import notes, wire
from koreader_api.bookorbit.call import Call, Found, call_of, instant, number_of
from koreader_api.kosync.caller import caller
from koreader_api.kosync.endpoints import HANDLERS, OPTIONS, answer, refuse
from koreader_api.kosync.wire import WireError
from koreader_api.spelling import share

BASE = "/api/v1/koreader"
MAX_BODY = 4 * 1024 * 1024  # bytes
PLUGIN = "1.5.5"  # the version of the plugin whose endpoints these are
CAPABILITIES = ["annotations-exchange", "bookmarks-exchange", "page-stats", "book-states", "bulk-progress"]

Shape = TypeVar("Shape", bound=wire.Envelope)


@get("/plugin/version", opt=OPTIONS, sync_to_thread=True)
def version(request: Request[Any, Any, Any]) -> Response[Any]:
    """`GET plugin/version` → versions and what can be done."""
    house: House = request.app.state.house
    with house.database.read() as session:
        caller(request, session)
    return answer(200, {"version": PLUGIN, "serverVersion": __version__, "capabilities": CAPABILITIES})


def _endpoint(path: str, shape: type[Shape], act: Callable[[Call, Shape], wire.Anything]) -> HTTPRouteHandler:
    @route(
        path, http_method=["POST"], opt=OPTIONS, status_code=201, request_max_body_size=MAX_BODY, sync_to_thread=True
    )
    def handler(request: Request[Any, Any, Any], body: RawBody) -> Response[Any]:
        house: House = request.app.state.house
        with house.database.read() as session:
            login = caller(request, session)
        try:
            said = msgspec.json.decode(body, type=shape)
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise WireError(400, 2003, f"Invalid request: {error}") from None
        return answer(201, act(call_of(house, login, said), said))

    return handler


def match_check(call: Call, said: wire.MatchCheck) -> wire.Anything:
    """Which of the hashes are books here."""
    with call.house.database.read() as session:
        found = [(hash, call.found(session, hash)) for hash in said.hashes]
        matches = [
            {"hash": hash, "bookId": number_of(book.book_id), "bookFileId": number_of(book.book_id)}
            for hash, book in found
            if book is not None
        ]
        return {"matches": matches, "libraryVersion": library_mark(session, call.user_id)}


def page_stats(call: Call, said: wire.PageStats) -> wire.Anything:
    """Rows of statistics; those of files that are not here wait for them."""
    events = [
        Event(
            Source.KOREADER_PAGE,
            one.start_time,
            one.duration_seconds,
            digest=book.hash.lower(),
            page=one.page,
            pages=one.total_pages,
        )
        for book in said.books
        for one in book.events
    ]
    with call.house.database.write() as session:
        # Their times are seconds since 1970, in whatever zone the clock shows.
        counted = record_events(session, call.user_id, call.device_id, events, call.now)
    return {"accepted": counted.new, "duplicates": counted.duplicate, "unmatched": call.matched(said.books)[1]}


def book_states(call: Call, said: wire.BookStates) -> wire.Anything:
    """Status, rating and review, each as the device has it."""
    books, unmatched = call.matched(said.books)
    updated = 0
    for book, found in books:
        fields: dict[str, Any] = {}
        if book.status is not None:
            fields["status"] = "finished" if book.status == "complete" else book.status
        if book.rating is not None or book.rating_cleared:
            fields["rating"] = book.rating or 0
        if book.review_note is not None or book.review_cleared:
            fields["review"] = book.review_note or ""
        # "Reading" is what KOReader gives a book by opening it.
        by_person = book.status not in (None, "reading")
        state = SaidState(
            user_id=call.user_id,
            device_id=call.device_id,
            book_id=found.book_id,
            fields=fields,
            received_at=call.now,
            changed_at=instant(book.status_modified),
            skew=call.skew,
            has_whole_stars=True,
            by="person" if by_person else "automatic",
        )
        with call.house.database.write() as session:
            updated += record_state(session, state).outcome == "current"
    return {"updated": updated, "unmatched": unmatched}


def bulk_progress(call: Call, said: wire.BulkProgress) -> wire.Anything:
    """Places of several files, with the times when they were read."""
    items, unmatched = call.matched(said.items)
    for item, found in items:
        with call.house.database.read() as session:
            report = _report(call, session, found, item)
        with call.house.database.write() as session:
            record(session, report)
    return {"unmatched": unmatched}


def _report(call: Call, session: Session, book: Found, item: wire.ProgressItem) -> Report:
    percent = share(item.percentage)
    located = locate(call.house, session, *book, "xpointer", item.progress, percent, device_id=call.device_id)
    claimed = datetime.fromtimestamp(item.timestamp, UTC) if item.timestamp and item.timestamp < 2**37 else None
    return Report(
        user_id=call.user_id,
        device_id=call.device_id,
        received_at=call.now,
        dialect="xpointer",
        locator=item.progress,
        place=located.place,
        book_id=book.book_id,
        sha256=book.sha256,
        reference_sha256=located.reference_sha256,
        asked_for=item.hash.lower(),
        percent=percent,
        claimed_at=claimed,
        error=located.error,
        fraction=located.fraction,
        is_aside=located.is_aside,
    )


def sweeps(call: Call, said: wire.Envelope) -> wire.Anything:
    """The counters of a finished sweep, of which nothing is kept."""
    return {}


_ENDPOINTS = [
    version,
    _endpoint("/plugin/match-check", wire.MatchCheck, match_check),
    _endpoint(
        "/plugin/annotations/exchange", wire.Exchange, lambda call, said: notes.exchange_notes(call, said, "highlight")
    ),
    _endpoint("/plugin/annotations/exchange-ack", wire.Ack, notes.acknowledge),
    _endpoint(
        "/plugin/bookmarks/exchange", wire.Exchange, lambda call, said: notes.exchange_notes(call, said, "bookmark")
    ),
    _endpoint("/plugin/bookmarks/exchange-ack", wire.Ack, notes.acknowledge),
    _endpoint("/plugin/page-stats", wire.PageStats, page_stats),
    _endpoint("/plugin/book-states", wire.BookStates, book_states),
    _endpoint("/plugin/progress", wire.BulkProgress, bulk_progress),
    _endpoint("/plugin/sweeps", wire.Envelope, sweeps),
]

routes = [
    Router(
        BASE, route_handlers=[*HANDLERS, *_ENDPOINTS], exception_handlers={WireError: refuse}, include_in_schema=False
    )
]
