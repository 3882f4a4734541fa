"""The model of `test_model.py` through a real house: real ranges of an EPUB and its KEPUB, the transactions
of `reading.annotations.record`, and a database. At each step both are compared."""

import json
import shutil
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from sqlmodel import select

from appliance.house import House, open_house
from appliance.models import Annotation
from appliance.positions import Position, Range
from appliance.positions.dialects import write
from appliance.reading.annotations import exchange as annotation_exchange
from appliance.reading.annotations.acts import keep
from appliance.reading.annotations.projection import project_annotations
from appliance.reading.annotations.record import _links, _rows, exchange, follow, follow_all, offer
from appliance.reading.annotations.report import Caller
from appliance.settings import load
from tests.databases import KINDS, empty_database
from tests.library.conftest import Clock
from tests.library.making import epub
from tests.reading.annotations.annotating import (
    FIELDS,
    LONG,
    MORE,
    WIDE,
    Mark,
    Offer,
    Spelling,
    mark_of_row,
)
from tests.reading.annotations.machine import MARKS, Readers
from tests.reading.annotations.pure_server import PureServer
from tests.reading.household import Household

pytestmark = pytest.mark.slow

# Each paragraph is as wide as the model's marks lie apart: the words of a mark, the stops by which it may be extended,
# and words that nobody marks.
SAID, UNSAID = (
    "Marked here are the words of place {} a",
    "and then nobody marks any of the words till the next one comes",
)
STOPS = "." * (WIDE // 2 - LONG)
PARAGRAPHS = "".join(f"<p>{SAID.format(n).replace('here', '<b>here</b>')}{STOPS} {UNSAID}</p>\n" for n in range(9))
SAME = ("kind", "first", "last", "text", "note", "colour", "style", "version", "versions", "times", "other_notes")
SAME += ("deleted_at", "held_at", "created_at", "changed_at")
RUNS = count(1)


class RealSpelling(Spelling):
    """Every mark as the files of the house have it."""

    def __init__(self, home: Household) -> None:
        self.run = next(RUNS)
        self.home = home
        self.sha256 = {"xpointer": home.epub, "kobo": home.kepub, "cfi": home.epub}
        self._marks: dict[str, Mark] = {}
        self._written: dict[tuple[str, Mark], object] = {}
        for dialect, sha256 in self.sha256.items():
            book = home.open(sha256)
            for mark in [one._replace(more=more) for one in MARKS for more in range(4)]:
                start, end = book.at_tick(mark.first).position, book.at_tick(mark.last).position
                where = Range(start, Position(end.document, 0, end.k, "before"))
                written = write(book, dialect, start if mark.kind == "bookmark" else where).value
                self._written[dialect, mark] = written
                self._marks.setdefault(dialect + json.dumps(written), mark)

    def write(self, dialect, mark):
        return self._written[dialect, mark]

    def read(self, dialect, spelled):
        return self._marks[dialect + json.dumps(spelled)]

    def words(self, mark):
        return "" if mark.kind == "bookmark" else SAID.format(mark.place) + STOPS[: MORE * mark.more]


class Both(PureServer):
    """The house, and the exchange alone beside it."""

    def __init__(self, spelling: RealSpelling) -> None:
        super().__init__(spelling)
        self.home, self.spelling = spelling.home, spelling
        self.home.somebody_else()
        self.ids = {number: self.home.device("koreader") for number in range(2, 7)}
        names = count(1)
        annotation_exchange.uuid4 = lambda: f"id{spelling.run:04}-{next(names):06}"

    def restart(self):
        house = self.home.house
        settings_, clock = house.settings, house.now
        house.shelf.close()
        house.database.close()
        again = open_house(settings_)
        self.home.house = House(again.settings, again.database, again.shelf, clock)

    def exchange(self, device, request):
        exchange(
            self.home.house,
            self._caller(device, request.skew),
            request.said,
            request.deletions,
            complete=request.complete,
            is_foreign=request.is_foreign,
        )
        answers = super().exchange(device, request)
        self._compare()
        return answers

    def offer(self, device):
        found = [
            Offer(
                one.native_id,
                one.row["version"],
                None if one.due == "remove" else {**_fields(one.fields), "range": one.range},
            )
            for one in offer(self.home.house, self._caller(device))
        ]
        expected = super().offer(device)
        assert _sorted(found) == _sorted(expected)
        return expected

    def everything(self, device):
        expected = super().everything(device)
        caller = self._caller(device)
        with self.home.house.database.read() as session:
            connection = session.connection()
            links = {link["annotation_id"]: link for link in _links(connection, caller).values()}
            rows = [row for row in _rows(connection, caller).values() if row["deleted_at"] is None]
            rows = [row for row in rows if row["held_at"] is None or links[row["id"]]["gone_at"] is None]
            found = project_annotations(self.home.house, session, caller, rows, links)
        offers = [
            Offer(one.native_id, one.row["version"], {**_fields(one.fields), "range": one.range}) for one in found
        ]
        assert _sorted(offers) == _sorted(expected)
        return expected

    def follow(self, device, followed):
        follow(self.home.house, self._caller(device), followed)
        super().follow(device, followed)

    def follow_all(self, device):
        follow_all(self.home.house, self._caller(device), self.newest)
        super().follow_all(device)

    def keep(self, annotation_id):
        keep(self.home.house, self._caller_of(6, "web", "cfi", None, True), annotation_id)
        super().keep(annotation_id)
        self._compare()

    def _caller(self, device, skew=None):
        return self._caller_of(device.number, device.surface, device.dialect, skew, device.is_person)

    def _caller_of(self, number, surface, dialect, skew, is_person):
        sha256 = self.spelling.sha256[dialect]
        names = (self.home.user_id, self.ids[number], self.home.book_id, surface, dialect, sha256, self.now, skew)
        return Caller(*names, is_person)

    def _compare(self):
        with self.home.house.database.read() as session:
            found = session.exec(select(Annotation).where(Annotation.user_id == self.home.user_id)).all()
        there = {row.id: {name: getattr(row, name) for name in SAME} for row in found}
        assert there == {name: {column: row[column] for column in SAME} for name, row in self.rows.items()}
        for row in found:
            assert row.place_status == "exact", (row.place_reason, row.text)
            assert mark_of_row(row.model_dump()).last == row.last


def _fields(fields):
    return {name: fields[name] for name in FIELDS}


def _sorted(offers):
    return sorted(offers, key=lambda one: one.native_id)


class ReadersOfAHouse(Readers):
    home: Household

    def spelling(self):
        return RealSpelling(self.home)

    def start(self, spelling):
        return Both(spelling)


@pytest.fixture(scope="module", params=KINDS)
def home(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("house")
    (place / "books").mkdir()
    with empty_database(request.param, place) as url:
        opened = open_house(load({"data": place / "data", "books": [place / "books"], "database_url": url}, {}))
        home = Household(
            House(opened.settings, opened.database, opened.shelf, Clock()),
            epub(chapters={"one.xhtml": PARAGRAPHS, "two.xhtml": "<p>The end.</p>"}),
        )
        ReadersOfAHouse.home = home
        before = annotation_exchange.uuid4
        yield home
        annotation_exchange.uuid4 = before
        home.house.shelf.close()
        home.house.database.close()
    shutil.rmtree(place)


@pytest.mark.parametrize("runs", [5, pytest.param(300, marks=pytest.mark.nightly)], ids=["some", "many"])
def test_the_house_does_what_the_exchange_does(home, runs):
    class Machine(ReadersOfAHouse):
        pass

    Machine.TestCase.settings = settings(
        max_examples=runs,
        stateful_step_count=40,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    Machine.TestCase("runTest").runTest()
