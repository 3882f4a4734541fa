"""Years of KOReader's statistics go to a real server, through kills in the middle, and the numbers are those of SQL."""

import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.koplugin import plugin_reader
from tests.koplugin.plugin_reader import PluginReader
from tests.server import BOOKS, Server, running_server
from tests.simulators.kosync import partial_md5

BOOK = BOOKS / "minimal-v2.epub"
FIVE_YEARS = 5 * 365 * 24 * 3600

SCHEMA = """
PRAGMA user_version = 20221111;
CREATE TABLE book (id integer PRIMARY KEY autoincrement, title text, authors text, notes integer, last_open integer,
    highlights integer, pages integer, series text, language text, md5 text, total_read_time integer,
    total_read_pages integer);
CREATE UNIQUE INDEX book_title_authors_md5 ON book(title, authors, md5);
CREATE TABLE page_stat_data (id_book integer, page integer NOT NULL DEFAULT 0, start_time integer NOT NULL DEFAULT 0,
    duration integer NOT NULL DEFAULT 0, total_pages integer NOT NULL DEFAULT 0, UNIQUE (id_book, page, start_time),
    FOREIGN KEY(id_book) REFERENCES book(id));
CREATE INDEX page_stat_data_start_time ON page_stat_data(start_time);
"""

# Sends until it is done, or until so many requests were answered: then the power goes.
SEND = """
local T = ...
local left = tonumber(T.args[1])
local plugin = T.plugin("bookwake")
local ask = plugin.server.ask
plugin.server.ask = function(self, request)
    local on_done = request.on_done
    request.on_done = function(...)
        left = left - 1
        if left == 0 then
            require("ffi").C.kill(require("ffi").C.getpid(), 9)
        end
        return on_done(...)
    end
    return ask(self, request)
end
local result
require("bookwake_history").send(plugin.core, { on_done = function(done) result = done end })
T.waitfor(function() return result end, 100000, "the history")
assert(not result.error, result.error and (result.error.class .. " " .. tostring(result.error.message)))
T.result(result)
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server(books=[BOOK]) as server:
        yield server


def write_statistics(path: Path, rows: int) -> None:
    """So many page visits in sittings over five years, of forty books; one is in the library."""
    dice = random.Random(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path)
    database.executescript(SCHEMA)
    database.execute(
        "INSERT INTO book (title, authors, pages, md5) VALUES ('Here', 'N/A', 300, ?)", [partial_md5(BOOK)]
    )
    for number in range(2, 41):
        md5 = f"{number:032x}"
        values = [f"Book {number}", "Ada\nBo", 200 + number, md5]
        database.execute("INSERT INTO book (title, authors, pages, md5) VALUES (?, ?, ?, ?)", values)

    def visits() -> Iterator[tuple[int, int, int, int, int]]:
        made, at = 0, int(time.time()) - FIVE_YEARS - 60 * 24 * 3600
        pause = FIVE_YEARS * 60 // rows - 60 * 62  # so that sittings of sixty pages fill the five years
        while made < rows:
            book, page = dice.randint(1, 40), dice.randint(1, 240)
            for step in range(min(60, rows - made)):
                seconds = dice.randint(5, 120)
                yield book, page + step, at, seconds, 300
                at += seconds
                made += 1
            at += max(60, pause + dice.randint(-30, 30))

    database.executemany("INSERT INTO page_stat_data VALUES (?, ?, ?, ?, ?)", visits())
    database.commit()
    database.close()


def by_book(rows: sqlite3.Connection, query: str) -> dict[str, tuple[int, int]]:
    return {md5: (count, seconds) for md5, count, seconds in rows.execute(query)}


def import_history(server: Server, folder: Path, rows: int, kills: list[int]) -> None:
    server.add_user("Ida")
    reader = PluginReader(folder)
    reader.pair(server, "Ida")
    path = reader.home / "settings/statistics.sqlite3"
    write_statistics(path, rows)
    script = folder / "send.lua"
    script.write_text(SEND)
    for requests in kills:
        assert reader.run(script, requests).returncode == -9
    (result,) = reader.live(script, 0)
    # What was on its way when the power went goes twice, and is counted once.
    assert result["new"] + result["duplicate"] == result["sent"] <= rows
    assert result["duplicate"] <= 1000 * len(kills)
    assert result["refused"] == result["doubted"] == 0
    (again,) = reader.live(script, 0)
    assert again["sent"] == 0

    there = sqlite3.connect(path)
    here = sqlite3.connect(server.data / "bookwake.sqlite3")
    wanted = by_book(
        there, "SELECT md5, COUNT(*), SUM(duration) FROM page_stat_data JOIN book ON book.id = id_book GROUP BY md5"
    )
    assert by_book(here, KEPT) == wanted
    assert sum(count for count, _ in wanted.values()) == rows
    there.close()
    here.close()


# Of a file that is in the library the rows are the book's.
KEPT = f"""
SELECT CASE WHEN book_id IS NULL THEN substr(name, 5) ELSE '{partial_md5(BOOK)}' END AS md5, COUNT(*), SUM(seconds)
FROM readingevent JOIN readdocument ON readdocument.id = document_id GROUP BY md5
"""


@pytest.mark.slow
def test_a_history_is_the_same_on_the_server(server: Server, tmp_path: Path) -> None:
    import_history(server, tmp_path, 4_500, kills=[2, 1])


@pytest.mark.nightly
def test_five_years_of_half_a_million_visits(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_reader, "PATIENCE", 7200)
    import_history(server, tmp_path, 500_000, kills=[100, 7, 200])
