"""`session`: reading that the plugin counted itself (docs/plugin-protocol.md, Operations)."""

from appliance.library.file_links import Which
from appliance.reading.sessions.event import Event, Source
from appliance.reading.sessions.record import attach, record_events
from koreader_api.plugin import sync_wire as wire
from koreader_api.plugin.call import Call, DeviceClock
from koreader_api.spelling import share


def take(call: Call, clock: DeviceClock, which: Which, said: wire.SessionSaid) -> wire.OperationAnswer:
    """Kept in any case; it counts for a book when there is one."""
    event = Event(
        Source.PLUGIN,
        int(said.started),
        int(said.seconds),
        digest=said.file,
        start_fraction=share(said.start_percent),
        end_fraction=share(said.end_percent),
        operation_id=said.id,
    )
    user_id, device_id = call.caller.user_id, call.caller.device_id
    with call.house.database.write() as session:
        counted = record_events(session, user_id, device_id, [event], call.now, round(clock.skew.total_seconds()))
        if which.book_id is not None and which.sha256 is None:
            attach(session, user_id, said.file, which.book_id)
    if counted.refused:
        return wire.OperationAnswer(said.id, "rejected", "not-a-session")
    if counted.duplicate:
        return wire.OperationAnswer(said.id, "duplicate", "same-operation")
    if counted.doubted:
        return wire.OperationAnswer(said.id, "history", "cannot-be-true")
    return wire.OperationAnswer(said.id, "current", "counted")
