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
        # Whole seconds, as the journal keeps it: what is derived from there must come out the same.
        told = claimed if skew is None else claimed - timedelta(seconds=round(skew.total_seconds()))
        if told < received - BEHIND or told > received + AHEAD:
            return received
    except OverflowError:
        return received
    return min(told, received)


def skew_of(seconds: int | None) -> timedelta | None:
    """The skew of an entry of the journal."""
    return timedelta(seconds=seconds) if seconds is not None else None
