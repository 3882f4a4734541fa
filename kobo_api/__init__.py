"""The Kobo store and reading services, as a Kobo expects them (docs/reference/kobo-protocol.md).

A request comes in through `entrance`, `caller` finds out whose it is, `contents` lists what answers it. The handlers
are one file per chapter of the protocol; `library_sync` with `sync_run`, `ledger` and `book_rows` is the heart.
"""

from kobo_api.entrance import routes

__all__ = ["routes"]
