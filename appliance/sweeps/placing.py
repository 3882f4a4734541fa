"""Place what devices reported of files that were not in the library at the time."""

from appliance.house import House
from appliance.reading.annotations.placing import place_annotations
from appliance.reading.progress import placing
from appliance.reading.sessions.record import attach_found
from appliance.sweeps.schedule import After
from appliance.sweeps.sweep import Stopping, Sweep


def run(house: House, stopping: Stopping) -> str:
    """See `placing` of `reading.progress` and of `reading.annotations`, and `reading.sessions.record.attach_found`."""
    placed = placing.retry(house, stopping) + place_annotations(house, stopping)
    with house.database.write() as session:
        placed += attach_found(session)
    if not placed:
        return "Nothing waits for a file that is there now."
    return f"{placed:,} {'report was' if placed == 1 else 'reports were'} placed now that the file is there."


SWEEP = Sweep(
    "placing",
    "Places what devices reported about files that were not in the library then.",
    After("scan"),
    run,
)
