"""A person's hand in the web reader, by its API: the other end of what the plugin sends and gets."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from appliance.positions import OpenBook
from appliance.positions.ranges import decode_xpointer_range, encode_cfi_range
from tests.server import Browser, Server
from tests.webreader.open_reader import books


class BrowserHand:
    """`book`: the file, which is in the server's library."""

    def __init__(self, client: Browser, server: Server, book: Path) -> None:
        self.client = client
        self.open_book = OpenBook.open(book, "present")
        self.path = f"/api/books/{books(server)[book.name]}"

    def marks(self) -> list[dict[str, Any]]:
        """What there is and was not deleted."""
        answer = self.client.get(self.path + "/annotations")
        assert answer.status_code == 200, answer.text
        return [mark for mark in answer.json()["items"] if "deleted_at" not in mark]

    def mark(self, pos0: str, pos1: str, text: str, **fields: Any) -> str:
        """Mark what lies between two places as KOReader spells them; returns the id."""
        found = decode_xpointer_range(self.open_book, pos0, pos1)
        assert found.range is not None
        cfi = encode_cfi_range(self.open_book, found.range).locator
        # Where the same was marked before, it is that one.
        return str(self._act(do="create", id=str(uuid4()), range=cfi, text=text, **fields)["id"])

    def change(self, name: str, **fields: Any) -> None:
        """`base_version`: of the annotation as the person saw it, by default as it is."""
        self._act(do="change", id=name, **{"base_version": self.version(name), **fields})

    def delete(self, name: str) -> None:
        self._act(do="delete", id=name, base_version=self.version(name))

    def version(self, name: str) -> int:
        return int(next(mark["version"] for mark in self.marks() if mark["id"] == name))

    def _act(self, **operation: Any) -> dict[str, Any]:
        sha256 = self.client.get(self.path + "/annotations").json()["sha256"]
        body = {"sha256": sha256, "operations": [{"operation_id": uuid4().hex, **operation}]}
        (done,) = self._send("POST", "/annotations", body)["done"]
        assert done["outcome"] == "current", done
        return dict(done)

    def place(self) -> dict[str, Any]:
        return dict(self.client.get(self.path + "/progress").json())

    def words(self, count: int = 40) -> str:
        """The words where the person is, without white space."""
        place = self.open_book.decode_cfi(self.place()["cfi"])
        assert place.position is not None
        return "".join(self.open_book.quote(place.position, 0, count).suffix.split())

    def go(self, xpointer: str) -> None:
        """Read on to a place."""
        place = self.open_book.decode_xpointer(xpointer)
        assert place.position is not None
        cfi = self.open_book.encode_cfi(place.position).locator
        body = {"cfi": cfi, "act": "read", "operation_id": uuid4().hex, "based_on": self.place()["version"]}
        assert self._send("PUT", "/progress", body)["outcome"] == "current"

    def state(self) -> dict[str, Any]:
        return dict(self.client.get(self.path + "/state").json())

    def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        answer = self.client.request(
            method,
            self.path + path,
            content=json.dumps(body),
            headers={**self.client.csrf, "content-type": "application/json"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()
