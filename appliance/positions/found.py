"""What a codec answers when it looks for a locator in one document."""

from typing import NamedTuple

from appliance.positions.canonical import Affinity, Reason, Status


class Found(NamedTuple):
    """`k`: canonical index in the document. `status` and `reason` as in `Place`."""

    k: int
    status: Status
    reason: Reason = Reason.NONE
    affinity: Affinity = "after"
