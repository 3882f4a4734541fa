"""Colours of highlights on every kind of reader.

A colour is stored as the reader that chose it spells it, `kobo:#F6F3B3`, `koreader:yellow`, `web:#ffe066`, so that
this reader gets its own back for ever. Others are shown the nearest they have (docs/reference/koreader.md 4.6,
kobo-protocol.md 7.8), and what they are shown is never taken for a choice of theirs.
"""

import colorsys
import re
from typing import Final, Literal

Surface = Literal["kobo", "koreader", "web"]

DEFAULT: Final = "web:#ffe066"

# Each reader's spelling of each family. Where it lacks one, the family to show instead stands in `_INSTEAD`.
_SPELLINGS: dict[str, dict[str, str]] = {
    "kobo": {"yellow": "#F6F3B3", "pink": "#E8AFCF", "blue": "#B2E1E8", "green": "#C6E09E", "grey": "#A0A0A0"},
    "koreader": {
        "red": "red",
        "orange": "orange",
        "yellow": "yellow",
        "green": "green",
        "olive": "olive",
        "cyan": "cyan",
        "blue": "blue",
        "purple": "purple",
        "grey": "gray",
    },
    "web": {
        "red": "#ff8a80",
        "orange": "#ffb74d",
        "yellow": "#ffe066",
        "olive": "#d4e157",
        "green": "#a5d6a7",
        "cyan": "#80deea",
        "blue": "#90caf9",
        "purple": "#ce93d8",
        "pink": "#f8bbd0",
        "grey": "#bdbdbd",
    },
}
_INSTEAD = {
    "kobo": {"red": "pink", "orange": "yellow", "olive": "green", "cyan": "blue", "purple": "pink"},
    "koreader": {"pink": "purple"},
    "web": {},
}
_FAMILIES = {
    surface: {spelling.lower(): family for family, spelling in spellings.items()}
    for surface, spellings in _SPELLINGS.items()
}
# Upper end of each family's hues, in degrees.
_HUES = (
    (18, "red"),
    (45, "orange"),
    (66, "yellow"),
    (90, "olive"),
    (160, "green"),
    (195, "cyan"),
    (250, "blue"),
    (300, "purple"),
    (345, "pink"),
    (360, "red"),
)

KOBO_GREY: Final = _SPELLINGS["kobo"]["grey"]
"""What a greyscale Kobo writes for every highlight, whatever its colour was."""

MAX_LENGTH = 64  # characters of a colour's name


def stored(surface: Surface, spelling: str) -> str:
    """A colour as it is kept. An empty spelling is the reader's default colour."""
    spelling = spelling.strip()[:MAX_LENGTH]
    return f"{surface}:{spelling}" if spelling else f"{surface}:{shown(DEFAULT, surface)}"


def shown(colour: str, surface: Surface) -> str:
    """How a reader spells a stored colour: its own unchanged, otherwise the nearest it has."""
    origin, _, spelling = colour.partition(":")
    if origin == surface and spelling:
        return spelling
    family = _family(origin, spelling)
    family = _INSTEAD[surface].get(family, family)
    return _SPELLINGS[surface][family]


def name_of(colour: str) -> str:
    """What a person calls a stored colour: yellow, red, orange, olive, green, cyan, blue, purple, pink or grey."""
    origin, _, spelling = colour.partition(":")
    return _family(origin, spelling)


def choices(surface: Surface) -> list[str]:
    """The colours that a reader can choose from, in its own spelling."""
    return list(_SPELLINGS[surface].values())


def _family(origin: str, spelling: str) -> str:
    family = _FAMILIES.get(origin, {}).get(spelling.lower())
    if family is not None:
        return family
    if re.fullmatch(r"#[0-9a-fA-F]{6}", spelling):
        red, green, blue = (int(spelling[at : at + 2], 16) / 255 for at in (1, 3, 5))
        hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
        if saturation < 0.12 or max(red, green, blue) - min(red, green, blue) < 0.08:
            return "grey"
        return next(name for end, name in _HUES if hue * 360 <= end)
    # KOReader shows a name it does not know as grey.
    return "grey" if origin == "koreader" else "yellow"
