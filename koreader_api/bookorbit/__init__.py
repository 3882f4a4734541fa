"""What BookOrbit's KOReader plugin speaks, so that its clients, such as Readest, work here unchanged
(docs/reference/koreader.md 7.1). The login is that of KOSync; below it lies the same record."""

from koreader_api.bookorbit.endpoints import routes

__all__ = ["routes"]
