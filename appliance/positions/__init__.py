"""Canonical positions: one position model, one codec per dialect, quotes, and the alignment of renditions.

book = shelf.book(sha256, path)
place = book.decode_cfi("epubcfi(/6/8!/4/2/1:17)")
if place.position is not None:
    kepub = shelf.book(other_sha256, other_path)
    there = translate(place, book, kepub)
    kepub.encode_kobo(there.position).locator        # KoboLocator("OEBPS/ch4.xhtml", "kobo.3.2")
"""

from appliance.positions.book import OpenBook
from appliance.positions.canonical import (
    Affinity,
    Encoded,
    EncodedRange,
    Place,
    Position,
    Range,
    RangePlace,
    Reason,
    Status,
    worst,
)
from appliance.positions.kobospan import KoboLocator
from appliance.positions.quote import Quote, TextQuote, quote_of
from appliance.positions.ranges import (
    decode_cfi_range,
    decode_kobo_range,
    decode_xpointer_range,
    encode_cfi_range,
    encode_kobo_range,
    encode_xpointer_range,
    range_text,
)
from appliance.positions.recover import confirm, recover
from appliance.positions.shelf import Shelf
from appliance.positions.summary import BookSummary, SpineDocument
from appliance.positions.translate import translate, translate_range
from appliance.positions.xpointer import is_indexed

__all__ = [
    "Affinity",
    "BookSummary",
    "Encoded",
    "EncodedRange",
    "KoboLocator",
    "OpenBook",
    "Place",
    "Position",
    "Quote",
    "Range",
    "RangePlace",
    "Reason",
    "Shelf",
    "SpineDocument",
    "Status",
    "TextQuote",
    "confirm",
    "decode_cfi_range",
    "decode_kobo_range",
    "decode_xpointer_range",
    "encode_cfi_range",
    "encode_kobo_range",
    "encode_xpointer_range",
    "is_indexed",
    "quote_of",
    "range_text",
    "recover",
    "translate",
    "translate_range",
    "worst",
]
