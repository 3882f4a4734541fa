"""A place of one rendition in another rendition of the same book (docs/reference/positions.md C.2, C.6)."""

from appliance.positions.book import OpenBook
from appliance.positions.canonical import Place, Reason, Status


def translate(place: Place, source: OpenBook, target: OpenBook) -> Place:
    """The same word in `target`. The status is the weakest of the steps; never raises."""
    raise NotImplementedError
