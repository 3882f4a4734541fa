"""EPUB → KEPUB: the file that a Kobo needs to report positions finer than a chapter (docs/reference/kepub.md)."""

from appliance.kepub.cache import KepubStore
from appliance.kepub.convert import Conversion, Engine, convert, engine_in_use, make_kepub

__all__ = ["Conversion", "Engine", "KepubStore", "convert", "engine_in_use", "make_kepub"]
