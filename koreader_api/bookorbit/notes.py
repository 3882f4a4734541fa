"""Highlights and bookmarks: exchanged by keys, and acknowledged one by one (docs/reference/koreader.md 7.1).

Here a deletion is told by a key that is missing from a complete list. An empty list tells nothing: that is what a
client has that lost everything.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, update

from appliance.models import Annotation, DeviceAnnotation
from appliance.reading.annotations.projection import ProjectedAnnotation
from appliance.reading.annotations.record import exchange, follow, offer_these, outstanding
from appliance.reading.annotations.refusals import refuse, refused_versions
from appliance.reading.annotations.report import Caller, Deletion, Said
from koreader_api.bookorbit import wire
from koreader_api.bookorbit.call import Call, instant, key_of, number_of, spelled
from koreader_api.drawers import drawer, style_of

AT_ONCE = 100  # annotations given in one answer
_HELD = DeviceAnnotation.__table__  # type: ignore[attr-defined]
_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]


def exchange_notes(call: Call, said: wire.Exchange, kind: str) -> wire.Anything:
    """`annotations/exchange` and `bookmarks/exchange`. `kind`: highlight or bookmark."""
    books, unmatched = call.matched(said.books)
    results = [_exchange(call, call.caller(found), book, kind) for book, found in books]
    return {"results": results, "unmatched": unmatched}


def acknowledge(call: Call, said: wire.Ack) -> wire.Anything:
    """`…/exchange-ack`: what the client has done of what it was given."""
    books, unmatched = call.matched(said.books)
    results = [{"hash": book.hash, "acked": _acknowledge(call, call.caller(found), book)} for book, found in books]
    return {"results": results, "unmatched": unmatched}


def _exchange(call: Call, caller: Caller, book: wire.ExchangeBook, kind: str) -> wire.Anything:
    changes = [said for said in (_said(note, kind) for note in book.changes) if said is not None]
    names = {key.k for key in book.keys} | {said.native_id for said in changes}
    deletions = []
    if book.keys_complete and names:
        deletions = [Deletion(name) for name in _held(call, caller, kind) if name not in names]
    answers = exchange(call.house, caller, changes, deletions)
    applied: dict[str, int] = {"created": 0, "changed": 0, "deleted": 0}
    for answer in answers:
        if answer.reason in applied:
            applied[answer.reason] += 1
    to_apply, more, skipped = _given(call, caller, kind)
    return {
        "hash": book.hash,
        "bookId": number_of(caller.book_id),
        "applied": applied,
        "toApply": to_apply,
        "more": more,
        "skippedNoPosition": skipped,
    }


def _said(note: wire.Note, kind: str) -> Said | None:
    start = note.pos0 if kind == "highlight" else note.pos or note.pos0
    if not start:
        return None
    fields = {"text": note.text, "note": note.note or ""}
    if kind == "highlight":
        fields |= {"colour": note.color or None, "style": style_of(note.drawer) if note.drawer else None}
    return Said(
        native_id=key_of(note.datetime, start),
        kind=kind,
        range=[start, note.pos1] if kind == "highlight" and note.pos1 else start,
        fields={name: value for name, value in fields.items() if value is not None},
        native={"datetime": note.datetime},
        chapter=note.chapter or "",
        created_at=instant(note.datetime),
        changed_at=instant(note.datetime_updated or note.datetime),
    )


def _held(call: Call, caller: Caller, kind: str) -> list[str]:
    """What the client was known to hold of this kind, by its own names."""
    query = (
        select(_HELD.c.native_id, _HELD.c.held)
        .join(_ANNOTATION, _ANNOTATION.c.id == _HELD.c.annotation_id)
        .where(
            _HELD.c.device_id == caller.device_id,
            _HELD.c.book_id == caller.book_id,
            _HELD.c.gone_at.is_(None),
            _ANNOTATION.c.kind == kind,
            _ANNOTATION.c.deleted_at.is_(None),
        )
    )
    with call.house.database.read() as session:
        return [name for name, held in session.connection().execute(query) if held]


def _given(call: Call, caller: Caller, kind: str) -> tuple[wire.Anything, bool, int]:
    with call.house.database.read() as session:
        refused = refused_versions(session, caller.device_id, caller.book_id)

        def can_be_told(one: ProjectedAnnotation) -> bool:
            is_refused = refused.get(one.row["id"]) == one.row["version"]
            return one.row["kind"] == kind and (one.due == "remove" or (one.is_sure and not is_refused))

        everything = outstanding(call.house, session, caller, AT_ONCE + 1, can_be_told)
    due = [one for one in everything if can_be_told(one)]
    offers = [one for one in due[:AT_ONCE] if one.due != "remove"]
    offer_these(
        call.house,
        caller,
        [(one.row["id"], one.row["version"], {**one.fields, "range": one.range}) for one in offers],
    )
    to_apply: dict[str, list[Any]] = {"add": [], "edit": [], "delete": []}
    for one in due[:AT_ONCE]:
        how = {"give": "add", "change": "edit", "remove": "delete"}[str(one.due)]
        to_apply[how].append(_item(one, how, kind))
    skipped = sum(one.row["kind"] == kind and not can_be_told(one) for one in everything)
    return to_apply, len(due) > AT_ONCE, skipped


def _item(one: ProjectedAnnotation, how: str, kind: str) -> wire.Anything:
    item: wire.Anything = {"serverId": number_of(one.row["id"]), "version": one.row["version"], "key": one.native_id}
    if how == "delete":
        return item
    pos0, pos1 = one.range if isinstance(one.range, list | tuple) else (one.range, None)
    item |= {"datetime": spelled(one.row["created_at"]), "note": one.fields["note"], "chapter": one.row["chapter"]}
    if kind == "bookmark":
        title = one.fields["note"] or one.fields["text"] or one.row["chapter"]
        return item | {"pos": pos0, "title": title, "pageno": None}
    return item | {
        "posFormat": "xpointer",
        "pos0": pos0,
        "pos1": pos1,
        "text": one.fields["text"],
        "drawer": drawer(one.fields["style"]),
        "color": one.fields["colour"],
        "pageno": None,
    }


def _acknowledge(call: Call, caller: Caller, book: wire.AckBook) -> int:
    links = {number_of(link["annotation_id"]): link for link in _links(call, caller)}
    done: dict[str, int] = {}
    failed: dict[str, tuple[int, str]] = {}
    names: dict[str, str] = {}
    for one in (*book.applied, *book.deleted):
        link = links.get(one.server_id)
        if link is None:
            continue
        version = one.version if one.version is not None else link["version"]
        if one.status == "failed":
            failed[link["native_id"]] = (version, "not-found")
            continue
        done[link["native_id"]] = version
        if link["native_id"] == link["annotation_id"] and one in book.applied:
            names[link["annotation_id"]] = one.key or _key(link, one)
    follow(call.house, caller, done)
    refuse(call.house, caller, failed, done)
    if names:
        with call.house.database.write() as session:
            for annotation_id, name in names.items():
                these = (_HELD.c.device_id == caller.device_id, _HELD.c.annotation_id == annotation_id)
                session.connection().execute(update(_HELD).where(*these).values(native_id=name))
    return len(done) + len(failed)


def _links(call: Call, caller: Caller) -> Iterator[dict[str, Any]]:
    query = (
        select(_HELD, _ANNOTATION.c.version, _ANNOTATION.c.created_at)
        .join(_ANNOTATION, _ANNOTATION.c.id == _HELD.c.annotation_id)
        .where(_HELD.c.device_id == caller.device_id, _HELD.c.book_id == caller.book_id)
    )
    with call.house.database.read() as session:
        rows = session.connection().execute(query).mappings().all()
    return (dict(row) for row in rows)


def _key(link: dict[str, Any], one: wire.Applied) -> str:
    """By what the client will name an annotation that it was given: as we gave it, or where its engine has put it."""
    offers = [offer["fields"].get("range") for offer in link["given"] if offer["version"] == one.version]
    given = offers[-1] if offers else link["held"].get("range")
    start = given[0] if isinstance(given, list) and given else given
    return key_of(spelled(link["created_at"]), one.pos0 or str(start or ""))
