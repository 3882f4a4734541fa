"""How much may come at once (docs/plugin-protocol.md, Rules)."""

from koreader_api.plugin import wire

BODY = 512 * 1024  # bytes
SYNC_BODY = 4 * 1024 * 1024  # bytes; a whole list of annotations
PART_BODY = 8 * 1024 * 1024  # bytes of one file of a sidecar
ANSWER = 512 * 1024  # bytes
OPERATIONS = 200
PULLS = 20
ROWS = 1_000
GIVEN = 100  # annotations of a pull

LIMITS = wire.Limits(body=BODY, operations=OPERATIONS, pulls=PULLS, rows=ROWS)
