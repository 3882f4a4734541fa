"""A server of highlights without a database, for models."""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from appliance.positions import Place, Position, RangePlace, Reason, Status
from appliance.reading.annotations.due import due, shown_field
from appliance.reading.annotations.effects import fold
from appliance.reading.annotations.exchange import Exchange
from appliance.reading.annotations.journal import MASS_WINDOW
from appliance.reading.annotations.links import is_known
from appliance.reading.annotations.locate import LocatedRange
from appliance.reading.annotations.report import Answer, Caller, Said
from tests.reading.annotations.annotating import FIELDS, START, Offer, Reader, Request, Spelling, mark_of_row


class PureServer:
    """What the transactions of `reading.annotations.record` do, without a database."""

    def __init__(self, spelling: Spelling) -> None:
        self.rows: dict[str, Any] = {}
        self.now, self._version, self._ids = START, 1, count(1)
        self._links: dict[int, Any] = {}
        self._done: dict[int, Any] = {}
        self._deleted: dict[int, set[str]] = {}
        self._deletions: list[tuple[int, datetime]] = []
        self._spelling = spelling

    def restart(self) -> None:
        """It keeps nothing in memory that matters."""

    def exchange(self, device: Reader, request: Request) -> list[Any]:
        links = self._links.setdefault(device.number, {})
        is_new = request.is_foreign
        caller = self._pure_caller(device, request.skew)
        news = [one for one in request.said if is_new or not _is_known(one, links.get(one.native_id), caller)]
        names = {one.native_id for one in (*request.said, *request.deletions)}
        is_part = not (request.complete or is_new or device.is_person)
        deleted = {one.native_id for one in news if is_part} & self._deleted.setdefault(device.number, set())
        work = self._work(device, request.skew, len(news) + len(request.deletions) + len(deleted), deleted)
        lately = sum(number == device.number and at > self.now - MASS_WINDOW for number, at in self._deletions)
        if is_new:
            work.links.distrust(work.rows)
        elif request.complete:
            work.links.miss(names, work.rows)
        else:
            work.links.speaks_of(names, work.rows)
        known = [links[one.native_id] for one in request.said if one not in news]
        answers = [
            Answer(one["native_id"], "echo", "unchanged", one["annotation_id"], one["held_version"]) for one in known
        ]
        answers += work.delete(request.deletions, lately)
        for one in news:
            link = links.get(one.native_id)
            same = not is_new and link is not None and link["held"].get("range") == one.range
            answers.append(work.take(one, None if one.range is None or same else self._located(device, one.range)))
        self._store(device, work)
        return answers

    def offer(self, device: Reader) -> list[Offer]:
        work = self._work(device, None, 0)
        offers = []
        for row in list(work.rows.values()):
            link = work.links.of(row["id"])
            what = due(row, link, device.surface)
            if what == "remove":
                offers.append(Offer(link["native_id"], row["version"], None))
            elif what is not None:
                work.links.offer(row, self._shown(device, row, link))
                name = work.links.of(row["id"])["native_id"]
                offers.append(Offer(name, row["version"], self._shown(device, row, link)))
        self._store(device, work)
        return offers

    def everything(self, device: Reader) -> list[Offer]:
        """The whole set that the device should have, for one that takes it for the whole."""
        self.offer(device)
        links = {one["annotation_id"]: one for one in self._links[device.number].values()}
        return [
            Offer(links[row["id"]]["native_id"], row["version"], self._shown(device, row, links[row["id"]]))
            for row in self.rows.values()
            if row["deleted_at"] is None and (row["held_at"] is None or links[row["id"]]["gone_at"] is None)
        ]

    def follow(self, device: Reader, followed: dict[str, int]) -> None:
        work = self._work(device, None, 0)
        for native_id, version in followed.items():
            work.links.follow(native_id, version, work.rows)
        self._store(device, work)

    def follow_all(self, device: Reader) -> None:
        work = self._work(device, None, 0)
        work.links.follow_all(self.newest, work.rows)
        self._store(device, work)

    @property
    def newest(self) -> int:
        return max((row["version"] for row in self.rows.values()), default=0)

    def keep(self, annotation_id: str) -> None:
        row = self.rows[annotation_id]
        if row["deleted_at"] is not None or row["held_at"] is not None:
            do = "restore" if row["deleted_at"] is not None else "release"
            effect = {"do": do, "id": annotation_id, "version": self._version, "at": self.now.isoformat()}
            self._version += 1
            self.rows = {**self.rows, annotation_id: fold(row, effect)}

    def _work(self, device: Reader, skew: timedelta | None, versions: int, deleted: Collection[str] = ()) -> Exchange:
        links = {} if device.is_person else self._links.setdefault(device.number, {})
        done = self._done.setdefault(device.number, {})
        caller = self._pure_caller(device, skew)
        work = Exchange(caller, self.rows, links, done, self._version, self._new_id, deleted_names=deleted)
        self._version += versions
        return work

    def _pure_caller(self, device: Reader, skew: timedelta | None) -> Caller:
        return Caller(1, device.number, "b", device.surface, device.dialect, "main", self.now, skew, device.is_person)

    def _new_id(self) -> str:
        return f"id{self._spelling.run:04}-{next(self._ids):06}"

    def _store(self, device: Reader, work: Exchange) -> None:
        for entry in work.entries:
            if entry.operation_id is not None:
                self._done[device.number][entry.operation_id] = entry.subject
            if entry.asked_for is not None:
                self._deleted.setdefault(device.number, set()).add(entry.asked_for)
            if entry.reason in ("deleted", "many-deleted"):
                self._deletions.append((device.number, self.now))
        self.rows = work.rows
        if not device.is_person:
            self._links[device.number] = work.links.by_name

    def _located(self, device: Reader, spelled: Any) -> LocatedRange:
        mark = self._spelling.read(device.dialect, spelled)

        def end(k: int, affinity: str) -> Place:
            return Place(Position("c.xhtml", 0, k, affinity), Status.EXACT, Reason.NONE, k, 10_000)

        return LocatedRange(RangePlace(end(mark.first, "after"), end(mark.last, "before")), "main")

    def _shown(self, device: Reader, row: Any, link: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {name: shown_field(row, name, device.surface) for name in FIELDS}
        return fields | {"range": self._spelling.write(device.dialect, mark_of_row(row))}


def _is_known(said: Said, link: Any, caller: Caller) -> bool:
    return link is not None and is_known(said, link["fingerprint"], link["claimed_at"], caller)
