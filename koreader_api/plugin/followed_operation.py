"""`followed`: what became of what a device pulled (docs/plugin-protocol.md, Operations)."""

from appliance.library.file_links import Which
from appliance.reading.annotations.record import follow
from appliance.reading.annotations.refusals import refuse
from koreader_api.plugin import sync_wire as wire
from koreader_api.plugin.annotation_operation import caller_of
from koreader_api.plugin.call import Call, DeviceClock


def take(call: Call, clock: DeviceClock, which: Which, said: wire.FollowedSaid) -> wire.OperationAnswer:
    """What was placed is held there from now on; what was not is remembered with its reason."""
    caller = caller_of(call, clock, which)
    done = {one.name: one.version for one in said.followed if one.outcome != "unplaced"}
    follow(call.house, caller, done)
    refused = {one.name: (one.version, one.reason) for one in said.followed if one.outcome == "unplaced"}
    refuse(call.house, caller, refused, done)
    return wire.OperationAnswer(said.id, "current", "followed")
