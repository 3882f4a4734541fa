"""What KOReader speaks: `kosync` is the protocol of the plugin that it brings along, and of other apps."""

from koreader_api.kosync.endpoints import routes

__all__ = ["routes"]
