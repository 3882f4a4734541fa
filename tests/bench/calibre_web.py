"""The peer: calibre-web from PyPI, in an environment of its own, with the same books.

What it does as shipped: Kobo sync on, no proxy to the shop, the standard log, no KEPUB conversion (so it offers the
EPUBs). The library is a metadata database with the tables and indexes of calibre's, filled directly: adding ten
thousand books with calibre's own program takes more than an hour.
"""

import json
import secrets
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.generate import Book
from tests.bench.place import CACHE
from tests.bench.server import Server, free_port

VERSION = "0.6.27"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


class Missing(Exception):
    """The peer cannot be had; the text says why."""


@dataclass(frozen=True)
class Library:
    """A peer ready to be started. `uuids`: of the books, in the order given."""

    folder: Path
    token: str
    uuids: list[str]


def install() -> Path:
    """The Python of an environment with the peer in it. Raises `Missing`."""
    home = CACHE / f"calibre-web-{VERSION}"
    python = home / "bin" / "python"
    if not (home / "installed").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, capture_output=True)
            # Its Kobo extra; jsonschema is used there but not asked for.
            packages = [f"calibreweb[kobo]=={VERSION}", "jsonschema"]
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", b"") or str(error).encode()
            raise Missing(
                f"calibre-web could not be installed: {said.decode(errors='replace').strip()[-200:]}"
            ) from error
        (home / "installed").touch()
    return python


def make_library(python: Path, folder: Path, source: Path, books: Iterable[Book]) -> Library:
    """Make a library of links to the files in `source`, and a peer set to serve it to a Kobo."""
    shelves = folder / "library"
    shelves.mkdir(parents=True)
    uuids = []
    with closing(sqlite3.connect(shelves / "metadata.db")) as database, database:
        database.executescript(_SCHEMA)
        database.execute("INSERT INTO library_id (uuid) VALUES (?)", (str(uuid.uuid4()),))
        for number, book in enumerate(books, 1):
            uuids.append(_add_book(database, shelves, source, number, book))
    token = _configure(python, folder, shelves)
    return Library(folder, token, uuids)


def start(python: Path, library: Library) -> Server:
    """Start the peer on a free port."""
    port = free_port()
    _set(library.folder / "app.db", f"config_port = {port}, config_external_port = {port}")
    return _start(python, library.folder, port)


def _start(python: Path, folder: Path, port: int) -> Server:
    command = [str(python.with_name("cps")), "-p", str(folder / "app.db"), "-i", "127.0.0.1", "-o", str(folder / "log")]
    environment = {"CALIBRE_PORT": str(port), "CALIBRE_DBPATH": str(folder)}
    return Server.start(command, port, "/login", folder / "output", environment)


def _configure(python: Path, folder: Path, shelves: Path) -> str:
    """Let the peer make its settings at a first start, then switch Kobo sync on and give its administrator a token."""
    with _start(python, folder, free_port()):
        pass
    _set(
        folder / "app.db",
        f"config_calibre_dir = '{shelves}', config_kobo_sync = 1, config_kobo_proxy = 0, config_kepubifypath = ''",
    )
    token = secrets.token_hex(16)
    with closing(sqlite3.connect(folder / "app.db")) as database, database:
        database.execute(
            "INSERT INTO remote_auth_token (auth_token, user_id, verified, expiration, token_type)"
            " VALUES (?, 1, 0, ?, 1)",
            (token, "9999-12-31 23:59:59.999999"),
        )
    return token


def _set(database: Path, assignments: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(f"UPDATE settings SET {assignments}")


def _add_book(database: sqlite3.Connection, shelves: Path, source: Path, number: int, book: Book) -> str:
    folder = f"{book.author}/{book.title} ({number})"
    (shelves / folder).mkdir(parents=True)
    name = f"{book.title} - {book.author}"
    file = shelves / folder / f"{name}.epub"
    file.hardlink_to(source / book.file_name)
    identity = str(uuid.UUID(int=(4 << 76) | (2 << 62) | number))
    added = (FIRST + timedelta(minutes=number)).isoformat(sep=" ")
    database.execute(
        "INSERT INTO books (id, title, sort, author_sort, timestamp, pubdate, series_index, last_modified, path,"
        " has_cover, uuid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
        (number, book.title, book.title, book.author, added, added, float(book.series_index), added, folder, identity),
    )
    size = file.stat().st_size
    database.execute(
        "INSERT INTO data (book, format, uncompressed_size, name) VALUES (?, 'EPUB', ?, ?)", (number, size, name)
    )
    database.execute("INSERT INTO comments (book, text) VALUES (?, ?)", (number, f"<p>About {book.title}.</p>"))
    _link(database, number, "authors", "author", "name", book.author, {"sort": book.author})
    _link(database, number, "publishers", "publisher", "name", "Bench Press", {})
    _link(database, number, "languages", "lang_code", "lang_code", _ISO_639_2[book.language], {})
    if book.series:
        _link(database, number, "series", "series", "name", book.series, {"sort": book.series})
    return identity


def _link(
    database: sqlite3.Connection, book: int, table: str, column: str, key: str, value: str, more: dict[str, str]
) -> None:
    columns = {key: value, **more}
    database.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        tuple(columns.values()),
    )
    database.execute(
        f"INSERT INTO books_{table}_link (book, {column}) SELECT ?, id FROM {table} WHERE {key} = ?", (book, value)
    )


def reading_state(identity: str, minute: int, percent: float) -> bytes:
    """A state PUT as a Kobo sends it."""
    moment = f"2026-11-21T{minute // 60 % 24:02}:{minute % 60:02}:00Z"
    return json.dumps(
        {
            "ReadingStates": [
                {
                    "EntitlementId": identity,
                    "CurrentBookmark": {
                        "ContentSourceProgressPercent": percent,
                        "LastModified": moment,
                        "Location": {"Source": "index.html", "Type": "KoboSpan", "Value": f"kobo.{minute}.1"},
                        "ProgressPercent": percent,
                    },
                    "LastModified": moment,
                    "Statistics": {"LastModified": moment, "RemainingTimeMinutes": 100, "SpentReadingMinutes": minute},
                    "StatusInfo": {"LastModified": moment, "Status": "Reading", "TimesStartedReading": 1},
                }
            ]
        }
    ).encode()


_ISO_639_2 = {"en": "eng", "de": "deu", "fr": "fra", "es": "spa", "it": "ita"}

_NAMED = """
CREATE TABLE {table} (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, sort TEXT COLLATE NOCASE,
    link TEXT NOT NULL DEFAULT '');
"""
_LINKED = """
CREATE TABLE books_{table}_link (id INTEGER PRIMARY KEY, book INTEGER NOT NULL, {column} INTEGER NOT NULL,
    UNIQUE (book, {column}));
CREATE INDEX books_{table}_link_book ON books_{table}_link (book);
CREATE INDEX books_{table}_link_{column} ON books_{table}_link ({column});
"""
_SCHEMA = (
    """
CREATE TABLE library_id (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE);
CREATE TABLE books (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL DEFAULT 'Unknown' COLLATE NOCASE,
    sort TEXT COLLATE NOCASE, timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    pubdate TIMESTAMP DEFAULT CURRENT_TIMESTAMP, series_index REAL NOT NULL DEFAULT 1.0,
    author_sort TEXT COLLATE NOCASE, isbn TEXT DEFAULT '', lccn TEXT DEFAULT '',
    path TEXT NOT NULL DEFAULT '', flags INTEGER NOT NULL DEFAULT 1, uuid TEXT, has_cover BOOL DEFAULT 0,
    last_modified TIMESTAMP NOT NULL DEFAULT '2000-01-01 00:00:00+00:00');
CREATE INDEX books_sort ON books (sort COLLATE NOCASE);
CREATE INDEX books_author_sort ON books (author_sort COLLATE NOCASE);
CREATE TABLE data (id INTEGER PRIMARY KEY, book INTEGER NOT NULL, format TEXT NOT NULL COLLATE NOCASE,
    uncompressed_size INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (book, format));
CREATE INDEX data_book ON data (book);
CREATE INDEX data_format ON data (format);
CREATE TABLE comments (id INTEGER PRIMARY KEY, book INTEGER NOT NULL UNIQUE, text TEXT NOT NULL COLLATE NOCASE);
CREATE INDEX comments_book ON comments (book);
CREATE TABLE identifiers (id INTEGER PRIMARY KEY, book INTEGER NOT NULL,
    type TEXT NOT NULL DEFAULT 'isbn' COLLATE NOCASE, val TEXT NOT NULL COLLATE NOCASE, UNIQUE (book, type));
CREATE TABLE languages (id INTEGER PRIMARY KEY, lang_code TEXT NOT NULL COLLATE NOCASE UNIQUE,
    link TEXT NOT NULL DEFAULT '');
CREATE TABLE ratings (id INTEGER PRIMARY KEY, rating INTEGER UNIQUE, link TEXT NOT NULL DEFAULT '');
CREATE TABLE metadata_dirtied (id INTEGER PRIMARY KEY, book INTEGER NOT NULL UNIQUE);
CREATE TABLE custom_columns (id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    datatype TEXT NOT NULL, mark_for_delete BOOL NOT NULL DEFAULT 0, editable BOOL NOT NULL DEFAULT 1,
    display TEXT NOT NULL DEFAULT '{}', is_multiple BOOL NOT NULL DEFAULT 0, normalized BOOL NOT NULL);
PRAGMA user_version = 26;
"""
    + "".join(_NAMED.format(table=table) for table in ("authors", "publishers", "series", "tags"))
    + "".join(
        _LINKED.format(table=table, column=column)
        for table, column in (
            ("authors", "author"),
            ("publishers", "publisher"),
            ("series", "series"),
            ("tags", "tag"),
            ("ratings", "rating"),
            ("languages", "lang_code"),
        )
    )
)
