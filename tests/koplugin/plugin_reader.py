"""A KOReader with the plugin, in processes of its own: the stand-in of KOReader, the plugin's real code, real HTTP."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests import needs
from tests.server import Server
from tests.simulators.koreader.book_model import write_model

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RUN = ROOT / "tests" / "simulators" / "koreader" / "run.lua"
PLUGIN = ROOT / "koplugin" / "bookwake.koplugin"
SCRIPTS = HERE / "scripts"
PATIENCE = 180
"""Seconds after which a process is given up; no measure of anything."""


class PluginReader:
    """`folder`: its card, with KOReader's data and the books. `book`: the one that is read."""

    book: Path

    def __init__(self, folder: Path) -> None:
        self.luajit = needs.program("luajit", "luajit")
        self.home = folder / "koreader"
        self.books = folder / "books"
        self.home.mkdir(parents=True)
        self.books.mkdir()

    def put(self, book: Path, *, indexed: bool = False) -> Path:
        """Copy a book to it."""
        copy = self.books / book.name
        shutil.copy(book, copy)
        write_model(copy, indexed=indexed)
        return copy

    def pair(self, server: Server, person: str) -> int:
        """Become a device of a person; returns its id."""
        code = server.add_device(person, "koreader")["code"]
        return int(self.live("pair.lua", server.url, code)[0]["id"])

    def live(self, script: str | Path, *arguments: object, settings: dict[str, Any] | None = None) -> list[Any]:
        """Run a life of KOReader to its end; returns the results that it printed."""
        done = self.run(script, *arguments, settings=settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def run(
        self, script: str | Path, *arguments: object, settings: dict[str, Any] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "KO_HOME": str(self.home),
            "KO_BOOKS": str(self.books),
            "KO_PLUGINS": str(PLUGIN),
            "KO_SETTINGS": json.dumps(settings or {}),
            "TZ": "UTC",
        }
        path = script if isinstance(script, Path) else SCRIPTS / script
        return subprocess.run(
            [self.luajit, RUN, path, *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def do(self, text: str, *arguments: object, settings: dict[str, Any] | None = None) -> list[Any]:
        """Run a life given as Lua: `T` is the person, `plugin()` the plugin, `sync()` what "sync now" does."""
        script = self.home.parent / "script.lua"
        script.write_text(PRELUDE + text, encoding="utf-8")
        return self.live(script, *arguments, settings=settings)


PRELUDE = """
local T = ...
local function plugin() return T.plugin("bookwake") end
local function sync()
    local result
    plugin():capture()
    plugin().sync:now({ file = plugin().file, reason = "person", on_done = function(done) result = done end })
    T.waitfor(function() return result end, 120, "a sync")
    assert(not result.error, result.error and (result.error.class .. " " .. tostring(result.error.message)))
    return result
end
local function items()
    local list = {}
    for index, item in ipairs(T.reader().annotation.annotations) do
        list[index] = { text = item.text, note = item.note, color = item.color, drawer = item.drawer,
            pos0 = item.pos0, pos1 = item.pos1, page = item.page }
    end
    return list
end
"""


def in_book(reader: PluginReader, lua: str = "", **more: Any) -> Any:
    """Open the book, do something, sync, and tell what is in it."""
    return reader.do(
        f"T.open(T.args[1]) T.wait(3) {lua} sync() sync() T.result(items()) T.close() T.wait(5)", reader.book, **more
    )[-1]


def notes(marks: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Of highlights, by their words."""
    return {mark["text"]: mark.get("note", "") for mark in marks}
