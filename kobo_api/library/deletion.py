"""`DELETE /v1/library/{id}`: the person removed a book on the device (docs/reference/kobo-protocol.md 6.5)."""

from kobo_api.call import Answer, Call
from kobo_api.library.ledger import removed_on_device
from kobo_api.reading.reading_state import held


def delete(call: Call, id: str) -> Answer:
    """`DELETE /v1/library/{id}` → 204, also for unknown ids. Only this device loses the book, and it is not offered the
    book again; the library, other devices and the place in the book stay."""
    with call.house.database.write() as session:
        row = held(session, call, id)
        if row is not None:
            removed_on_device(session, call.caller.device_id, row.book_id, call.house.now())
    return Answer(status=204)
