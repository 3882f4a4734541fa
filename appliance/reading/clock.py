"""When something happened, as far as a device's clock can be believed."""

from datetime import datetime, timedelta

AHEAD = timedelta(minutes=5)  # a clock that runs this fast is still believed
BEHIND = timedelta(days=365)  # a claim older than this is a clock that was never set


def happened(claimed: datetime | None, received: datetime, skew: timedelta | None = None) -> datetime:
    """The time of an act: what the device claimed, corrected by its measured `skew` (its clock minus ours when it
    sent the request), never later than `received`; `received` itself where the claim cannot be believed."""
    if claimed is None:
        return received
    try:
        told = claimed if skew is None else claimed - skew
        if told < received - BEHIND or told > received + AHEAD:
            return received
    except OverflowError:
        return received
    return min(told, received)
