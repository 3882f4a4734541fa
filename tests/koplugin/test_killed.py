"""The plugin is killed at random instructions while it captures, sends and applies: nothing captured is lost, nothing
is there twice, and reader and server agree in the end.

A part runs in CI; all 500 points with `pytest -m nightly tests/koplugin/test_killed.py`.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.koplugin.browser_hand import BrowserHand
from tests.koplugin.plugin_reader import PluginReader
from tests.server import BOOKS, Server, running_server
from tests.webreader.open_reader import query

BOOK = BOOKS / "calibre-docx_alice.epub"
ACTS = 10  # of one life
LIVES = 8  # before all is compared

# The person's own, on the reader; others are marked in the browser.
OWN = [
    "burning with curiosity",
    "a large rabbit-hole under the hedge",
    "Curiouser and curiouser",
    "a little door about fifteen inches",
    "very soon finished off the cake",
    "to take out of it",
    "wonder how many mi",
    "Which was very likely true",
]
GIVEN = ["in another moment down went Alice", "ran close by her", "Down, down, down.", "with pink eyes"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOK]) as server:
        yield server


class Round:
    """One reader, one person, and what both should come to."""

    def __init__(self, server: Server, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.server = server
        self.person = f"Ida {seed}"
        server.add_user(self.person)
        self.reader = PluginReader(folder)
        self.book = self.reader.put(BOOK)
        self.reader.pair(server, self.person)
        self.phrases = folder / "phrases.json"
        self.journal = folder / "journal"
        self.journal.touch()
        found = self.reader.do(
            """local cjson = require("cjson")
            T.open(T.args[1])
            local own, given = {}, {}
            for _, text in ipairs(cjson.decode(T.args[2])) do
                if pcall(T.find, text) then own[#own + 1] = text end
            end
            for _, text in ipairs(cjson.decode(T.args[3])) do
                local ok, from, to = pcall(T.find, text)
                if ok then given[#given + 1] = { text, from, to } end
            end
            T.result({ own = own, given = given })
            T.close()
            T.wait(5)""",
            self.book,
            json.dumps(OWN),
            json.dumps(GIVEN),
        )[0]
        assert len(found["own"]) >= 5 and len(found["given"]) >= 3
        self.phrases.write_text(json.dumps(found["own"]), encoding="utf-8")
        self.given = found["given"]
        self.marked: dict[str, tuple[str, str]] = {}  # in the browser: id and note by words

    def live(self, *killed: object) -> dict[str, int] | None:
        """One life; returns how many instructions it took, `None` if it was killed."""
        self.seed = self.chance.randrange(10**6)
        arguments = [self.book, self.phrases, self.journal, self.seed, ACTS]
        done = self.reader.run("life.lua", *arguments, *killed)
        if done.returncode == -9:
            return None
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def act_in_browser(self, browser: BrowserHand) -> None:
        """Make, edit or delete one there."""
        text, *places = self.chance.choice(self.given)
        if text not in self.marked:
            note = f"there {self.chance.randrange(10**6)}"
            self.marked[text] = browser.mark(*places, text, note=note), note
        elif self.chance.random() < 0.5:
            note = f"there {self.chance.randrange(10**6)}"
            browser.change(self.marked[text][0], note=note)
            self.marked[text] = self.marked[text][0], note
        else:
            browser.delete(self.marked.pop(text)[0])

    def possible(self) -> dict[str, set[str | None]]:
        """For each phrase, the notes it may have now: that after what was last captured, or of any later act. `None`:
        it is not there. What was not captured when a life was killed may have come to the card or not."""
        states: dict[str, list[set[str | None]]] = {text: [{None}] for text in json.loads(self.phrases.read_text())}
        ever: dict[str, set[str | None]] = {text: {""} for text in states}
        touched: set[str] = set()  # in this life
        for line in self.journal.read_text(encoding="utf-8").splitlines():
            act = json.loads(line)
            if act["do"] == "begin":
                touched = set()
            elif act["do"] == "captured":
                for text in touched:
                    states[text] = states[text][-1:]
            else:
                text = act["phrase"]
                if act["do"] == "note":
                    ever[text].add(act["note"])
                # What is made again where it was deleted is the deleted one, with the note that it had.
                notes = {"make": set(ever[text]), "note": {act.get("note")}, "delete": {None}}[act["do"]]
                states[text].append(notes)
                touched.add(text)
        return {text: set().union(*known) for text, known in states.items()}

    def compare(self, browser: BrowserHand) -> None:
        """Let the reader sync in peace; then all must agree."""
        (last,) = self.reader.live("last.lua", self.book)
        assert last["pending"] == 0 and last["rejected"] == 0, last
        assert not last["quarantined"] and not last["unplaced"], last
        marks = browser.marks()
        there = self.only_once(marks)
        here = self.only_once(list(last["items"]))
        assert here == there
        possible = self.possible()
        # A note that was written over an older one, which a crash had brought back, or where a deleted one had been, is
        # kept beside the other.
        kept: dict[str, set[str | None]] = {text: {note} for text, note in here.items()}
        for mark in marks:
            kept[mark["text"]].update(mark.get("other_notes", []))
        for text, notes in possible.items():
            assert kept.get(text, {None}) & notes, (text, kept.get(text), notes)
        assert here.keys() - possible.keys() == self.marked.keys()
        for text, (_, note) in self.marked.items():
            assert note in kept[text], (text, kept[text], note)
        # The reader goes on from what was found.
        lines: list[dict[str, Any]] = [{"do": "begin"}]
        for text in possible:
            act: dict[str, Any] = {"do": "note", "note": here[text]} if text in here else {"do": "delete"}
            lines.append({**act, "phrase": text})
        lines.append({"do": "captured"})
        with self.journal.open("a", encoding="utf-8") as journal:
            journal.writelines(json.dumps(line) + "\n" for line in lines)

    @staticmethod
    def only_once(marks: list[dict[str, Any]]) -> dict[str, str]:
        """Notes by words, each of which may be there only once."""
        found = {mark["text"]: mark.get("note") or "" for mark in marks}
        assert len(found) == len(marks), sorted(mark["text"] for mark in marks)
        return found


def kill(server: Server, folder: Path, seed: int, points: int) -> dict[str, int]:
    """So many lives that are killed; returns what was counted."""
    this = Round(server, folder, seed)
    counted = {"killed": 0, "of them in a sync": 0, "lived on": 0, "acts in the browser": 0}
    with server.browser(this.person) as client:
        client.headers["accept"] = "application/json"
        browser = BrowserHand(client, server, BOOK)
        whole = this.live()
        assert whole is not None
        while counted["killed"] < points:
            if this.chance.random() < 0.5:
                took = this.live(this.chance.randrange(1, whole["instructions"]))
            else:
                took = this.live(this.chance.randrange(1, whole["in_sync"]), "sync")
                counted["of them in a sync"] += took is None
            counted["killed" if took is None else "lived on"] += 1
            if took is not None:
                whole = {name: max(whole[name], took[name]) for name in ("instructions", "in_sync")}
            if this.chance.random() < 0.4:
                this.act_in_browser(browser)
                counted["acts in the browser"] += 1
            if counted["killed"] % LIVES == 0:
                this.compare(browser)
        this.compare(browser)
    twice = query(
        server,
        "SELECT count(*) FROM annotation a JOIN annotation b"
        " USING (user_id, book_id, kind, start_document, start_k, end_document, end_k)"
        " WHERE a.id < b.id AND a.deleted_at IS NULL AND b.deleted_at IS NULL",
    )
    assert twice == [(0,)]
    return counted


@pytest.mark.slow
def test_killed_at_some_points(server: Server, tmp_path: Path) -> None:
    kill(server, tmp_path, 1, 8)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 12))
def test_killed_at_fifty_points(server: Server, tmp_path: Path, seed: int) -> None:
    print(kill(server, tmp_path, seed, 50))
