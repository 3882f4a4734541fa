"""Find renditions by what devices call them, and open them."""

from pathlib import Path

from sqlmodel import Session

from appliance.house import House
from appliance.models import Rendition
from appliance.positions import OpenBook


def path_of(house: House, session: Session, sha256: str) -> Path | None:
    """A file that holds exactly these bytes, `None` when none is left."""
    raise NotImplementedError


def open_rendition(house: House, session: Session, sha256: str) -> OpenBook | None:
    """The rendition, ready to translate positions; `None` when its file is gone and its index is not kept."""
    raise NotImplementedError


def by_digest(session: Session, value: str) -> Rendition | None:
    """The rendition that a KOSync document digest means: partial MD5 first, then MD5 of a file name (weak)."""
    raise NotImplementedError
