"""What a KOReader was told of a place, so that its echo is recognised."""

from sqlmodel import Session

from appliance.house import House
from appliance.models import DeviceProgress
from appliance.reading.progress.projection import Projected
from appliance.reading.progress.record import note_given


def remember_given(house: House, session: Session, device_id: int, book_id: str, projected: Projected) -> None:
    """Keep which place a device is about to be told. `session`: to read in; writes by itself, and only what is new."""
    told = session.get(DeviceProgress, (device_id, book_id))
    given = projected.version, str(projected.encoded.locator)
    if told is None or (told.given_version, told.given_locator) != given:
        with house.database.write() as writing:
            note_given(writing, device_id, book_id, *given, projected.echo_tick, house.now())
