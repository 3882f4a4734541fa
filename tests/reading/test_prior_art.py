"""What goes wrong elsewhere, row by row of our own list of prior art (3.1, 3.2).

Here are the rows that the reading record itself answers. `ELSEWHERE` names the tests of the others, which have to be
there; `LATER` the rows that belong to an issue to come: 5 (annotations on the wire of a Kobo) or 6 (the plugin for
KOReader).
"""

import re
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select

from appliance.models import Annotation, DeviceAnnotation, JournalEntry
from appliance.positions import Position, Range
from appliance.positions.dialects import write
from appliance.positions.ranges import range_text
from appliance.reading.annotations.palette import DEFAULT, shown
from appliance.reading.annotations.record import exchange, follow, offer
from appliance.reading.annotations.report import Answer, Caller, Deletion, Said
from appliance.reading.progress.report import Act
from tests.conftest import ROOT
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household

ELSEWHERE = {
    7: ["webreader/test_reader.py::test_a_locator_that_cannot_be_resolved"],
    8: ["kobo_api/reading/test_reading_state.py::test_a_span_that_the_file_does_not_have_falls_back"],
    1: ["webreader/test_reader.py::test_opening_resizing_and_settings_write_nothing"],
    4: ["koreader_api/kosync/test_kosync.py::test_two_readers_that_call_themselves_the_same_are_two"],
    9: ["webreader/test_reader.py::test_another_reader_went_on"],
    11: [
        "kobo_api/reading/test_reading_state.py::test_every_change_of_the_status_comes_to_a_kobo",
        "kobo_api/reading/test_reading_state.py::test_marked_as_unread_on_a_kobo_is_what_a_person_did",
    ],
    12: ["kobo_api/test_wire.py::test_whole_percents_are_integers_and_zero_is_a_number"],
    13: [
        "kobo_api/reading/test_reading_state.py::test_a_decision_to_stay_is_not_asked_again",
        "webreader/test_reader.py::test_another_reader_went_on",
    ],
    14: ["reading/progress/test_echo.py::test_ten_hops_of_following_readers_drift_nowhere"],
    19: ["webreader/pages/test_library.py::test_reading_appears_on_the_shelf_and_on_the_book_page"],
    20: ["kobo_api/test_simulated_device.py::test_every_book_opens_and_returns_to_its_page"],
    21: ["positions/test_xpointer.py::test_resolving"],
    22: ["positions/test_failure_catalogue.py::test_row_19_documents_outside_the_reading_order"],
    23: ["positions/test_failure_catalogue.py::test_row_09_an_image_as_position"],
    24: ["koreader_api/kosync/test_kosync.py::test_what_leads_nowhere_is_never_given_to_anybody"],
    26: ["positions/test_failure_catalogue.py::test_row_25_only_a_document"],
    27: [
        "reading/test_catalogue_of_behaviour.py::test_row_29_a_percentage_alone_is_approximate_and_moves_no_exact_place"
    ],
    33: [
        "kobo_api/reading/test_reading_state.py::test_an_offer_says_how_far_the_person_is",
        "kobo_api/test_simulated_device.py::test_a_second_download_returns_to_the_page",
    ],
    34: ["end_to_end/test_main_job.py::test_wherever_somebody_stops_the_others_go_on_at_the_same_word"],
    38: ["kepub/test_cache.py::test_a_new_version_changes_nothing_that_was_made"],
    50: ["positions/test_range_vectors.py"],
    32: ["koreader_api/plugin/test_matching.py::test_a_sidecar_that_was_copied_from_another_book_says_nothing"],
    44: ["koreader_api/plugin/test_matching.py::test_what_was_made_in_a_file_goes_to_the_book_that_it_is"],
    52: ["koreader_api/plugin/test_wire.py::test_any_fields"],
    57: ["koreader_api/plugin/test_wire.py::test_the_description_names_every_endpoint_and_shape"],
    56: ["kobo_api/test_reading_services.py::test_storage_and_notebooks_never_fail"],
}
ELSEWHERE |= {row: ["positions/test_vectors.py"] for row in (28, 29)}
"""A row may be shown both here and there."""

LATER = {
    5: [35, 39, 40, 41, 42, 46, 47],
    6: [49],
}
"""Row 35: until then a Kobo with notes is never told that there are none (kobo_api/test_reading_services.py). 49: the
plugin under several versions of KOReader. 47: a wish for a protocol."""

WORDS = "".join(f"<p>Paragraph {n} says <b>something</b> that no other one says, {n * 7919}.</p>\n" for n in range(200))
DIALECTS = {"koreader": "xpointer", "kobo": "kobo", "web": "cfi"}


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[Household]:
    with house_in(tmp_path_factory.mktemp("house")) as house:
        yield Household(house, epub(chapters={"one.xhtml": WORDS, "two.xhtml": WORDS.replace("says", "told")}))


@pytest.fixture
def home(house: Household) -> Household:
    house.somebody_else()
    return house


class Reader:
    """One device of the person, in positions and in highlights."""

    def __init__(self, home: Household, surface: str) -> None:
        self.home, self.surface, self.user_id = home, surface, home.user_id
        self.sha256 = home.kepub if surface == "kobo" else home.epub
        self.device = home.device({"web": "browser", "koreader": "kosync"}.get(surface, surface))
        self.book = home.open(self.sha256)

    @property
    def dialect(self) -> str:
        return DIALECTS[self.surface]

    def at(self, share: float) -> str:
        """A place of its file in its own words."""
        position = self.book.at_tick(round(share * self.book.summary.total)).position
        locator = {
            "xpointer": self.book.encode_xpointer,
            "cfi": self.book.encode_cfi,
        }[self.dialect](position).locator
        return str(locator)

    def reads(self, share: float, **fields):
        act = Act.READ if self.surface == "web" else Act.UNKNOWN
        return self.home.says(self.device, self.dialect, self.at(share), **{"act": act, **fields})

    def asks(self):
        return self.home.asks(self.device, self.dialect)

    # -- highlights

    def caller(self, **fields) -> Caller:
        now = self.home.house.now()
        is_person = self.surface == "web"
        names = (self.user_id, self.device, self.home.book_id, self.surface, self.dialect, self.sha256, now)
        return Caller(*names, **{"is_person": is_person, **fields})

    def range(self, tick: int, length: int = 20):
        start, end = self.book.at_tick(tick).position, self.book.at_tick(tick + length).position
        return write(self.book, self.dialect, Range(start, Position(end.document, 0, end.k, "before"))).value

    def say(self, name: str, tick: int, **fields: str) -> Said:
        return Said(
            name,
            "highlight",
            self.range(tick),
            {"text": "", "note": "", "colour": shown(DEFAULT, self.surface), "style": "highlight", **fields},
        )

    def exchange(self, *said: Said, deletes: tuple[str, ...] = (), **options) -> list[Answer]:
        return exchange(self.home.house, self.caller(), said, [Deletion(name) for name in deletes], **options)

    def sync(self):
        offers = offer(self.home.house, self.caller())
        follow(self.home.house, self.caller(), {one.native_id: one.row["version"] for one in offers})
        return offers


def share_now(home: Household) -> float:
    progress = home.progress()
    assert progress is not None
    return round(progress["tick"] / progress["total"], 2)


def rows(home: Household, *, living: bool = True) -> list[Annotation]:
    with home.house.database.read() as session:
        found = session.exec(select(Annotation).where(Annotation.user_id == home.user_id)).all()
    return [row for row in found if row.deleted_at is None or not living]


# -- 3.1 Wrong position wins


def test_row_01_opening_a_book_moves_no_bookmark(home):
    """bookorbit/bookorbit#1136"""
    web, koreader = Reader(home, "web"), Reader(home, "koreader")
    koreader.reads(0.4)
    for share in (0.0, 0.2, 0.9):
        assert web.reads(share, act=Act.OPENED).kind == "history"
    assert koreader.reads(0.001).kind == "suggestion", "a fresh download shows its first page"
    assert share_now(home) == 0.4


def test_row_02_a_device_that_pushes_the_old_place_back_moves_nobody(home):
    """bookorbit/bookorbit#749"""
    web, koreader = Reader(home, "web"), Reader(home, "koreader")
    koreader.reads(0.3)
    web.reads(0.32)
    assert koreader.asks().encoded.locator is not None, "never a percentage without a place"
    assert koreader.reads(0.3).kind == "echo"
    assert share_now(home) == 0.32


def test_row_03_a_stale_value_does_not_win_by_being_uploaded_later(home):
    """crocodilestick/Calibre-Web-Automated#1520"""
    web, koreader = Reader(home, "web"), Reader(home, "koreader")
    koreader.reads(0.2)
    web.reads(0.6)
    home.house.now.moment += timedelta(days=3)
    assert koreader.reads(0.2).reason == "as-said-before"
    assert share_now(home) == 0.6


def test_row_04_two_readers_of_one_model_are_two(home):
    """crocodilestick/Calibre-Web-Automated#1182"""
    one, other = Reader(home, "koreader"), Reader(home, "koreader")
    one.reads(0.2)
    assert other.asks().encoded.locator == one.at(0.2)
    assert other.reads(0.2).kind == "echo"
    assert other.reads(0.25).kind == "current"
    assert one.asks().encoded.locator == other.at(0.25)


def test_row_05_sync_now_on_an_idle_device_overwrites_nothing(home):
    """bndct-devops/tome#175"""
    idle, web = Reader(home, "koreader"), Reader(home, "web")
    idle.reads(0.1)
    web.reads(0.14)
    for _ in range(3):
        assert idle.reads(0.1).kind == "echo"
    assert share_now(home) == 0.14


def test_row_06_17_18_every_protocol_feeds_one_position(home):
    """bndct-devops/tome#156, Calibre-Web-NextGen#1425, crocodilestick/Calibre-Web-Automated#1026"""
    web, koreader = Reader(home, "web"), Reader(home, "koreader")
    koreader.reads(0.2)
    assert web.asks().encoded.locator == web.at(0.2)
    web.reads(0.3)
    assert koreader.asks().encoded.locator == koreader.at(0.3)
    with home.house.database.read() as session:
        entries = session.exec(select(JournalEntry).where(JournalEntry.user_id == home.user_id)).all()
    assert [(entry.device_id, entry.outcome, entry.reason) for entry in entries] == [
        (koreader.device, "current", "first-report"),
        (web.device, "current", "read"),
    ], "the way of every position can be told"


def test_row_09_a_tab_left_open_stops_nobody(home):
    """grimmory-tools/grimmory#1702"""
    tab, koreader = Reader(home, "web"), Reader(home, "koreader")
    seen = tab.reads(0.1).version
    koreader.reads(0.6)
    assert tab.reads(0.12, based_on=seen).reason == "stale-view"
    assert koreader.reads(0.65).kind == "current"
    assert share_now(home) == 0.65


def test_row_10_a_clock_that_is_off_refuses_no_reading(home):
    """gotson/komga#2045"""
    web, koreader = Reader(home, "web"), Reader(home, "koreader")
    koreader.reads(0.2, claimed_at=home.house.now() + timedelta(days=400))
    assert web.reads(0.3).kind == "current"
    assert koreader.reads(0.4, claimed_at=home.house.now() - timedelta(days=20_000)).kind == "current"


def test_row_15_the_place_before_is_not_lost_by_a_jump(home):
    """readest/readest#4216"""
    web = Reader(home, "web")
    web.reads(0.8)
    web.reads(0.1, act=Act.JUMPED)
    with home.house.database.read() as session:
        entries = session.exec(select(JournalEntry).where(JournalEntry.user_id == home.user_id)).all()
    assert [round(entry.fraction, 1) for entry in entries] == [0.8, 0.1]
    assert share_now(home) == 0.1


def test_row_16_a_queue_that_is_replayed_is_history(home):
    """koreader/koreader, KOSyncQueue.lua"""
    web, koreader = Reader(home, "web"), Reader(home, "koreader")
    web.reads(0.5)
    clock, kinds = home.house.now, []
    for share in (0.1, 0.3, 0.49, 0.7):
        kinds.append(koreader.reads(share).kind)
        clock.moment -= timedelta(minutes=5)  # `says` waits as long as a person would
    assert "current" not in kinds
    assert share_now(home) == 0.5


@pytest.mark.parametrize("files", [1, 40])
def test_row_20_a_book_without_contents_in_one_file_or_in_many(tmp_path, files):
    """Kareadita/Kavita#3910"""
    lines = (WORDS + WORDS.replace("says", "told")).splitlines()
    per = len(lines) // files
    chapters = {f"{n}.xhtml": "".join(lines[n * per : (n + 1) * per]) for n in range(files)}
    with house_in(tmp_path) as opened:
        home = Household(opened, epub(chapters=chapters))
        koreader, web = Reader(home, "koreader"), Reader(home, "web")
        for share in (0.11, 0.35, 0.62, 0.985):
            koreader.reads(share)
            assert web.asks().encoded.locator == web.at(share)
            there = home.asks(home.device("kobo"), "kobo").encoded
            found = home.open(home.kepub).decode_kobo(there.locator.source, there.locator.value).tick
            assert 0 <= round(share * web.book.summary.total) - found < 60, "the sentence that it is in"


def test_row_28_29_a_place_in_the_middle_of_a_chapter_is_known_to_the_character(home):
    """booklore-app/booklore#2791, gotson/komga (KOReader documentation): others know the chapter, or lose it knowingly.
    Our own precision is measured: docs/positions.md, tests/positions/test_vectors.py."""
    koreader, web = Reader(home, "koreader"), Reader(home, "web")
    total = koreader.book.summary.total
    for tick in range(101, total, total // 25):
        koreader.reads(tick / total, act=Act.JUMPED)
        progress = home.progress()
        assert progress is not None and progress["tick"] == tick
        asked = web.asks().encoded
        assert asked.status == "exact" and web.book.decode_cfi(asked.locator).tick == tick


def test_row_25_a_percentage_without_a_place_moves_no_exact_one(home):
    """cporcellijr/bookbridge#80"""
    koreader, web = Reader(home, "koreader"), Reader(home, "web")
    web.reads(0.5)
    outcome = home.says(koreader.device, "xpointer", "", percent=0.5)
    assert outcome.kind != "current"
    assert share_now(home) == 0.5


def test_row_30_a_pointer_is_translated_when_it_comes_and_kept_raw(home):
    """stumpapp/stump#506"""
    koreader, web = Reader(home, "koreader"), Reader(home, "web")
    koreader.reads(0.5)
    with home.house.database.read() as session:
        entry = session.exec(select(JournalEntry).where(JournalEntry.user_id == home.user_id)).one()
    assert entry.locator == koreader.at(0.5) and entry.k is not None
    assert web.asks().encoded.locator == web.at(0.5)


def test_row_31_the_epub_and_its_kepub_have_one_position(home):
    """bookorbit/bookorbit#429, crocodilestick/Calibre-Web-Automated#1210"""
    koreader = Reader(home, "koreader")
    in_kepub = home.device("kosync")
    koreader.reads(0.5)
    there = home.asks(in_kepub, "xpointer", home.kepub).encoded.locator
    assert there is not None
    assert home.says(in_kepub, "xpointer", there, home.kepub).kind == "echo"
    assert share_now(home) == 0.5


# -- 3.2 Highlights lost, doubled or misplaced


def test_row_36_what_cannot_be_placed_is_kept_and_flagged(home):
    """Calibre-Web-NextGen PR #1641"""
    koreader = Reader(home, "koreader")
    nowhere = ["/body/DocFragment[99]/body/p/text().0"] * 2
    for n in range(95):
        koreader.exchange(Said(str(n), "highlight", nowhere, {"text": f"gone {n}", "note": f"mine {n}"}))
    assert {(row.text, row.note) for row in rows(home)} == {(f"gone {n}", f"mine {n}") for n in range(95)}
    assert {(row.place_status, row.place_reason) for row in rows(home)} == {("failed", "no-document")}


def test_row_37_an_empty_device_wipes_nobody(home):
    """Calibre-Web-NextGen#920"""
    first, second = Reader(home, "koreader"), Reader(home, "koreader")
    first.exchange(*[first.say(str(n), 100 * n) for n in range(8)], complete=True)
    second.exchange(complete=True)
    assert len(rows(home)) == 8
    assert {one.due for one in second.sync()} == {"give"}
    second.exchange(complete=True)
    assert len(rows(home)) == 8, "nor does one that has lost what it was given"
    assert len(second.sync()) == 8
    assert first.sync() == []


def test_row_43_ink_is_kept_as_it_came_and_is_no_empty_note(home):
    """bookorbit/bookorbit#1274"""
    kobo = Reader(home, "kobo")
    native = {"type": "markup", "attachment": "svg", "strokes": [[1, 2], [3, 4]]}
    kobo.exchange(Said("ink", "markup", kobo.range(100), {"text": "", "note": ""}, native))
    (row,) = rows(home)
    with home.house.database.read() as session:
        link = session.get(DeviceAnnotation, (kobo.device, row.id))
    assert (row.kind, link.native) == ("markup", native)


def test_row_45_times_and_native_fields_are_preserved(home):
    """bookorbit/bookorbit#1300"""
    koreader = Reader(home, "koreader")
    made = home.house.now() - timedelta(days=30)
    native = {"datetime": "2026-10-22 12:00:00", "drawer": "lighten", "pageno": 7, "pos0": "x", "chapter": "One"}
    said = koreader.say("1", 100)
    koreader.exchange(Said(said.native_id, said.kind, said.range, said.fields, native, "One", made, made))
    (row,) = rows(home)
    with home.house.database.read() as session:
        link = session.get(DeviceAnnotation, (koreader.device, row.id))
    assert row.created_at == made
    assert (link.native, link.native_id) == (native, "1")


def test_row_48_the_same_words_are_one_highlight_wherever_they_were_marked(home):
    """grimmory-tools/grimmory#2410, grimmory-tools/grimmory.koplugin#179"""
    for n in range(3):
        Reader(home, "koreader").exchange(Reader(home, "koreader").say(f"name {n}", 100))
    kobo = Reader(home, "kobo")
    kobo.exchange(kobo.say("uuid", 100))
    kobo.exchange(kobo.say("another uuid, after a reset", 100), is_foreign=True)
    (row,) = rows(home)
    assert (row.first, row.last) == (100, 120)


def test_row_48_a_highlight_that_came_with_a_wrong_place_stands_at_its_words(home):
    """grimmory-tools/grimmory#2410: all of them were on page 1."""
    koreader = Reader(home, "koreader")
    page_one = koreader.range(0)
    for number, tick in enumerate((1500, 3100, 5200)):
        start, end = koreader.book.at_tick(tick).position, koreader.book.at_tick(tick + 60).position
        words = range_text(koreader.book, Range(start, Position(end.document, 0, end.k, "before")))
        koreader.exchange(Said(str(number), "highlight", page_one, {"text": words, "note": ""}))
    assert sorted((row.first, row.last, row.place_status) for row in rows(home)) == [
        (1500, 1560, "recovered"),
        (3100, 3160, "recovered"),
        (5200, 5260, "recovered"),
    ]


@pytest.mark.parametrize("kinds", [("koreader", "kobo"), ("kobo", "koreader"), ("web", "koreader"), ("web", "kobo")])
def test_row_51_a_deletion_goes_everywhere_and_stays(home, kinds):
    """readest/readest#4119, #5818"""
    maker, other = (Reader(home, kind) for kind in kinds)
    name = f"00000000-0000-4000-8000-{home.user_id:012}"
    said = maker.say(name, 100)
    maker.exchange(said)
    (given,) = other.sync()
    other.exchange(deletes=(given.native_id,))
    assert rows(home) == []
    if maker.surface != "web":
        assert [one.due for one in maker.sync()] == ["remove"]
        maker.exchange(said)
        assert rows(home) == [], "an old file that is put back does not bring it back"
        assert [one.due for one in maker.sync()] == ["remove"]
    assert other.sync() == []


def test_row_53_files_of_another_reader_do_no_harm(home):
    """GeorgeSG/KoInsight#4: a program copied the files of one reader over those of another."""
    one, other = Reader(home, "koreader"), Reader(home, "koreader")
    one.exchange(one.say("a", 100, note="of one"), one.say("b", 300), complete=True)
    other.exchange(other.say("c", 500, note="of the other"), complete=True)
    other.sync()
    other.exchange(one.say("a", 100, note="of one"), one.say("b", 300), is_foreign=True)
    assert sorted(row.note for row in rows(home)) == ["", "of one", "of the other"]
    assert [(one.due, one.fields["note"]) for one in other.sync()] == [("give", "of the other")]


def test_row_54_55_highlights_of_several_devices_are_merged_not_overwritten(home):
    """koreader/koreader#4587, #9658, #9815, #12890, #13217; booklore-app/booklore#768"""
    one, other = Reader(home, "koreader"), Reader(home, "koreader")
    one.exchange(one.say("1", 100, note="here"), one.say("2", 300))
    other.exchange(other.say("1", 100, note="there"), other.say("2", 500))
    assert sorted(row.first for row in rows(home)) == [100, 300, 500]
    (both,) = (row for row in rows(home) if row.first == 100)
    assert {both.note, *both.other_notes} == {"here", "there"}


def test_each_row_is_somewhere():
    own = {
        int(number)
        for name in dir(sys.modules[__name__])
        if name.startswith("test_row_")
        for number in re.findall(r"\d+", name)
    }
    later = {row for rows in LATER.values() for row in rows}
    assert own | set(ELSEWHERE) | later == set(range(1, 58))
    assert not later & (own | set(ELSEWHERE))
    for name in (name for names in ELSEWHERE.values() for name in names):
        path, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / "tests" / path).read_text(encoding="utf-8") or not test, name
