"""The bench itself: its books are real EPUBs and always the same, and its sums are right."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from appliance.kepub import convert
from appliance.library.examination import examine
from tests.bench import generate, highlighting, reading_time, recording
from tests.bench.load import play, request
from tests.bench.row import Row, table


@pytest.mark.parametrize("number", range(len(generate.SHAPES)))
def test_each_shape_is_a_sound_book_and_always_the_same(tmp_path: Path, number: int) -> None:
    book = generate.plan(number, small=True)
    path = generate.write(tmp_path / "first", book)
    again = generate.write(tmp_path / "second", book)
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(again.read_bytes()).digest()
    examined = examine(path)
    assert examined.metadata.title == book.title
    assert not examined.doubts
    convert(path, tmp_path / "out.kepub.epub", "built-in")


def test_no_two_books_share_a_file_and_sizes_are_those_of_novels() -> None:
    books = [generate.plan(number) for number in range(1000)]
    assert len({book.file_name for book in books}) == 1000
    sizes = sorted(book.characters for book in books)
    assert 300_000 < sizes[500] < 500_000
    assert sizes[0] < 150_000 and sizes[-1] > 1_000_000


def test_the_load_generator_counts_what_was_answered() -> None:
    """Against a server that answers every third request with an error."""

    async def main() -> None:
        served = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal served
            while await reader.read(1000):
                served += 1
                status = b"500 No" if served % 3 == 0 else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        plan = [request("PUT", "/x", {"a": "b"}, b"{}")] * 30
        played = await asyncio.to_thread(play, port, [plan, plan], 30)
        server.close()
        assert (played.good, played.bad, served) == (40, 20, 60)
        assert len(played.latencies) == 60
        assert played.percentile(0) <= played.percentile(0.5) <= played.percentile(1)

    asyncio.run(main())


def test_the_visits_of_the_bench_come_in_whole(tmp_path: Path) -> None:
    found = reading_time.main(tmp_path, 3_000)
    assert found["database"] > 0


def test_reports_and_highlights_of_the_bench_come_in_whole(tmp_path: Path) -> None:
    assert [row.part for row in recording.measure(tmp_path, 200, small=True)] == ["record"] * 2
    assert [row.part for row in highlighting.measure(tmp_path, 50, small=True)] == ["highlights"] * 5


def test_the_table_can_be_read() -> None:
    text = table([Row("scan", "cold", "5/s", "≥ 6/s", False), Row("kobo", "sync", skipped="no peer")])
    assert [line.count("|") for line in text.splitlines()] == [6] * 4
    assert "**missed**" in text and "skipped: no peer" in text
