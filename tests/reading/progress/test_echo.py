"""A device that repeats its own words, or what it was told, moves nobody (positions.md C.8; property 14 of C.11)."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.positions import KoboLocator, OpenBook, Position, Status
from appliance.reading.progress.locate import write_kobo
from appliance.reading.progress.report import Act
from tests.kepub.kepubs import document
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household

INDENTED = "<p>A man\n   went  out.\n It <b>was</b> <i>cold</i> <b>that</b>\n  day. <b>He</b> went on.</p>\n" * 40
WIDE = "<style>@media (min-width: 40em) { b { display: block } }</style>"
READERS = [
    ("xpointer", "epub"),
    ("xpointer-indexed", "epub"),
    ("xpointer", "kepub"),
    ("cfi", "epub"),
    ("kobo", "kepub"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    chapters = {"one.xhtml": INDENTED, "two.xhtml": INDENTED, "wide.xhtml": ""}
    with house_in(tmp_path_factory.mktemp("house")) as house:
        yield Household(house, epub(chapters=chapters, files={"wide.xhtml": document(INDENTED, head=WIDE)}))


def names(book: OpenBook, position: Position, dialect: str) -> list[str]:
    """Strings that a reader may use for one place: the usual one, and for the white space before the word."""
    if dialect == "kobo":
        locator = book.encode_kobo(position).locator
        assert locator is not None
        return [write_kobo(locator), write_kobo(KoboLocator("/" + locator.source, locator.value))]
    if dialect == "cfi":
        usual = str(book.encode_cfi(position).locator)
    else:
        usual = str(book.encode_xpointer(position, indexed=dialect.endswith("indexed")).locator)
    found = [usual]
    sign = ":" if dialect == "cfi" else "."
    head, _, offset = usual.removesuffix(")").rpartition(sign)
    decode = book.decode_cfi if dialect == "cfi" else book.decode_xpointer
    for less in (1, 2):
        if offset.isdigit() and int(offset) >= less:
            other = f"{head}{sign}{int(offset) - less}{')' if dialect == 'cfi' else ''}"
            if decode(other).position == decode(usual).position:
                found.append(other)
    return found


@given(at=st.floats(0.1, 0.6), reader=st.sampled_from(READERS), chance=st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_a_devices_own_string_moves_nothing(
    home: Household, at: float, reader: tuple[str, str], chance: random.Random
) -> None:
    """Property 14: also in another spelling of the same place, and after others have been told."""
    dialect, file = reader
    sha256 = getattr(home, file)
    book = home.open(sha256)
    tick = round(at * book.summary.total)
    position = book.at_tick(tick).position
    assert position is not None
    device, other = home.device("kosync"), home.device("kosync")
    spoken = dialect.partition("-")[0]
    strings = names(book, position, dialect)
    home.says(other, "cfi", "epubcfi(/6/2!/4/2/1:0)", act=Act.JUMPED)
    assert home.says(device, spoken, chance.choice(strings), sha256, act=Act.JUMPED).kind == "current"
    before = home.progress()
    for _ in range(4):
        if chance.random() < 0.5:
            home.asks(other, "kobo")
        if chance.random() < 0.5:
            home.asks(device, dialect, sha256)
        act = chance.choice([Act.UNKNOWN, Act.READ, Act.OPENED])
        assert home.says(device, spoken, chance.choice(strings), sha256, act=act).kind == "echo"
        assert home.progress() == before


@given(at=st.floats(0.05, 0.95), chance=st.randoms(use_true_random=False))
@settings(max_examples=12)
def test_ten_hops_of_following_readers_drift_nowhere(home: Household, at: float, chance: random.Random) -> None:
    """Everybody goes where they are told and says so; the place stays the very same, with its time and its author."""
    book = home.open(home.epub)
    position = book.at_tick(round(at * book.summary.total)).position
    assert position is not None
    home.says(home.device("browser"), "cfi", "epubcfi(/6/2!/4/2/1:0)", act=Act.JUMPED)
    home.says(home.device("browser"), "cfi", str(book.encode_cfi(position).locator), act=Act.JUMPED)
    before = home.progress()
    devices = [(home.device("kosync"), *reader) for reader in READERS]
    for _ in range(10):
        device, dialect, file = chance.choice(devices)
        sha256 = getattr(home, file)
        told = home.asks(device, dialect, sha256)
        assert told.encoded.locator is not None
        said = write_kobo(told.encoded.locator) if dialect == "kobo" else told.encoded.locator
        if dialect.startswith("xpointer") and chance.random() < 0.5:  # the engine's own spelling, not the one given
            place = home.open(sha256).decode_xpointer(said)
            assert place.position is not None
            said = str(home.open(sha256).encode_xpointer(place.position, indexed=chance.random() < 0.5).locator)
        outcome = home.says(device, dialect.partition("-")[0], said, sha256)
        assert outcome.kind == "echo", (told, said)
        assert home.progress() == before


def test_the_echo_of_a_place_that_could_only_be_snapped(home: Household) -> None:
    """Where KOReader's numbers are not certain it is given a block's start; that it stands there is no reading."""
    book = home.open(home.epub)
    paragraph = str(book.encode_xpointer(Position("OPS/wide.xhtml", 0, 700)).locator)
    start = book.decode_xpointer(paragraph).position
    assert start is not None
    position = Position("OPS/wide.xhtml", 0, start.k + 12)
    browser, reader = home.device("browser"), home.device("kosync")
    home.says(browser, "cfi", "epubcfi(/6/2!/4/2/1:0)", act=Act.JUMPED)
    home.says(browser, "cfi", str(book.encode_cfi(position).locator), act=Act.JUMPED)
    before = home.progress()
    told = home.asks(reader, "xpointer")
    assert (told.encoded.status, told.encoded.locator) == (Status.SNAPPED, paragraph)
    assert told.encoded.distance == 12
    place = book.decode_xpointer(paragraph).position
    assert place is not None
    other_spelling = str(book.encode_xpointer(place, indexed=True).locator)
    for said in (paragraph, other_spelling):
        assert home.says(reader, "xpointer", said).kind == "echo"
        assert home.progress() == before


def test_a_kobo_that_shows_the_given_span_somewhere_on_its_page(home: Household) -> None:
    """It names the first span of the page; that is no step backwards, and reading on from there is one forwards."""
    kepub = home.open(home.kepub)
    browser, kobo = home.device("browser"), home.device("kobo")
    home.says(browser, "cfi", "epubcfi(/6/2!/4/2/1:0)", act=Act.JUMPED)
    home.says(browser, "cfi", "epubcfi(/6/4!/4/40/4/1:2)", act=Act.JUMPED)
    before = home.progress()
    assert before is not None
    home.asks(kobo, "kobo")
    for back in (0, 40, 200):
        position = kepub.at_tick(before["tick"] - back).position
        assert position is not None
        locator = kepub.encode_kobo(position).locator
        assert locator is not None
        assert home.says(kobo, "kobo", write_kobo(locator)).kind == "echo"
        assert home.progress() == before
    further = kepub.at_tick(before["tick"] + 60).position
    assert further is not None
    assert home.says(kobo, "kobo", write_kobo(kepub.encode_kobo(further).locator)).kind == "current"  # type: ignore
