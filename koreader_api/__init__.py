"""What KOReader speaks: `plugin` is the protocol of our own plugin (docs/plugin-protocol.md), `kosync` that of the
plugin KOReader brings along, which other apps speak as well, `bookorbit` that of another server's plugin."""

from koreader_api import bookorbit, plugin
from koreader_api.kosync.endpoints import routes as kosync_routes

routes = [*kosync_routes, *bookorbit.routes, *plugin.routes]

__all__ = ["routes"]
