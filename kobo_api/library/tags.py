"""Collections that are edited on a Kobo (docs/reference/kobo-protocol.md 6.6).

Every edit is acknowledged: a 4xx would make the device repeat it on every sync for ever. A collection that is not known
is announced as deleted at the next sync, so that the device forgets it. Names are unique to a person, as on the device:
two Kobos that both made “Favourites” get one shelf, with the books of both.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from appliance.library import shelves
from appliance.library.shelves import ShelfError
from appliance.models import BookShelf, KoboStore, KoboTag
from kobo_api.call import Answer, Call, answer
from kobo_api.library import tag_news
from kobo_api.library.entitled import books_called

MOST_OTHERS = 1_000
"""Items of a collection that are kept although they are no books of ours: bought ones, say."""

MOST_STRANGE = 200
"""Collections of a device that it is told to forget; it has no more unless something is amiss."""

LONGEST_ID = 64
UNNAMED = "Collection"

_TAG = KoboTag.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class _Items:
    """Items of a request: ids of books, and what is none of ours."""

    books: list[str]
    others: list[str]


def create(call: Call) -> Answer:
    """`POST /v1/library/tags` `{Name, Items}` → 201, the id of the collection as a bare JSON string.

    One of that name gets the items, so a request that is repeated because its answer was lost makes no second one.
    """
    body = call.json()
    name = _name(body) or UNNAMED
    items = _read_items(call, body)
    now = call.house.now()
    with call.house.database.write() as session:
        shelf = shelves.by_name(session, call.caller.user_id, name)
        try:
            shelf = shelf or shelves.add_shelf(session, call.caller.user_id, name, now)
        except ShelfError:
            id = str(uuid.uuid4())
            _note_strange(session, call, id)
            return answer(id, status=201)
        tag = _tag(session, call, shelf.id)
        # All that the device has of it now is what it just said.
        is_new = shelf.version == 1 and not tag.told_version
        tag.is_known, tag.due = True, not is_new or shelf.name != name
        tag.told_version = shelf.version if is_new else tag.told_version
        _put_on(session, call, shelf, tag, items, now)
        return answer(shelf.id, status=201)


def rename_or_delete(call: Call, tag: str) -> Answer:
    """`PUT /v1/library/tags/{id}` `{Name}`, or `DELETE` → 200, whatever there is."""
    now, name = call.house.now(), _name(call.json())
    with call.house.database.write() as session:
        shelf = _shelf(session, call, tag, now, revive=call.method == "PUT")
        if shelf is not None and call.method == "DELETE":
            _delete(session, call, shelf, now)
        elif shelf is not None and call.method == "PUT" and name:
            told = _tag(session, call, shelf.id)
            before = shelf.version
            free = shelves.free_name(session, shelf.user_id, name, shelf.id)
            shelves.rename_shelf(session, shelf, free, now)
            _did(session, call, shelf, told, before)
            if free != name:
                told.due, told.fingerprint = True, tag_news.DIFFERS
    return answer({})


def add_items(call: Call, tag: str) -> Answer:
    """`POST /v1/library/tags/{id}/items`, also spelled `/Items` → 201, an empty string."""
    now, items = call.house.now(), _read_items(call, call.json())
    with call.house.database.write() as session:
        shelf = _shelf(session, call, tag, now, revive=True)
        if shelf is not None:
            _put_on(session, call, shelf, _tag(session, call, shelf.id), items, now)
    return answer("", status=201)


def remove_items(call: Call, tag: str) -> Answer:
    """`POST /v1/library/tags/{id}/items/delete` → 200."""
    now, items = call.house.now(), _read_items(call, call.json())
    with call.house.database.write() as session:
        shelf = _shelf(session, call, tag, now, revive=False)
        if shelf is not None:
            told, before = _tag(session, call, shelf.id), shelf.version
            told.others = [id for id in told.others if id not in items.others]
            shelves.take_off(session, shelf, items.books, now)
            _did(session, call, shelf, told, before)
    return answer({})


def _shelf(session: Session, call: Call, tag_id: str, now: datetime, *, revive: bool) -> BookShelf | None:
    """The shelf that is meant. `revive`: one that was deleted elsewhere is restored, because a change that was made
    without knowing of the deletion beats it."""
    shelf = session.get(BookShelf, tag_id.lower())
    if shelf is None or shelf.user_id != call.caller.user_id:
        _note_strange(session, call, tag_id)
        return None
    if shelf.deleted_at is not None:
        told = session.get(KoboTag, (call.caller.device_id, shelf.id))
        if not revive or told is None or not told.is_known:
            _tag(session, call, shelf.id).is_known = True
            return None
        shelves.restore_shelf(session, shelf, now)
    return shelf


def _delete(session: Session, call: Call, shelf: BookShelf, now: datetime) -> None:
    tag = _tag(session, call, shelf.id)
    if tag.told_version != shelf.version:
        # It changed elsewhere, and the device has not heard of that: the change beats the deletion.
        tag.due, tag.fingerprint = True, ""
        return
    shelves.delete_shelf(session, shelf, now)
    tag.is_known, tag.due, tag.told_version, tag.fingerprint = False, False, shelf.version, ""


def _put_on(session: Session, call: Call, shelf: BookShelf, tag: KoboTag, items: _Items, now: datetime) -> None:
    before = shelf.version
    tag.others = list(dict.fromkeys([*tag.others, *items.others]))[:MOST_OTHERS]
    try:
        shelves.put_on(session, shelf, items.books, now)
    except ShelfError:
        tag.due, tag.fingerprint = True, tag_news.DIFFERS  # what did not fit leaves the device again
    _did(session, call, shelf, tag, before)


def _did(session: Session, call: Call, shelf: BookShelf, tag: KoboTag, before: int) -> None:
    """The device changed a shelf itself, so unless it missed something it need not be told."""
    tag.is_known = True
    if tag.told_version == before and not tag.due:
        session.flush()
        items = [*tag_news.shown(session, call.caller, shelf.id), *tag.others]
        tag.told_version, tag.told_in = shelf.version, None
        tag.fingerprint = tag_news.fingerprint(shelf.name, items)


def _tag(session: Session, call: Call, tag_id: str) -> KoboTag:
    tag = session.get(KoboTag, (call.caller.device_id, tag_id))
    if tag is None:
        tag = KoboTag(device_id=call.caller.device_id, tag_id=tag_id)
        session.add(tag)
    return tag


def _note_strange(session: Session, call: Call, tag_id: str) -> None:
    """The device has a collection that is none of this person's: it will be told to forget it; unless it may be the
    store's."""
    store = session.get(KoboStore, call.caller.device_id)
    if len(tag_id) > LONGEST_ID or (store is not None and store.is_on):
        return
    mine = (_TAG.c.device_id == call.caller.device_id) & (_TAG.c.told_version == 0)
    if session.execute(select(func.count()).select_from(_TAG).where(mine)).scalar_one() < MOST_STRANGE:
        _tag(session, call, tag_id).is_known = True


def _name(body: object) -> str | None:
    name = body.get("Name") if isinstance(body, dict) else None
    if not isinstance(name, str):
        return None
    shown = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(shown.split())[: shelves.LONGEST_NAME].strip() or None


def _read_items(call: Call, body: object) -> _Items:
    listed: Any = body.get("Items") if isinstance(body, dict) else None
    named = [item.get("RevisionId") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    ids = [id for id in dict.fromkeys(named[: shelves.MOST_BOOKS]) if isinstance(id, str) and 0 < len(id) <= LONGEST_ID]
    books = books_called(call.session, call.caller.user_id, (id.lower() for id in ids))
    ours = [books[id.lower()] for id in ids if id.lower() in books]
    return _Items(ours, [id for id in ids if id.lower() not in books])
