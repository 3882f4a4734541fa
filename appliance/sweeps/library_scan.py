"""Bring the library in step with the book folders."""

from appliance.house import House
from appliance.library.scan import ScanResult, ScanRunning, scan
from appliance.sweeps.schedule import Every
from appliance.sweeps.sweep import Stopping, Sweep


class _Stopped(Exception):
    """The appliance stops; what was read so far is in the database already."""


def run(house: House, stopping: Stopping) -> str:
    """One scan, unless a person runs one right now."""

    def give_way(_done: int, _due: int, _path: str) -> None:
        if stopping():
            raise _Stopped

    try:
        return sentence(scan(house, give_way))
    except _Stopped:
        return "Stopped with the appliance; goes on at the next start."
    except ScanRunning:
        return "Left out, because another scan was running."


def sentence(result: ScanResult) -> str:
    """What a scan found, such as “1,024 files as before, 2 new, 1 missing.”"""
    counts = [
        (result.added, "new"),
        (result.changed, "changed"),
        (result.moved, "moved"),
        (result.returned, "back again"),
        (result.missing, "missing"),
        (result.refused, "not usable"),
    ]
    said = [f"{result.unchanged:,} {'file' if result.unchanged == 1 else 'files'} as before"]
    said += [f"{count:,} {what}" for count, what in counts if count]
    return " ".join([", ".join(said) + ".", *result.problems[:3]])


SWEEP = Sweep("scan", "Looks for new, changed, moved and missing files in the book folders.", Every(hours=1), run)
