"""`progress`: where a device is (docs/plugin-protocol.md, Operations)."""

from appliance.library.file_links import Which
from appliance.reading.progress.locate import Located, locate
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Act, Report
from koreader_api.plugin import sync_wire as wire
from koreader_api.plugin.call import Call, DeviceClock
from koreader_api.plugin.place_by_words import place_by_words
from koreader_api.spelling import share


def take(call: Call, clock: DeviceClock, which: Which, said: wire.ProgressSaid) -> wire.OperationAnswer:
    """Append the place to the journal; the conflict rule says what becomes of it."""
    percent = share(said.percent)
    located, sha256 = _locate(call, which, said, percent)
    report = Report(
        user_id=call.caller.user_id,
        device_id=call.caller.device_id,
        received_at=call.now,
        dialect="xpointer",
        locator=said.locator,
        place=located.place,
        book_id=which.book_id,
        sha256=sha256,
        reference_sha256=located.reference_sha256,
        act=Act(said.act) if said.act is not None else Act.UNKNOWN,
        asked_for=said.file,
        percent=percent,
        claimed_at=clock.instant(said.at),
        skew=clock.skew,
        based_on=said.based_on,
        error=located.error,
        fraction=located.fraction,
        is_aside=located.is_aside,
        operation_id=said.id,
    )
    with call.house.database.write() as session:
        outcome = record(session, report)
    return wire.OperationAnswer(said.id, outcome.kind, outcome.reason, outcome.version)


def _locate(call: Call, which: Which, said: wire.ProgressSaid, percent: float | None) -> tuple[Located, str | None]:
    """The place, and the rendition in whose words it was said, `None` where those bytes are not known."""
    assert which.book_id is not None
    with call.house.database.read() as session:
        if which.sha256 is None:
            return place_by_words(call.house, session, which.book_id, said.locator, said.text or "", percent), None
        located = locate(
            call.house,
            session,
            which.book_id,
            which.sha256,
            "xpointer",
            said.locator,
            percent,
            device_id=call.caller.device_id,
        )
        return located, which.sha256
