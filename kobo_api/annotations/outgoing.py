"""`GET /api/v3/content/{id}/annotations` and `checkforchanges`: the notes that a Kobo is given
(docs/reference/kobo-protocol.md 7.2 to 7.7).

The set is made, judged and stored before the device hears that there is one, or as soon as it has the book's file;
what it then asks for are the stored pages of that very set. Who must not be given a set is told that nothing changed:
of all answers, the one that was seen to leave what the device holds in place.
"""

import hashlib
import logging
import re
import secrets
import threading
import time
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from appliance.house import House
from appliance.library.renditions import open_rendition
from appliance.models import Device, KoboNotePage
from appliance.reading.annotations.record import follow_all, offer_these, survey
from appliance.reading.annotations.report import Caller
from appliance.reading.feed import version as feed_version
from kobo_api.annotations import ledger
from kobo_api.annotations.authority import Refusal, Standing, may_give, may_give_these, may_name
from kobo_api.annotations.ledger import Ledger
from kobo_api.annotations.whole_set import NoteSet, note_set
from kobo_api.annotations.wire import read_check
from kobo_api.call import Answer, answer

UNCHANGED = Answer(status=304, headers={"etag": 'W/"0"'})
PAGE_SIZE, MAX_PAGE_SIZE = 100, 500
MAX_BOOKS = 500  # of one `checkforchanges`
BUDGET = 10.0  # seconds for making sets in one `checkforchanges`; the device waits for thirty
NO_ETAG = ("", "0", '"0"', 'W/"0"')  # what devices show that were given none, or never show any (7.6)
MAX_REPEATS = 3  # how often a set is given again to a device that shows an older etag for it
MAX_LEFT_OUT = 1000

logger = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()  # two would take twice as long, and the second would replace the pages of the first
_PAGE = KoboNotePage.__table__  # type: ignore[attr-defined]
_NUMBERED = select(_PAGE).where(
    _PAGE.c.device_id == bindparam("device"),
    _PAGE.c.book_id == bindparam("book"),
    _PAGE.c.number == bindparam("number"),
)
_NAMED = _NUMBERED.where(_PAGE.c.revision == bindparam("revision"))
_ETAG = re.compile(r'(?:W/)?"bw:(\d{1,15}):[0-9a-f]{16}"')
_TOKEN = re.compile(r"([0-9a-f]{16})\.(\d{1,6})")


def get(house: House, device: Device, content_id: str, query: str) -> Answer:
    """A page of the set. Raises whatever keeps it from being made; the caller then says that nothing changed."""
    assert device.id is not None
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    with house.database.read() as session:
        book = ledger.look_up(session.connection(), device.id, device.user_id, [content_id]).get(content_id)
        refusal = may_give(book.standing) if book is not None else Refusal.NOT_DELIVERED
        if book is None or refusal is not Refusal.NONE:
            return _refuse(refusal)
        token = asked.get("pageOffsetToken")
        if token:
            return _send(house, book, _page(session.connection(), book, token))
    with house.database.write() as session:
        ledger.begin(session.connection(), book)
    refusal = _make(house, book, _page_size(asked.get("limit", "")))
    if refusal is not Refusal.NONE:
        return _refuse(refusal)
    with house.database.read() as session:
        return _send(house, book, _page(session.connection(), book, None))


def make_after_download(house: House, device_id: int, user_id: int, content_id: str) -> None:
    """The device has just got the file, and will ask for its notes (7.3): the set is made before it does. Where that
    cannot be, it is made when the device asks."""
    try:
        with house.database.read() as session:
            book = ledger.look_up(session.connection(), device_id, user_id, [content_id]).get(content_id)
        if book is not None and book.version and book.standing.is_fresh:
            _make(house, book, PAGE_SIZE)
    except Exception:
        logger.exception("the notes for a book that a Kobo has just got could not be made ready")


def _make(house: House, book: Ledger, size: int) -> Refusal:
    """Make the set and store its pages, unless those that are stored are still what the device should be given."""
    with _one_at_a_time:
        with house.database.read() as session:
            page = _page(session.connection(), book, None)
        if page is not None and _is_current(page, book, size):
            return Refusal.NONE
        return prepare(house, book, size)


def _is_current(page: RowMapping, book: Ledger, size: int) -> bool:
    """Whether a set that was made when the book was named, or the file had arrived, says all that it would say now."""
    assert book.began_at is not None
    kind = _kind(book.standing)
    is_newest = kind != "same" and page["kind"] == kind and page["version"] == book.version and not book.has_later
    return is_newest and page["page_size"] == size and bool(page["made_at"] >= book.began_at)


def _kind(standing: Standing) -> str:
    """Whose notes a set has: those of all, the device's own of before the download, or those it holds."""
    return "all" if standing.pushes else "own" if standing.is_fresh else "same"


def check_for_changes(house: House, device: Device, body: bytes) -> Answer:
    """The ids of those books of which the device should ask for the set: a bare array."""
    assert device.id is not None
    asked = dict(read_check(body)[:MAX_BOOKS])
    with house.database.read() as session:
        books = ledger.look_up(session.connection(), device.id, device.user_id, list(asked))
        newest = feed_version(session, device.user_id)
    deadline = time.monotonic() + BUDGET
    named = []
    for id, etag in asked.items():
        book = books.get(id)
        if book is not None and time.monotonic() < deadline and _is_named(house, book, etag, newest):
            named.append(id)
    return answer(named)


def _is_named(house: House, book: Ledger, etag: str, newest: int) -> bool:
    shown = _ETAG.fullmatch(etag)
    is_foreign = shown is None and etag not in NO_ETAG
    if is_foreign or (shown is not None and int(shown[1]) > newest):
        # It was given a set that this database knows nothing of: by another server, or a backup was put back here.
        with house.database.write() as session:
            why = "elsewhere" if is_foreign else "newer-etag"
            ledger.doubt_book(session.connection(), book, why, house.now())
        return False
    missed = shown is not None and book.etag not in ("", etag) and book.repeats < MAX_REPEATS
    standing = book.standing
    if may_give(standing) is not Refusal.NONE:
        return False
    has_news = standing.pushes and (book.version > book.served_version or book.has_later)
    if not (standing.is_due or missed or has_news):
        return False
    return prepare(house, book, PAGE_SIZE, to_name=True, again=missed) is Refusal.NONE


def prepare(house: House, book: Ledger, size: int, *, to_name: bool = False, again: bool = False) -> Refusal:
    """Make the set and store its pages, unless it must not be given (`to_name`: or named). `again`: the device did not
    take the one before."""
    now, standing, caller = house.now(), book.standing, _caller(house, book)
    with house.database.read() as session:
        made = note_set(
            survey(house, session, caller),
            open_rendition(house, session, caller.sha256),
            caller.sha256,
            book.served_version,
            pushes=standing.pushes,
            is_fresh=standing.is_fresh,
        )
    refusal = may_name(standing, made.sets) if to_name else may_give_these(standing, made.sets)
    if again and refusal in (Refusal.NOTHING_NEW, Refusal.SWITCHED_OFF):
        refusal = Refusal.NONE
    if refusal is Refusal.WOULD_LOSE:
        logger.warning(
            "%d notes on a Kobo cannot be given back to it, so it is told that nothing changed", len(made.sets.lost)
        )
    left_out = dict(list(made.left_out.items())[:MAX_LEFT_OUT])
    if refusal is not Refusal.NONE:
        if refusal is Refusal.NOTHING_NEW:
            with house.database.write() as session:
                ledger.caught_up(session.connection(), book)
                ledger.leave_out(session.connection(), book, left_out)
        return refusal
    offer_these(house, caller, made.offers)
    with house.database.write() as session:
        _store(session.connection(), book, made, _kind(standing), size, now)
        ledger.leave_out(session.connection(), book, left_out)
    return Refusal.NONE


def _store(connection: Connection, book: Ledger, made: NoteSet, kind: str, size: int, now: datetime) -> None:
    revision = secrets.token_hex(8)
    digest = hashlib.blake2b("\n".join(made.items).encode(), digest_size=8).hexdigest()
    etag = f'W/"bw:{made.version}:{digest}"'
    starts = range(0, max(len(made.items), 1), size)
    rows = []
    for number, start in enumerate(starts):
        is_last = number == len(starts) - 1
        token = "null" if is_last else f'"{revision}.{number + 1}"'
        items = ",".join(made.items[start : start + size])
        rows.append(
            {
                "device_id": book.device_id,
                "book_id": book.book_id,
                "number": number,
                "revision": revision,
                "kind": kind,
                "made_at": now,
                "version": made.version,
                "etag": etag,
                "page_size": size,
                "is_last": is_last,
                "body": f'{{"annotations":[{items}],"nextPageOffsetToken":{token}}}',
            }
        )
    connection.execute(delete(_PAGE).where(_PAGE.c.device_id == book.device_id, _PAGE.c.book_id == book.book_id))
    connection.execute(insert(_PAGE), rows)


def _page(connection: Connection, book: Ledger, token: str | None) -> RowMapping | None:
    """The page that a token names, the first without one; `None` for a set that is no longer there."""
    values: dict[str, Any] = {"device": book.device_id, "book": book.book_id, "number": 0}
    if token is None:
        return connection.execute(_NUMBERED, values).mappings().first()
    named = _TOKEN.fullmatch(token)
    if named is None:
        return None
    values |= {"revision": named[1], "number": int(named[2])}
    return connection.execute(_NAMED, values).mappings().first()


def _send(house: House, book: Ledger, page: RowMapping | None) -> Answer:
    if page is None:
        return _refuse(Refusal.UNPROVEN)
    kind, version, revision = str(page["kind"]), int(page["version"]), str(page["revision"])

    def on_sent() -> None:
        # First what the device holds now, so that a crash in between leaves the set due, not forgotten.
        if kind != "same":
            follow_all(house, _caller(house, book), version)
        with house.database.write() as session:
            ledger.serve(session.connection(), book, revision, house.now())

    return Answer(page["body"].encode(), headers={"etag": page["etag"]}, on_sent=on_sent if page["is_last"] else None)


def _caller(house: House, book: Ledger) -> Caller:
    assert book.sha256 is not None
    return Caller(book.user_id, book.device_id, book.book_id, "kobo", "kobo", book.sha256, house.now())


def _refuse(refusal: Refusal) -> Answer:
    logger.warning("a Kobo asked for the notes of a book and was told that nothing changed: %s", refusal)
    return UNCHANGED


def _page_size(limit: str) -> int:
    return min(max(int(limit), 1), MAX_PAGE_SIZE) if re.fullmatch(r"[0-9]{1,6}", limit) else PAGE_SIZE
