"""What one device holds of the annotations of one book, and what it was offered. Functions of values.

A *link* is a row of `models.DeviceAnnotation` as a dictionary, a *row* one of `models.Annotation`.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance.reading.annotations.due import SHOWN, shown_field
from appliance.reading.annotations.effects import Row
from appliance.reading.annotations.merge import FIELDS, NOTHING_HELD, Versions
from appliance.reading.annotations.report import Caller, Said

MAX_OFFERS = 16  # that a device did not answer; the oldest is then taken for lost

Link = dict[str, Any]

_SECOND = timedelta(seconds=1)
_LAST = datetime.max.replace(tzinfo=UTC) - _SECOND
_NEVER_HELD: Link = {"held": {}, "held_versions": dict(NOTHING_HELD), "held_version": 0, "given": [], "fingerprint": ""}


class Links:
    """`links`: by native id. Afterwards: `changed`, the links to write, and `dropped`, those that go, by annotation."""

    def __init__(self, caller: Caller, links: Mapping[str, Link]) -> None:
        self.by_name = dict(links)
        self.changed: dict[str, Link] = {}
        self.dropped: set[str] = set()
        self._caller = caller
        self._names = {link["annotation_id"]: name for name, link in links.items()}
        # What was only offered may never have arrived; what is gone may be made again.
        self._held = {link["annotation_id"] for link in links.values() if link["held"] and link["gone_at"] is None}

    def of(self, annotation_id: str) -> Link | None:
        """The link to an annotation."""
        name = self._names.get(annotation_id)
        return self.by_name[name] if name is not None else None

    def has(self, annotation_id: str) -> bool:
        """Whether the device is known to hold it, so that a new name there is none of it."""
        return annotation_id in self._held

    # -- what a device has

    def hold(self, said: Said, row: Row, mine: set[str], base: Versions) -> None:
        """Remember what the device holds now: what it said, at version `base` of each field. `mine`: the fields in
        which that is what is kept now, in whatever words."""
        if self._caller.is_person:
            return  # a browser shows what is there, and says what it saw
        before = self.by_name.get(said.native_id)
        held = (dict(before["held"]) if before is not None else {}) | dict(said.fields)
        if said.range is not None:
            held["range"] = said.range
        versions = dict(base)
        for name in FIELDS:
            if name in mine or (name in SHOWN and held.get(name) == shown_field(row, name, self._caller.surface)):
                versions[name] = row["versions"][name]
        # In another file the same string may name other words; it stands for the place it was made at.
        is_same = before is not None and said.range in (None, before["held"].get("range"))
        is_back = before is not None and any(versions[name] < before["held_versions"][name] for name in FIELDS)
        link = self._new(said.native_id, row) | {
            "sha256": before["sha256"] if before is not None and is_same else self._caller.sha256,
            "native": dict(said.native),
            "fingerprint": said.fingerprint,
            "held": held,
            "held_versions": versions,
            # What it has as it was before, it is told of again.
            "held_version": before["held_version"] if before is not None and not is_back else 0,
            "claimed_at": _claimed(said, self._caller),
        }
        self._keep(link, row)

    def last_said(self, name: str) -> Iterator[Any]:
        """What the device said of a field last, for each annotation that it did not follow an offer of since."""
        return (link["held"].get(name) for link in self.by_name.values() if link["fingerprint"])

    def is_old(self, said: Said) -> bool:
        """Whether the device has told of something newer: this report was under way for long, or an old file was put
        back. By the device's own clock, so that it decides nothing but whether a note may be dropped."""
        link, claimed = self.by_name.get(said.native_id), _claimed(said, self._caller)
        if link is None or link["claimed_at"] is None or claimed is None:
            return False
        # A Kobo's time moves with each change, so what has the same was sent twice. KOReader's does not move with the
        # words of a note (koreader.md 4.4).
        is_same = claimed == link["claimed_at"] and self._caller.surface == "kobo"
        return is_same or bool(claimed < link["claimed_at"])

    def speaks_of(self, names: Collection[str], rows: Mapping[str, Row]) -> None:
        """The device says a part of what it has: `names`. What else a Kobo was known to hold, and what others changed
        since, may be there no more: after a set that it took and that nobody noted. Then it is made again under another
        name. What nobody changed, or another device has, is still there: the same mark beside it is a second one."""
        if self._caller.surface != "kobo":
            return
        for name, link in self.by_name.items():
            annotation_id = link["annotation_id"]
            if name not in names and link["held_version"] < rows[annotation_id]["version"]:
                self._held.discard(annotation_id)

    def lacks(self, native_id: str) -> None:
        """The device has it no more under this name, whatever else it said of it since; it may say it under another."""
        if native_id in self.by_name:
            self._held.discard(self.by_name[native_id]["annotation_id"])

    def miss(self, names: Collection[str], rows: Mapping[str, Row]) -> None:
        """The device has said all that it has, or deleted: `names`. What else it was known to hold it has lost, and is
        given again; absence is never a deletion."""
        for name in absent(self.by_name, names):
            link = self.by_name[name]
            row = rows[link["annotation_id"]]
            self._held.discard(row["id"])
            if row["deleted_at"] is not None:
                self.gone(link)
            else:
                self._keep({**link, **_NEVER_HELD}, row)

    def distrust(self, rows: Mapping[str, Row]) -> None:
        """The device speaks of a file that it did not write last: nothing is known of what it holds in there. Only what
        is just as it was known to be, and deleted since, stays deleted."""
        for link in list(self.by_name.values()):
            row = rows[link["annotation_id"]]
            self._held.discard(row["id"])
            if row["deleted_at"] is not None:
                self.gone({**link, "held_versions": dict(NOTHING_HELD)})
            else:
                self._keep({**link, **_NEVER_HELD}, row)

    def gone(self, link: Link) -> None:
        """The device deleted it."""
        link = {**link, "gone_at": self._caller.received_at, "fingerprint": "", "given": []}
        self._held.discard(link["annotation_id"])
        self._put(link)

    def drop(self, link: Link) -> None:
        """Forget that the device had it: it is given again."""
        annotation_id = link["annotation_id"]
        self.by_name.pop(link["native_id"], None)
        self._names.pop(annotation_id, None)
        self.changed.pop(annotation_id, None)
        self.dropped.add(annotation_id)
        self._held.discard(annotation_id)

    # -- what a device is offered

    def offer(self, row: Row, fields: Mapping[str, Any]) -> None:
        """The device is told of an annotation as it is now. `fields`: in its own spelling, with the range."""
        link = self.of(row["id"]) or self._new(row["id"], row)
        offer = {
            "version": row["version"],
            "sha256": self._caller.sha256,
            "fields": dict(fields),
            "versions": row["versions"],
            "at": row["changed_at"].isoformat(),
        }
        given = [one for one in link["given"] if one["version"] != row["version"]]
        self._keep({**link, "given": [*given, offer][-MAX_OFFERS:]}, row)

    def follow(
        self, native_id: str, version: int, rows: Mapping[str, Row], fields: Mapping[str, Any] | None = None
    ) -> None:
        """The device says that it holds what it was offered as `version`, or that it deleted what it was told to.
        `fields`: where it differs from the offer, such as a range that its engine spells in another way."""
        link = self.by_name.get(native_id)
        row = rows.get(link["annotation_id"]) if link is not None else None
        if link is None or row is None:
            return
        if row["deleted_at"] is not None and version >= row["version"]:
            self.gone(link)
            return
        offer = next((one for one in link["given"] if one["version"] == version), None)
        if offer is None:
            return
        link = {
            **link,
            "held": {**link["held"], **offer["fields"], **(fields or {})},
            "held_versions": dict(offer["versions"]),
            "given": [one for one in link["given"] if one["version"] > version],
            "sha256": offer.get("sha256", link["sha256"]),
            "fingerprint": "",
            "claimed_at": self._shown_at(link, offer),
            "gone_at": None,
        }
        self._keep(link, row)

    def follow_all(self, version: int, rows: Mapping[str, Row]) -> None:
        """The device took the whole set as it was at feed number `version`, in the caller's rendition: it holds what it
        was offered by then, and nothing that had been deleted."""
        for link in list(self.by_name.values()):
            row = rows.get(link["annotation_id"])
            if row is None or (link["gone_at"] is not None and not link["given"]):
                continue
            offers = [
                one["version"]
                for one in link["given"]
                if one["version"] <= version and one.get("sha256") == self._caller.sha256
            ]
            if row["deleted_at"] is not None and row["version"] <= version:
                self.gone(link)
            elif offers:
                self.follow(link["native_id"], max(offers), rows)

    # -- bookkeeping

    def _shown_at(self, link: Link, offer: Mapping[str, Any]) -> datetime | None:
        """The time that the device has for it now. A Kobo takes the one that it is given, which is that of the change,
        or the next second after its own (`kobo_api.annotations.wire.render`): what it says of that time or before is no
        change that it made since."""
        own: datetime | None = link["claimed_at"]
        if self._caller.surface != "kobo" or "at" not in offer:
            return own
        at = datetime.fromisoformat(offer["at"])
        return max(at, min(own, _LAST) + _SECOND) if own is not None else at

    def _new(self, native_id: str, row: Row) -> Link:
        return {
            "device_id": self._caller.device_id,
            "annotation_id": row["id"],
            "book_id": self._caller.book_id,
            "native_id": native_id,
            "sha256": self._caller.sha256,
            "native": {},
            "fingerprint": "",
            "held": {},
            "held_versions": dict(NOTHING_HELD),
            "held_version": 0,
            "given": [],
            "claimed_at": None,
            "gone_at": None,
        }

    def _keep(self, link: Link, row: Row) -> None:
        versions = link["held_versions"]
        if row["deleted_at"] is None and all(versions[name] >= row["versions"][name] for name in FIELDS):
            link["held_version"] = row["version"]
        before = self._names.get(row["id"])
        if before is not None and before != link["native_id"]:
            del self.by_name[before]
        self._put(link)
        if link["held"]:
            self._held.add(row["id"])

    def _put(self, link: Link) -> None:
        self.by_name[link["native_id"]] = self.changed[link["annotation_id"]] = link
        self._names[link["annotation_id"]] = link["native_id"]


def is_known(said: Said, fingerprint: str, claimed_at: datetime | None, caller: Caller) -> bool:
    """Whether the device says what it said before. `fingerprint`, `claimed_at`: of its link. A Kobo that says the same
    with a later time is heard, so that what it said in between is known for old when it arrives."""
    if said.fingerprint != fingerprint:
        return False
    if caller.surface != "kobo" or claimed_at is None:
        return True
    claimed = _claimed(said, caller)
    return claimed is None or claimed <= claimed_at


def base_of(link: Link, version: int) -> Versions:
    """The version of each field from which a device changed it that says it was last told of `version`: just as it was
    offered then; else no newer than what it is known to hold, because a version it was told as an answer comes with
    changes of others that it has not seen."""
    for offer in link["given"]:
        if offer["version"] == version:
            return dict(offer["versions"])
    return {name: min(held, version) for name, held in link["held_versions"].items()}


def _claimed(said: Said, caller: Caller) -> datetime | None:
    """When the device made it so, by its own clock as far as we know how that runs."""
    if said.changed_at is None:
        return None
    try:
        return said.changed_at - (caller.skew or timedelta(0))
    except OverflowError:
        return None


def absent(links: Mapping[str, Link], names: Collection[str]) -> list[str]:
    """Names of what the device was known to hold and does not have."""
    return [name for name, link in links.items() if link["held"] and link["gone_at"] is None and name not in names]
