"""How many positions a second are stored, each with a durable commit before it is acknowledged."""

import hashlib
import json
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appliance.library.digests import digests
from tests.bench import calibre_web
from tests.bench.appliance import Appliance, wait_until_quiet
from tests.bench.generate import Book
from tests.bench.kobo_sync import sync
from tests.bench.load import Played, play, request
from tests.bench.row import Row
from tests.bench.server import Server
from tests.simulators.engine import Engine

CLIENTS = 8
SECONDS = 10.0
MOST = 3000
"""Requests made ready for each client."""

PER_SECOND = 500
SLOWEST = 0.05
"""Seconds within which 99 of 100 requests are answered."""

_SPAN = re.compile(rb'id="(kobo\.\d+\.\d+)"')


def measure(appliance: Appliance, books: Sequence[Book], peer: Path | str, work: Path) -> Iterator[Row]:
    """Eight people, each reading a book of their own: on Kobos, then in KOReader."""
    theirs = None if isinstance(peer, str) else _peer(peer, appliance.books, books[:CLIENTS], work)
    said = f"skipped: {peer}" if theirs is None else _words(theirs)
    with appliance.start() as server:
        wait_until_quiet(server)
        devices = [appliance.add_device(f"Reader {number}", "kobo") for number in range(CLIENTS)]
        plans = [_kobo_plan(server, device, number) for number, device in enumerate(devices)]
        yield _row("Kobo state PUT", *_play(appliance, server, plans), said)
        logins = [appliance.add_device(f"Reader {number}", "kosync") for number in range(CLIENTS)]
        plans = [_kosync_plan(login, file) for login, file in zip(logins, appliance.files(), strict=False)]
        yield _row("KOSync progress PUT", *_play(appliance, server, plans), "")


def _play(appliance: Appliance, server: Server, plans: list[list[bytes]]) -> tuple[Played, float]:
    """Also the processor seconds that the server used for each. Every acknowledged position must be in the journal."""
    play(server.port, [plan[:20] for plan in plans], SECONDS)
    before, used = _entries(appliance), server.processor_seconds()
    played = play(server.port, [plan[20:] for plan in plans], SECONDS)
    stored, used = _entries(appliance) - before, server.processor_seconds() - used
    if played.bad or stored < played.good:
        raise AssertionError(f"{played.good} acknowledged, {played.bad} refused, {stored} in the journal")
    return played, used / played.good


def _entries(appliance: Appliance) -> int:
    with closing(sqlite3.connect(appliance.database)) as database:
        count: int = database.execute("SELECT count(*) FROM journalentry").fetchone()[0]
        return count


def _row(name: str, played: Played, processor: float, peer: str) -> Row:
    return Row(
        "store",
        f"{name}, {CLIENTS} clients",
        f"{_words(played)} ({processor * 1000:.2f} ms processor each)",
        f"≥ {PER_SECOND}/s, p99 < {SLOWEST * 1000:g} ms",
        played.rate >= PER_SECOND and played.percentile(0.99) < SLOWEST,
        peer,
        numbers={
            "per_second": played.rate,
            "p50": played.percentile(0.5),
            "p99": played.percentile(0.99),
            "processor_seconds_each": processor,
        },
    )


def _words(played: Played) -> str:
    p50, p99 = played.percentile(0.5) * 1000, played.percentile(0.99) * 1000
    return f"{played.rate:,.0f}/s, p50 {p50:,.1f} ms, p99 {p99:,.1f} ms"


def _kobo_plan(server: Server, device: dict[str, Any], number: int) -> list[bytes]:
    """Sync, download a book, and read through it: the state after every few sentences."""
    path = urlsplit(device["api_endpoint"]).path
    synced, _ = sync(server.port, path)
    offers = [entry["NewEntitlement"] for entry in synced.entries if "NewEntitlement" in entry]
    offer = sorted(offers, key=lambda each: str(each["BookMetadata"]["Title"]))[number]
    identity = offer["BookEntitlement"]["Id"]
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", f"{path}/v1/library/{identity}/metadata")
    metadata = json.loads(connection.getresponse().read())[0]
    connection.request("GET", urlsplit(metadata["DownloadUrls"][0]["Url"]).path)
    answer = connection.getresponse()
    kepub = answer.read()
    connection.close()
    if answer.status != 200:
        raise ConnectionError(f"the download was answered with {answer.status}")
    spans = list(_spans(kepub))
    begun = datetime.now(UTC) - timedelta(seconds=MOST)
    plan = []
    for step in range(MOST):
        source, span = spans[step * len(spans) // MOST]
        moment = (begun + timedelta(seconds=step)).strftime("%Y-%m-%dT%H:%M:%SZ")
        state = {
            "CurrentBookmark": {
                "ContentSourceProgressPercent": 50,
                "LastModified": moment,
                "Location": {"Source": source, "Type": "KoboSpan", "Value": span},
                "ProgressPercent": step * 100 // MOST,
            },
            "EntitlementId": identity,
            "LastModified": moment,
            "Statistics": {"LastModified": moment, "RemainingTimeMinutes": 190, "SpentReadingMinutes": step // 60},
            "StatusInfo": {"LastModified": moment, "Status": "Reading"},
        }
        body = json.dumps({"ReadingStates": [state]}).encode()
        plan.append(request("PUT", f"{path}/v1/library/{identity}/state", {}, body))
    return plan


def _spans(kepub: bytes) -> Iterator[tuple[str, str]]:
    """Every span of a KEPUB, with its file, in the order of the archive's names, which for these books is the spine's
    closely enough."""
    with zipfile.ZipFile(BytesIO(kepub)) as archive:
        names = [name for name in archive.namelist() if name.endswith((".xhtml", ".html"))]
        for name in sorted(names, key=lambda each: [int(part) for part in re.findall(r"\d+", each)]):
            for found in _SPAN.finditer(archive.read(name)):
                yield name, found.group(1).decode()


def _kosync_plan(login: dict[str, Any], file: Path) -> list[bytes]:
    """Read through a book as KOReader names its places."""
    with file.open("rb") as stream:
        document = digests(stream).partial_md5
    headers = {
        "x-auth-user": login["username"],
        "x-auth-key": hashlib.md5(login["password"].encode()).hexdigest(),
        "Accept": "application/vnd.koreader.v1+json",
    }
    words = Engine(file).words
    plan = []
    for step in range(MOST):
        word = step * len(words) // MOST
        body = {
            "document": document,
            "progress": words[word].xpointer,
            "percentage": round(word / len(words), 4),
            "device": "Bench",
            "device_id": "0" * 32,
        }
        plan.append(request("PUT", "/syncs/progress", headers, json.dumps(body).encode()))
    return plan


def _peer(python: Path, source: Path, books: Sequence[Book], work: Path) -> Played:
    with tempfile.TemporaryDirectory(dir=work) as folder:
        library = calibre_web.make_library(python, Path(folder) / "peer", source, books)
        with calibre_web.start(python, library) as server:
            sync(server.port, f"/kobo/{library.token}")
            plans = []
            for identity in islice(library.uuids, CLIENTS):
                path = f"/kobo/{library.token}/v1/library/{identity}/state"
                bodies = [calibre_web.reading_state(identity, step, step * 100 / MOST) for step in range(MOST)]
                plans.append([request("PUT", path, {}, body) for body in bodies])
            play(server.port, [plan[:20] for plan in plans], SECONDS)
            return play(server.port, [plan[20:] for plan in plans], SECONDS)
