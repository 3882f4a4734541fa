"""A Kobo without hardware: keeps its own books and places, and complains of what would harm a real one.

Built from docs/reference/kobo-protocol.md 1.1, 4.10, 5.4, 5.6, 7.2 and 13.3, and kepub.md 11. It shares no code with
`kobo_api` or `appliance.positions`, so that each checks the other.

with Kobo(api_endpoint, folder) as kobo:
    kobo.sync()
    kobo.download("Alice")
    kobo.open("Alice")
    kobo.turn_pages(5)
    kobo.close()
"""

from tests.simulators.kobo.device import Kobo
from tests.simulators.kobo.kepub import Kepub, Span
from tests.simulators.kobo.violation import Violation

__all__ = ["Kepub", "Kobo", "Span", "Violation"]
