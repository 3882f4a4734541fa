"""A device on a bad network: answers get lost, requests are repeated, and in the end both hold the same.

The device here knows nothing but the rules of the page: what is not acknowledged is sent again, what was pulled is
followed, and what others changed is pulled.
"""

import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.koreader_api.plugin.standin import Device, Words, paired
from tests.server import Server
from tests.simulators.kosync import partial_md5

STEPS = 40


class Reader:
    """One KOReader: `items` by name are what it holds, `known` is what the server acknowledged."""

    def __init__(self, device: Device, book: Path, words: Words, dice: random.Random) -> None:
        self.device, self.file, self.words, self.dice = device, partial_md5(book), words, dice
        self.items: dict[str, dict[str, Any]] = {}
        self.known: dict[str, dict[str, Any]] = {}
        self.base: dict[str, int] = {}
        self.waiting: dict[str, Any] | None = None
        self.followed: list[dict[str, Any]] = []

    def act(self) -> None:
        """A person marks, edits or deletes something."""
        names = sorted(self.items)
        what = self.dice.choice(["make", "make", "note", "colour", "delete"])
        if what == "make" or not names:
            word = self.dice.randrange(200) * 30
            made = self.words.highlight(f"{self.device.id}/{word}", word, 5, note="")
            if made["pos0"] not in {item["pos0"] for item in self.items.values()}:  # a tap there opens what is there
                self.items[made["name"]] = made
        elif what == "delete":
            del self.items[self.dice.choice(names)]
        else:
            name = self.dice.choice(names)
            item = dict(self.items[name])
            if what == "note":
                item["note"] = f"{item.get('note', '')} {self.device.id}.{self.dice.randrange(10**9)}".strip()
            else:
                item["colour"] = self.dice.choice(["red", "green", "blue"])
            self.items[name] = item

    def sync(self, is_lossy: bool) -> None:
        """One exchange, of which anything may get lost."""
        if self.waiting is None:
            changed = [
                {**item, **({"base": self.base[name]} if name in self.base else {})}
                for name, item in self.items.items()
                if self.known.get(name) != item
            ]
            deleted = [
                {"name": name, "base": self.base.get(name, 0), "confirmed": True}
                for name in self.known
                if name not in self.items
            ]
            self.waiting = self.device.operation("annotations", self.file, changed=changed, deleted=deleted)
        operations = [self.waiting]
        if self.followed:  # what it holds by now comes first: a mark beside it is a second one
            operations.insert(0, self.device.operation("followed", self.file, followed=self.followed))
        answer = self._send({"operations": operations, "pull": [{"file": self.file}]}, is_lossy)
        if answer is None:
            return
        said, self.waiting, self.followed = self.waiting, None, []
        for item, told in zip([*said["changed"], *said["deleted"]], answer["answers"][-1]["annotations"], strict=True):
            assert told["outcome"] != "rejected" or told["reason"] == "unknown-annotation", told
            name = item["name"]
            if "type" in item:
                self.known[name] = {key: value for key, value in item.items() if key != "base"}
                self.base[name] = told["version"]
            else:
                self.known.pop(name, None)
                self.base.pop(name, None)
        for given in answer["pulled"][0].get("annotations", []):
            self._apply(given)

    def _apply(self, given: dict[str, Any]) -> None:
        name = given["name"]
        if self.items.get(name) != self.known.get(name):
            return  # changed here meanwhile: it goes up first, and comes again
        if given["do"] == "remove":
            self.items.pop(name, None)
            self.known.pop(name, None)
            self.base.pop(name, None)
            outcome = "removed"
        else:
            item = {key: given[key] for key in ("name", "type", "pos0", "pos1", "text", "colour", "style")}
            self.items[name] = self.known[name] = {**item, "note": given.get("note", "")}
            self.base[name] = given["version"]
            outcome = "placed"
        self.followed.append({"name": name, "version": given["version"], "outcome": outcome})

    def _send(self, body: dict[str, Any], is_lossy: bool) -> Any:
        """`None` where the answer got lost: the server may have got the request, and may get it twice."""
        body = {"clock": self.device.now(), **body}

        def send() -> httpx.Response:
            answer = self.device.http.post("/sync", json=body, headers=self.device.headers)
            assert answer.status_code == 200, answer.text
            return answer

        fate = self.dice.random() if is_lossy else 1.0
        if fate < 0.15:
            return None
        answer = send()
        if 0.15 <= fate < 0.3:
            return None
        if 0.3 <= fate < 0.4:
            answer = send()
        return answer.json()

    def shown(self) -> list[tuple[str, ...]]:
        """What a person sees."""
        fields = ("pos0", "pos1", "text", "note", "colour", "style")
        return sorted(tuple(item[field] for field in fields) for item in self.items.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_gets_lost_both_end_with_the_same(server: Server, ida: str, book: Path, words: Words, seed: int):
    dice = random.Random(seed)
    readers = [Reader(paired(server, ida), book, words, dice) for _ in range(2)]
    for _ in range(STEPS):
        reader = dice.choice(readers)
        reader.act()
        if dice.random() < 0.5:
            reader.sync(is_lossy=True)
    for _ in range(8):
        for reader in readers:
            reader.sync(is_lossy=False)
    assert readers[0].shown() == readers[1].shown() and readers[0].items
    fresh = Reader(paired(server, ida), book, words, dice)
    for _ in range(3):
        fresh.sync(is_lossy=False)
    assert fresh.shown() == readers[0].shown(), "and so does the server"
