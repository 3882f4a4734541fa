"""The protocol of our KOReader plugin (docs/plugin-protocol.md).

A request comes in through `entrance`, `caller` finds out whose it is, `contents` lists what answers it: one file per
chapter of the protocol. `wire` has all shapes, named as on the wire; `openapi` describes them for others.
"""

from koreader_api.plugin.entrance import routes

__all__ = ["routes"]
