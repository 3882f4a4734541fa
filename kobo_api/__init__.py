"""The Kobo store and reading services, as a Kobo expects them (docs/reference/kobo-protocol.md).

A request comes in through `entrance`, `caller` finds out whose it is, `contents` lists what answers it. The handlers
are one file per chapter of the protocol, in `library` (books and collections, the heart), `reading` (places, statuses,
time) and `annotations`; `store` merges Kobo's own store in, `plugged_in` is for a Kobo on a cable.
"""

from kobo_api.entrance import routes

__all__ = ["routes"]
