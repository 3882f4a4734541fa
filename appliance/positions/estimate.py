"""Places from percentages: approximate, the start of a block, with how much they may be wrong (positions.md C.7)."""

from math import ceil
from typing import NamedTuple

from appliance.positions.book import UNREADABLE, OpenBook
from appliance.positions.canonical import Place
from appliance.positions.fraction import ENGINES, of_percent
from appliance.positions.page_share import PageShare


class Estimate(NamedTuple):
    """`error`: canonical characters by which `place` may be wrong, either way."""

    place: Place
    error: int


def by_text(book: OpenBook, share: float, step: float = 0.0) -> Estimate:
    """From the share of a book as some engine counts it, which nobody told. `step`: to which it was rounded down."""
    place = book.decode_fraction(share)
    if place.tick is None:
        return Estimate(place, 0)
    # A block starts before the place that the share means.
    asked = book.at_tick(round(min(max(share, 0.0), 1.0) * place.total)).tick if share == share else None
    return Estimate(place, ceil((ENGINES + step) * place.total) + max((asked or 0) - place.tick, 0))


def by_document(book: OpenBook, start: Place, percent: float) -> Estimate:
    """From a percent of the document in which `start` is (`ContentSourceProgressPercent`, kobo-protocol.md 5.3)."""
    position = start.position
    try:
        document = None if position is None else book.summary.document(position.document, position.occurrence)
    except UNREADABLE:
        document = None
    if document is None:
        return Estimate(start, 0)
    k, step = of_percent(percent, document.length)
    place = book.near(document, k)
    if place.position is None:
        return Estimate(start, document.length)
    return Estimate(place, step + ceil(ENGINES * document.length) + k - place.position.k)


def by_page(book: OpenBook, pages: PageShare, share: float) -> Estimate:
    """From KOReader's percentage, as that device counts its pages."""
    tick, error = pages.tick(share)
    asked = book.at_tick(tick).position
    try:
        document = None if asked is None else book.summary.document(asked.document, asked.occurrence)
    except UNREADABLE:
        document = None
    if document is None or asked is None:
        return Estimate(book.at_tick(tick), error)
    place = book.near(document, asked.k)
    return Estimate(place, error + asked.k - (place.position.k if place.position else asked.k))
