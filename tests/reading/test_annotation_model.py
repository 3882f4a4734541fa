"""Highlights of four readers of all kinds that are offline, lose messages, repeat them and have wrong clocks."""

from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.positions import Place, Position, RangePlace, Reason, Status
from appliance.reading.annotation_due import due, shown_field
from appliance.reading.annotation_exchange import Exchange
from appliance.reading.annotation_report import Caller, Deletion, Said
from appliance.reading.locate_range import LocatedRange
from appliance.reading.palette import choices

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACES = 6  # so few that readers often mark the same words
NOTES = ["", "why?", "see chapter two", "no"]
SKEWS = [timedelta(0), timedelta(days=2), timedelta(days=-2), START - datetime(1970, 1, 1, tzinfo=UTC)]


def located(number):
    first, last = 100 * number, 100 * number + 30

    def end(k, affinity):
        return Place(Position("c.xhtml", 0, k, affinity), Status.EXACT, Reason.NONE, k, 10_000)

    return LocatedRange(RangePlace(end(first, "after"), end(last, "before")), "main")


class Server:
    """What the transactions of `reading.annotations` do, without a database."""

    def __init__(self):
        self.rows, self.links, self.operations, self.version = {}, {}, {}, 1
        self.now, self.ids = START, count(1)
        self.deleted_by_people = set()

    def exchange(self, device, said, deletions, followed):
        links = self.links.setdefault(device.number, {})
        caller = Caller(1, device.number, "b", device.surface, device.dialect, "main", self.now, None, device.is_person)
        done = self.operations.setdefault(device.number, {})
        links = {} if device.is_person else links
        work = Exchange(caller, self.rows, links, done, self.version, lambda: f"id{next(self.ids):04}")
        self.version += len(said) + len(deletions)
        for native_id, version in followed:
            work.follow(native_id, version)
        work.delete(deletions, 0)
        for one in said:
            link = work.links.get(one.native_id)
            if link is not None and link["gone_at"] is None and link["fingerprint"] == one.fingerprint:
                continue
            work.take(one, located(device.place_of(one.range)) if one.range is not None else None)
        offers = []
        if not device.is_person:
            for row in list(work.rows.values()):
                link = next((one for one in work.links.values() if one["annotation_id"] == row["id"]), None)
                what = due(row, link, device.surface)
                if what is None and not (device.replaces and row["deleted_at"] is None):
                    continue
                fields = {name: shown_field(row, name, device.surface) for name in ("text", "note", "colour", "style")}
                fields["range"] = device.spell(row["first"] // 100)
                if what == "remove":
                    offers.append((link["native_id"], row["version"], None))
                    continue
                if row["held_at"] is None:
                    work.offer(row["id"], fields)
                    native_id = next(n for n, one in work.links.items() if one["annotation_id"] == row["id"])
                    offers.append((native_id, row["version"], fields))
            self.links[device.number] = work.links
        for entry in work.entries:
            if entry["said"].operation_id:
                done[entry["said"].operation_id] = entry["row"]["id"]
        self.rows = work.rows
        return offers


class Reader:
    """KOReader with a plugin: says all it has, deletes in so many words, confirms what it was told."""

    surface, dialect, is_person, replaces = "koreader", "xpointer", False, False

    def __init__(self, number, skew):
        self.number, self.skew, self.made = number, skew, 0
        self.items, self.pending_deletes, self.followed = {}, [], []

    def spell(self, place):
        return [f"/x.{place}", f"/y.{place}"]

    def place_of(self, spelled):
        return int(spelled[0].rpartition(".")[2])

    def create(self, place, colour, note, now):
        if any(item["range"] == self.spell(place) for item in self.items.values()):
            return
        self.made += 1
        colours = choices(self.surface)
        self.items[f"{self.number}-{self.made}"] = {
            "range": self.spell(place),
            "text": f"words{place}",
            "note": note,
            "colour": colours[colour % len(colours)],
            "style": "highlight",
            "changed": now + self.skew,
        }

    def edit(self, which, change, now):
        names = sorted(self.items)
        if names:
            item = self.items[names[which % len(names)]]
            if "colour" in change:
                colours = choices(self.surface)
                change = {"colour": colours[change["colour"] % len(colours)]}
            item |= change
            item["changed"] = now + self.skew

    def delete(self, which, now):
        names = sorted(self.items)
        if names:
            name = names[which % len(names)]
            del self.items[name]
            self.pending_deletes.append((name, now + self.skew))
            return name
        return None

    def said(self):
        return [self._said(name, item) for name, item in self.items.items()]

    def _said(self, name, item):
        fields = {field: item[field] for field in ("text", "note", "colour", "style")}
        return Said(name, "highlight", item["range"], fields, changed_at=item["changed"])

    def sync(self, server, lose_request, lose_answer, twice):
        if lose_request:
            return
        deletions = [Deletion(name, at, is_confirmed=True) for name, at in self.pending_deletes]
        offers = server.exchange(self, self.said(), deletions, self.followed)
        if twice:
            server.exchange(self, self.said(), deletions, self.followed)
        if lose_answer:
            return
        self.pending_deletes, self.followed = [], []
        self.apply(offers, server.now)

    def apply(self, offers, now):
        for name, version, fields in offers:
            if fields is None:
                self.items.pop(name, None)
            else:
                self.items[name] = {**fields, "changed": now + self.skew}
            self.followed.append((name, version))


class Kobo(Reader):
    """A Kobo: says only what changed, and takes what it is given for the whole."""

    surface, dialect, replaces = "kobo", "kobo", True

    def __init__(self, number, skew):
        super().__init__(number, skew)
        self.patched = {}

    def spell(self, place):
        return [{"source": "c.xhtml", "value": f"kobo.{place}.1", "offset": 0}]

    def place_of(self, spelled):
        return int(spelled[0]["value"].split(".")[1])

    def said(self):
        return [self._said(name, item) for name, item in self.items.items() if self.patched.get(name) != item]

    def sync(self, server, lose_request, lose_answer, twice):
        if lose_request:
            return
        deletions = [Deletion(name, at, is_confirmed=True) for name, at in self.pending_deletes]
        server.exchange(self, self.said(), deletions, [])
        if twice:
            server.exchange(self, self.said(), deletions, [])
        self.pending_deletes = []
        self.patched = {name: dict(item) for name, item in self.items.items()}
        if lose_answer:
            return
        offers = server.exchange(self, [], [], [])
        old, self.items = self.items, {}
        self.apply([offer for offer in offers if offer[2] is not None], server.now)
        for name, item in self.items.items():
            if name in old:
                item["changed"] = old[name]["changed"]
        self.patched = {name: dict(item) for name, item in self.items.items()}


class Browser(Reader):
    """A page that shows what was there when it was loaded, and says what it saw."""

    surface, dialect, is_person = "web", "cfi", True

    def __init__(self, number, skew):
        super().__init__(number, skew)
        self.seen, self.queue = {}, []

    def spell(self, place):
        return f"epubcfi(/6/{place})"

    def place_of(self, spelled):
        return int(spelled[11:-1])

    def load(self, server):
        self.seen = {name: dict(row) for name, row in server.rows.items() if row["deleted_at"] is None}

    def create(self, place, colour, note, now):
        if any(row["first"] == 100 * place for row in self.seen.values()) or self.queue:
            return
        self.made += 1
        name = f"00000000-0000-4000-8000-{self.number:04}{self.made:08}"
        fields = {"text": f"words{place}", "note": note, "colour": choices("web")[colour % 8], "style": "highlight"}
        self.queue.append(Said(name, "highlight", self.spell(place), fields, operation_id=f"c{self.made}"))

    def edit(self, which, change, now):
        names = sorted(self.seen)
        if names:
            name = names[which % len(names)]
            if "colour" in change:
                change = {"colour": choices("web")[change["colour"] % 8]}
            self.made += 1
            version = self.seen[name]["version"]
            self.queue.append(Said(name, "highlight", None, change, base_version=version, operation_id=f"e{self.made}"))

    def delete(self, which, now):
        names = sorted(self.seen)
        if names:
            name = names[which % len(names)]
            self.made += 1
            self.queue.append(Deletion(name, None, self.seen[name]["version"], True, f"d{self.made}"))
            return name
        return None

    def sync(self, server, lose_request, lose_answer, twice):
        if lose_request:
            return
        for _ in range(1 + twice):
            said = [one for one in self.queue if isinstance(one, Said)]
            deletions = [one for one in self.queue if isinstance(one, Deletion)]
            server.exchange(self, said, deletions, [])
        if lose_answer:
            return
        self.queue = []
        self.load(server)


class Readers(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.server = Server()
        self.devices = [Reader(2, SKEWS[0]), Reader(3, SKEWS[1]), Kobo(4, SKEWS[2]), Browser(5, SKEWS[0])]
        self.known = set()
        self.deletes = 0

    @rule(skews=st.permutations(SKEWS))
    def wrong_clocks(self, skews):
        for device, skew in zip(self.devices, skews, strict=True):
            device.skew = skew

    @rule(
        who=st.integers(0, 3), place=st.integers(0, PLACES - 1), colour=st.integers(0, 9), note=st.sampled_from(NOTES)
    )
    def create(self, who, place, colour, note):
        self.tick()
        self.devices[who].create(place, colour, note, self.server.now)

    @rule(who=st.integers(0, 3), which=st.integers(0, 20), colour=st.integers(0, 9))
    def recolour(self, who, which, colour):
        self.tick()
        self.devices[who].edit(which, {"colour": colour}, self.server.now)

    @rule(who=st.integers(0, 3), which=st.integers(0, 20), note=st.sampled_from(NOTES[1:]))
    def annotate(self, who, which, note):
        self.tick()
        self.devices[who].edit(which, {"note": f"{note} {self.server.now:%H%M%S}"}, self.server.now)

    @rule(who=st.integers(0, 3), which=st.integers(0, 20))
    def delete(self, who, which):
        self.tick()
        if self.devices[who].delete(which, self.server.now) is not None:
            self.deletes += 1

    @rule(who=st.integers(0, 3), request=st.booleans(), answer=st.booleans(), twice=st.booleans())
    def sync(self, who, request, answer, twice):
        self.tick()
        self.devices[who].sync(self.server, request and answer, answer, twice)
        self.known |= self.server.rows.keys()

    def tick(self):
        self.server.now += timedelta(minutes=7)

    @invariant()
    def what_was_acknowledged_stays(self):
        assert self.known <= self.server.rows.keys()
        gone = [row for row in self.server.rows.values() if row["deleted_at"] is not None]
        assert len(gone) <= self.deletes

    @invariant()
    def nothing_is_doubled(self):
        living = [row["first"] for row in self.server.rows.values() if row["deleted_at"] is None]
        assert len(living) == len(set(living))

    def teardown(self):
        for _ in range(3):
            for device in self.devices:
                self.tick()
                device.sync(self.server, False, False, False)
        for device in self.devices:
            self.tick()
            device.sync(self.server, False, False, False)
        living = {row["first"] // 100: row for row in self.server.rows.values() if row["deleted_at"] is None}
        for device in self.devices[:3]:
            has = {device.place_of(item["range"]): item for item in device.items.values()}
            assert has.keys() == living.keys(), device.surface
            for place, item in has.items():
                for name in ("note", "colour", "style"):
                    assert item[name] == shown_field(living[place], name, device.surface), (device.surface, name)
        assert {row["first"] // 100 for row in self.devices[3].seen.values()} == living.keys()


TestReaders = Readers.TestCase
TestReaders.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
