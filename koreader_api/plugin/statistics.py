"""Rows of KOReader's statistics, up and, from a person's other readers, down (docs/plugin-protocol.md)."""

from collections.abc import Iterator

from appliance.library.file_links import identify
from appliance.reading.sessions.event import Event, Source
from appliance.reading.sessions.others import visits_elsewhere
from appliance.reading.sessions.record import attach, record_events
from koreader_api.plugin import wire
from koreader_api.plugin.call import Call, Refusal
from koreader_api.plugin.limits import ROWS
from koreader_api.plugin.reading_json import NotUnderstood, shape


def statistics(call: Call, said: wire.Statistics) -> wire.StatisticsTaken:
    """Keep the rows that are new; the sessions are made anew where they are."""
    if len(said.rows) > ROWS:
        raise Refusal(413, "too-large", "These are too many rows at once. Send half.")
    clock = call.clock(said.clock)
    user_id, device_id = call.caller.user_id, call.caller.device_id
    events = list(_events(said))
    with call.house.database.write() as session:
        skew = round(clock.skew.total_seconds())
        counted = record_events(session, user_id, device_id, events, call.now, skew)
        for file in {book.file for book in said.books}:
            which = identify(session, user_id, file)
            if which.book_id is not None and which.sha256 is None:
                attach(session, user_id, file, which.book_id)
    refused = counted.refused + len(said.rows) - len(events)
    return wire.StatisticsTaken(counted.new, counted.duplicate, refused, counted.doubted)


def others(call: Call, said: wire.Others) -> wire.OthersRows:
    """What the person's other KOReaders counted of the same book."""
    clock = call.clock(said.clock)
    limit = min(said.limit, ROWS)
    with call.house.database.read() as session:
        which = identify(session, call.caller.user_id, said.file)
        found = visits_elsewhere(
            session, call.caller.user_id, call.caller.device_id, said.file, which.book_id, said.after, limit + 1
        )
    shown = found[:limit]
    rows = [(visit.page, clock.shown_seconds(visit.started), visit.seconds, visit.pages) for visit in shown]
    return wire.OthersRows(rows, shown[-1].id if shown else said.after, len(found) > limit)


def _events(said: wire.Statistics) -> Iterator[Event]:
    for raw in said.rows:
        try:
            row = shape(raw, wire.Row)
        except NotUnderstood:
            continue
        if row.book < len(said.books):
            file = said.books[row.book].file
            yield Event(
                Source.KOREADER_PAGE, int(row.start), int(row.seconds), digest=file, page=row.page, pages=row.pages
            )
