"""`state`: status, rating and review (docs/plugin-protocol.md, Operations)."""

from typing import Any, Final

from appliance.library.file_links import Which
from appliance.reading.book_state.record import SaidState, record_state
from koreader_api.plugin import sync_wire as wire
from koreader_api.plugin.call import Call, DeviceClock

STATUSES: Final = {"new": "unread", "reading": "reading", "complete": "finished", "abandoned": "abandoned"}
"""How KOReader calls a status, and how it is kept."""


def take(call: Call, clock: DeviceClock, which: Which, said: wire.StateSaid) -> wire.OperationAnswer:
    """Each field is judged by itself, against the version that it was changed from."""
    assert which.book_id is not None
    fields: dict[str, Any] = {}
    if said.fields.status is not None:
        fields["status"] = STATUSES[said.fields.status]
    if said.fields.rating is not None:
        fields["rating"] = said.fields.rating
    if said.fields.review is not None:
        fields["review"] = said.fields.review
    # Nobody but a person gives a book up.
    is_person = said.by == "person" or said.fields.status == "abandoned"
    state = SaidState(
        user_id=call.caller.user_id,
        device_id=call.caller.device_id,
        book_id=which.book_id,
        fields=fields,
        received_at=call.now,
        changed_at=clock.instant(said.at),
        skew=clock.skew,
        has_whole_stars=True,
        by="person" if is_person else "automatic",
        base_version=said.base,
        operation_id=said.id,
    )
    with call.house.database.write() as session:
        answer = record_state(session, state)
    reason = {"current": "changed", "duplicate": "same-operation"}.get(answer.outcome, "as-current")
    return wire.OperationAnswer(said.id, answer.outcome, reason, answer.version)
