"""How KOReader calls the styles of highlights."""

from typing import Final

STYLES: Final = {"lighten": "highlight", "underscore": "underline", "strikeout": "strikeout", "invert": "invert"}
"""KOReader's word (`drawer`), and how it is kept."""


def style_of(drawer: str) -> str:
    """A style as it is kept."""
    return STYLES.get(drawer, "highlight")


def drawer(style: str) -> str:
    """How KOReader calls a style that is kept."""
    return next((theirs for theirs, ours in STYLES.items() if ours == style), "lighten")
