"""The endpoints of the protocol, in the order of docs/plugin-protocol.md."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from koreader_api.plugin import backups, catalogue, downloads, hello, matching, pairing, statistics, sync
from koreader_api.plugin.limits import BODY, PART_BODY, SYNC_BODY

PREFIX = "/api/koplugin/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`handle`: takes a `Call` and, where there is a body, its shape or its bytes. `limit`: bytes of a body.
    `is_for_old_plugins`: even a plugin that is not understood any more may ask."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    handle: Callable[..., Any]
    access: Literal["public", "plugin"] = "plugin"
    limit: int = BODY
    is_for_old_plugins: bool = False

    @property
    def takes(self) -> Any:
        """The shape of the body, `bytes` for a raw one, `None` for none."""
        names = [name for name in inspect.signature(self.handle).parameters if name != "call"]
        return get_type_hints(self.handle)[names[0]] if names else None

    @property
    def gives(self) -> Any:
        """The shape of the answer, or several."""
        return get_type_hints(self.handle)["return"]


ENDPOINTS = (
    Endpoint("GET", "/hello", hello.greet, "public"),
    Endpoint("POST", "/hello", hello.hello, is_for_old_plugins=True),
    Endpoint("POST", "/pair", pairing.pair, "public"),
    Endpoint("POST", "/pair/begin", pairing.begin, "public"),
    Endpoint("POST", "/pair/poll", pairing.poll, "public"),
    Endpoint("POST", "/match", matching.match),
    Endpoint("POST", "/link", matching.link),
    Endpoint("POST", "/sync", sync.sync, limit=SYNC_BODY),
    Endpoint("POST", "/statistics", statistics.statistics),
    Endpoint("POST", "/statistics/others", statistics.others),
    Endpoint("POST", "/backups", backups.begin),
    Endpoint("PUT", "/backups/parts/{sha256:str}", backups.put_part, limit=PART_BODY),
    Endpoint("GET", "/backups", backups.listed),
    Endpoint("GET", "/backups/{backup:str}", backups.one),
    Endpoint("GET", "/backups/{backup:str}/parts/{name:str}", backups.part),
    Endpoint("GET", "/library/series", catalogue.series),
    Endpoint("GET", "/library/authors", catalogue.authors),
    Endpoint("GET", "/library/books", catalogue.books),
    Endpoint("GET", "/series/{book:str}", catalogue.series_of),
    Endpoint("GET", "/download/{book:str}", downloads.download),
    Endpoint("GET", "/update", downloads.update, is_for_old_plugins=True),
)
