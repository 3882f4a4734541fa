"""Two Kobos, a browser and KOReader with one book, doing anything in any order on a failing line: no Kobo ever loses a
note that nobody deleted, and in the end all hold the same (kobo-protocol.md 7)."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from appliance.reading.annotations.acts import keep
from tests.kobo_api.annotations.note_house import NoteHouse, ink
from tests.kobo_api.conftest import open_home
from tests.library.making import epub

COUNT = 14
SENTENCES = [f"The keeper of lamp number {n} wrote {n * 7 + 3} letters that nobody answered." for n in range(COUNT)]
WHO = st.integers(0, 1)
WHICH = st.integers(0, COUNT - 1)
HOW = st.sampled_from(["", "", "", "error", "cut", "hang"])


class Notes(RuleBasedStateMachine):
    """The simulator itself complains of each note that it loses."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        home = self.stack.enter_context(open_home(folder))
        chapter = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
        (folder / "books" / "lamps.epub").write_bytes(epub(chapters={"one.xhtml": chapter}))
        self.house = NoteHouse(home, None)
        self.kobos = [self.house.kobo(), self.house.kobo(echoes_etag=False, one_by_one=False, limit=3)]
        self.number = 0

    def teardown(self) -> None:
        try:
            self._all_agree()
        finally:
            self.stack.close()

    # What people do

    @rule(who=WHO, which=WHICH, noted=st.booleans())
    def mark_on_a_kobo(self, who: int, which: int, noted: bool) -> None:
        kobo = self.kobos[who]
        self._pass()
        if SENTENCES[which] not in {one.get("highlightedText") for one in kobo.notes.values()}:
            kobo.mark(SENTENCES[which], self._word() if noted else None)

    @rule(who=WHO, which=WHICH, what=st.sampled_from(["note", "colour", "delete"]))
    def change_on_a_kobo(self, who: int, which: int, what: str) -> None:
        kobo = self.kobos[who]
        self._pass()
        if not kobo.notes:
            return
        by_words = {note["highlightedText"]: id for id, note in kobo.notes.items()}
        words = sorted(by_words)[which % len(by_words)]
        id = by_words[words]
        if what == "delete":
            self._pass(minutes=11)
            self._is_meant(words)
            kobo.delete(id)
        else:
            kobo.edit(id, **({"note": self._word()} if what == "note" else {"colour": "green"}))

    @rule(which=WHICH, surface=st.sampled_from(["web", "koreader"]))
    def mark_elsewhere(self, which: int, surface: str) -> None:
        if SENTENCES[which] not in {row["text"] for row in self.house.rows()}:
            self.house.marks(surface, SENTENCES[which], note=self._word())

    @rule(which=WHICH, what=st.sampled_from(["note", "colour", "delete"]))
    def change_in_the_browser(self, which: int, what: str) -> None:
        rows = self.house.rows()
        if not rows:
            return
        row = rows[which % len(rows)]
        if what == "delete":
            self._is_meant(row["text"])
            self.house.removes(row["id"])
        elif what == "note":
            self.house.changes(row["id"], note=self._word())
        else:
            self.house.changes(row["id"], colour="#90caf9")

    @rule(on=st.booleans())
    def switch(self, on: bool) -> None:
        self.house.switch(on)

    # What devices and lines do

    @rule(who=WHO, patching=HOW, getting=st.sampled_from(["", "", "error"]))
    def meet(self, who: int, patching: str, getting: str) -> None:
        kobo = self.kobos[who]
        kobo.wire.failing = {"PATCH": patching, "GET": getting}
        kobo.meet()
        kobo.wire.failing = {}

    @rule(who=WHO)
    def ask_unasked(self, who: int) -> None:
        """7.3: once everything was handed over; what is pending then goes with the set on any server."""
        kobo = self.kobos[who]
        if not kobo.book.pending and not kobo.book.tombstones:
            kobo.sim.get(kobo.book)

    @rule(who=WHO)
    def download_again(self, who: int) -> None:
        kobo = self.kobos[who]
        if not kobo.book.pending and not kobo.book.tombstones:
            kobo.download()
            kobo.sim.check_places(kobo.book, kobo.file)

    @rule()
    def restart(self) -> None:
        self.house.home.database.engine.dispose()

    # What must hold

    def _all_agree(self) -> None:
        self.house.switch(True)
        for _ in range(3):
            self._pass(minutes=11)
            for kobo in self.kobos:
                kobo.meet()
            for row in self.house.rows():
                if row["held_at"] is not None:
                    keep(self.house.home.house, self.house.caller("web"), row["id"])
        rows = {row["text"]: row for row in self.house.rows()}
        assert len(rows) == len(self.house.rows()), "doubled"
        assert sorted(ink(text) for text in rows) == sorted(words for words, _ in self.house.seen("koreader").values())
        for kobo in self.kobos:
            has = {one["highlightedText"]: one for one in kobo.notes.values()}
            assert has.keys() == rows.keys() and len(has) == len(kobo.notes), "another set"
            for text, one in has.items():
                assert one.get("noteText", "") == rows[text]["note"]

    def _is_meant(self, words: str) -> None:
        """A person deletes the highlight of these words. Whoever made the same one, sent or not, may lose it too."""
        for kobo in self.kobos:
            kobo.sim.gone |= {id for id, note in kobo.notes.items() if note["highlightedText"] == words}
            kobo.sim.gone |= {row["id"] for row in self.house.rows(living=False) if row["text"] == words}

    def _pass(self, minutes: int = 1) -> None:
        self.house.home.clock.forward(minutes=minutes)

    def _word(self) -> str:
        self.number += 1
        return f"note {self.number}"


Notes.TestCase.settings = settings(
    max_examples=4, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestNotes = pytest.mark.slow(Notes.TestCase)


class LongNotes(Notes):
    """The same, for longer."""


LongNotes.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLongNotes = pytest.mark.nightly(LongNotes.TestCase)
