"""The Kobo dialect: koboSpans in the delivered file (docs/reference/kepub.md 11 and 14, kobo-protocol.md 5.3, 7.9)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KoboLocator:
    """A place as a Kobo names it.

    `source`: path of the document inside the KEPUB. `value`: id of the span, `kobo.18.2`; empty for a whole document.
    `offset`: UTF-16 units into the span's text (annotations), `None` for reading progress, which means the span.
    """

    source: str
    value: str
    offset: int | None = None
