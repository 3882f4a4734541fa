"""What may happen to highlights of one person on several readers, and what must hold all the time."""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from appliance.reading.annotations.due import shown_field
from appliance.reading.annotations.palette import KOBO_GREY, shown, stored
from tests.reading.annotations.annotating import (
    START,
    STYLES,
    Browser,
    GreyKobo,
    Kobo,
    Mark,
    Reader,
    Spelling,
    mark_of_row,
)
from tests.reading.annotations.pure_server import PureServer

MARKS = [*(Mark("highlight", place) for place in range(6)), *(Mark("bookmark", place) for place in range(3))]
SKEWS = [
    timedelta(0),
    timedelta(0),
    timedelta(days=2),
    timedelta(days=-2),
    datetime(1970, 1, 1, tzinfo=START.tzinfo) - START,
]
HOW = ["well", "well", "well", "well", "request lost", "answer lost", "twice", "delayed"]
WHO = st.integers(0, 4)
WHICH = st.integers(0, 11)


class Readers(RuleBasedStateMachine):
    """Two KOReaders with the plugin, two Kobos, one of them without colours, and a browser."""

    def __init__(self) -> None:
        super().__init__()
        spelling = self.spelling()
        self.server = self.start(spelling)
        kinds = (Reader, Reader, Kobo, GreyKobo, Browser)
        self.devices = [kind(number, spelling) for number, kind in enumerate(kinds, 2)]
        self.browser = self.devices[-1]
        self.late = []
        self.known, self.deleted, self.grey = set(), set(), set()
        self.notes = 0
        self.acknowledged, self.replaced_by = set(), {}

    def start(self, spelling):
        return PureServer(spelling)

    def spelling(self):
        return Spelling()

    def _tick(self):
        self.server.now += timedelta(minutes=7)
        return self.server.now

    def _note(self):
        self.notes += 1
        return f"n{self.notes:04}"

    # -- what people do

    @rule(who=WHO, which=WHICH, colour=WHICH, noted=st.booleans())
    def create(self, who, which, colour, noted):
        device, mark, now = self.devices[who], MARKS[which % len(MARKS)], self._tick()
        if device.create(mark, colour, self._note() if noted else "", now):
            self._choose(device, mark, device.colour(colour))

    @rule(who=WHO, which=WHICH, what=st.sampled_from(["colour", "style", "range"]), value=WHICH)
    def edit(self, who, which, what, value):
        device, now = self.devices[who], self._tick()
        name = device.pick(which)
        if name is None:
            return
        if what == "colour":
            self._choose(device, device.marks()[name], device.colour(value))
            device.edit(name, now, colour=device.colour(value))
        elif what == "style":
            device.edit(name, now, style=STYLES[value % len(STYLES)])
        elif (mark := device.marks()[name]).kind == "highlight":
            device.edit(name, now, mark=mark._replace(more=value % 4))

    def _choose(self, device, mark, colour):
        if shown(stored(device.surface, colour), "kobo") == KOBO_GREY:
            self.grey.add(mark.name)

    @rule(who=WHO, which=WHICH, appends=st.booleans())
    def annotate(self, who, which, appends):
        device, now = self.devices[who], self._tick()
        name = device.pick(which)
        # The browser's outbox holds one note of each highlight back until the one before is answered.
        if name is None or (device.is_person and device._queued(name)):
            return
        before, note = device.note_at(name), self._note()
        if appends and before:
            device.edit(name, now, note=f"{before} {note}")
        else:
            self._replace(before, note)
            device.edit(name, now, note=note)

    @rule(which=WHICH)
    def merge_notes(self, which):
        """A person sees all notes in the browser and writes one instead."""
        now = self._tick()
        names = [
            name for name, row in self.browser.seen.items() if row["other_notes"] and not self.browser._queued(name)
        ]
        if names:
            name = sorted(names)[which % len(names)]
            note = self._note()
            for before in (self.browser.note_at(name), *self.browser.other_notes(name)):
                self._replace(before, note)
            self.browser.edit(name, now, merges_notes=True, note=note)

    def _replace(self, before, note):
        for word in before.split():
            self.replaced_by.setdefault(word, set()).add(note)

    def _was_replaced(self, word):
        """Whether somebody who saw it wrote something else, be it in several steps, and that arrived."""
        after = self.replaced_by.get(word, set())
        return any(note in self.acknowledged or self._was_replaced(note) for note in after)

    @rule(who=WHO, which=WHICH)
    def delete(self, who, which):
        device, now = self.devices[who], self._tick()
        name = device.pick(which)
        if name is not None:
            self.deleted.add(device.delete(name, now).name)

    @rule(who=WHO)
    def wipe(self, who):
        """A reader takes nearly all to be deleted, and no person was seen to do it."""
        device, now = self.devices[who], self._tick()
        names = sorted(device.items)[: len(MARKS) - 1]
        if len(names) > 2 and len(names) > len(device.items) // 2:
            for name in names:
                device.delete(name, now, is_confirmed=False)

    @rule(which=WHICH, wanted=st.booleans())
    def decide(self, which, wanted):
        """A person looks at a deletion that waits, or at one that was carried out."""
        self._tick()
        rows = sorted((row for row in self.server.rows.values() if row["held_at"] or row["deleted_at"]), key=str)
        if rows:
            self._decide(rows[which % len(rows)], wanted)

    def _decide(self, row, wanted):
        if wanted:
            self.server.keep(row["id"])
        elif row["id"] in self.browser.seen:
            self.deleted.add(self.browser.delete(row["id"], self.server.now).name)

    # -- what happens to devices and messages

    @rule(who=WHO, how=st.sampled_from(HOW))
    def sync(self, who, how):
        self._sync(who, how)

    @rule(who=WHO, then=WHO)
    def two_sync(self, who, then):
        self._sync(who, "well")
        self._sync(then, "well")

    def _sync(self, who, how):
        self._tick()
        for request in self.devices[who].sync(self.server, how, self.late):
            self._acknowledge(request)
        self._check()

    @precondition(lambda self: self.late)
    @rule(which=WHICH)
    def arrive(self, which):
        """What was under way for long arrives after newer things."""
        self._tick()
        device, request = self.late.pop(which % len(self.late))
        device.arrive(self.server, request)
        self._acknowledge(request)
        self._check()

    def _acknowledge(self, request):
        for said in request.said:
            self.acknowledged |= set(said.fields.get("note", "").split())

    @rule(who=WHO)
    def device_restarts(self, who):
        self.devices[who].restart()

    @rule()
    def server_restarts(self):
        self.server.restart()

    @rule(who=WHO, by=st.integers(0, 4))
    def device_is_reset(self, who, by):
        if by == 0:
            self.devices[who].reset()
            # It takes longer than any request.
            self.late = [(device, request) for device, request in self.late if device is not self.devices[who]]

    @rule(back=st.booleans())
    def device_is_copied(self, back):
        one, other = self.devices[:2]
        (one if back else other).copy(other if back else one)

    @rule(who=WHO, skew=st.sampled_from(SKEWS))
    def clock_is_set(self, who, skew):
        # Not while something is under way: see `Reader.sync`.
        if all(device is not self.devices[who] for device, _ in self.late):
            self.devices[who].set_clock(skew)

    # -- what must hold

    def _check(self):
        rows = self.server.rows
        assert self.known <= rows.keys(), "an annotation is gone for good"
        self.known = set(rows)
        living = [row for row in rows.values() if row["deleted_at"] is None]
        for row in rows.values():
            if row["deleted_at"] is not None:
                assert mark_of_row(row).name in self.deleted, "nobody deleted it"
            if row["colour"] == f"kobo:{KOBO_GREY}":
                assert mark_of_row(row).name in self.grey, "a grey Kobo took a colour away"
        assert len({mark_of_row(row).name for row in living}) == len(living), "doubled"
        written = {
            word for row in rows.values() for note in (row["note"], *row["other_notes"]) for word in note.split()
        }
        for word in self.acknowledged - written:
            assert self._was_replaced(word), f"the word {word} is lost"

    def teardown(self):
        while self.late:
            self.arrive(0)
        for _ in range(3):
            self._meet()
        for number, row in enumerate(list(self.server.rows.values())):
            if row["held_at"] is not None:
                self._decide(row, wanted=bool(number % 2))
        for _ in range(3):
            self._meet()
        living = {mark_of_row(row): row for row in self.server.rows.values() if row["deleted_at"] is None}
        assert not any(row["held_at"] for row in living.values())
        for device in self.devices[:-1]:
            has = {device.mark(item): item for item in device.items.values()}
            assert has.keys() == living.keys(), f"{device.surface} {device.number} holds another set"
            assert len(has) == len(device.items), "doubled on a device"
            for mark, item in has.items():
                for name in ("note", "colour", "style"):
                    assert item[name] == shown_field(living[mark], name, device.surface), (device.surface, name)
        assert {mark_of_row(row) for row in self.browser.seen.values()} == living.keys()

    def _meet(self):
        for who in range(len(self.devices)):
            self._sync(who, "well")
