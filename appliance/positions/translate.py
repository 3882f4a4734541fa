"""A place of one rendition in another rendition of the same book."""

from appliance.positions.book import OpenBook
from appliance.positions.canonical import Place


def translate(place: Place, source: OpenBook, target: OpenBook) -> Place:
    """The same word in `target`. The status is the weakest of the steps; never raises."""
    raise NotImplementedError
