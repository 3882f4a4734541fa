"""The words around a position, to show to people and to find the place again (docs/reference/positions.md C.5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quote:
    """`prefix`, `suffix`: canonical characters (no white space) before and after the place, for comparing.

    `display`: the words that follow the place, with single spaces, for people.
    """

    prefix: str
    suffix: str
    display: str
