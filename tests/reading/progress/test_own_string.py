"""A device always gets its own string back unchanged; others get it only where it is sure to lead them there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.positions import Status
from appliance.reading.progress.report import Act
from tests.kepub.kepubs import document
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household

PARAGRAPHS = (
    '<p>One <b>two</b>   three. <i>Four</i> <b>five</b> six.</p><p><img src="a.png"/></p><div>loose <p>in</p> div</div>'
)
CHAPTER = '<h1 id="h">Chapter</h1>' + PARAGRAPHS * 30
WIDE = "<style>@media (min-width: 40em) { b { display: block } }</style>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    folder: Path = tmp_path_factory.mktemp("house")
    chapters = {"one.xhtml": CHAPTER, "two.xhtml": CHAPTER, "wide.xhtml": ""}
    with house_in(folder) as house:
        yield Household(house, epub(chapters=chapters, files={"wide.xhtml": document(CHAPTER, head=WIDE)}))


# Each is what some reader may well have sent for a place in the second chapter.
OWN = [
    ("xpointer", "/body/DocFragment[2]/body/p[3]/text()[1].2", Status.EXACT),
    ("xpointer", "/body[1]/DocFragment[2]/body[1]/p[3]/text()[1].2", Status.EXACT),
    ("xpointer", "/body/DocFragment[2]/body/p[3]/text()[2].0", Status.EXACT),  # the space before the word
    ("xpointer", "/body/DocFragment[2]/body/p[3]/text()[1].3", Status.EXACT),
    ("xpointer", "/body/DocFragment[2]/body/p[3]", Status.EXACT),  # an element, as in a contents list
    ("xpointer", "/body/DocFragment[2]/body/p[3].0", Status.EXACT),
    ("xpointer", "body/DocFragment[2]/body/p[4]/img.0", Status.EXACT),
    ("xpointer", "/body/DocFragment[2]", Status.EXACT),
    ("xpointer", "#_doc_fragment_1_ h", Status.EXACT),
    ("xpointer", "/body/DocFragment[2]/body/autoBoxing[2]/text()[1].0", Status.APPROXIMATE),  # of before March 2020
    ("xpointer", "/body/DocFragment[2]/body/p[3]/text()[1].99", Status.APPROXIMATE),
    ("xpointer", " /body/DocFragment[2]/body/p[3]/text()[1].2\n", Status.EXACT),  # no engine reads that
    ("cfi", "epubcfi(/6/4!/4/10/1:2)", Status.EXACT),
    ("cfi", " epubcfi(/6/4!/4/10/1:2)", Status.EXACT),
    ("cfi", "epubcfi(/6/4!/4/10/3:1)", Status.EXACT),  # in white space
    ("cfi", "epubcfi(/6/4!/4/10)", Status.EXACT),  # an element that is wholly on the page
    ("cfi", "epubcfi(/6/4!/4/10,/1:2,/3:4)", Status.EXACT),
    ("cfi", "epubcfi(/6/4!/4/10:3)", Status.APPROXIMATE),
    ("cfi", "epubcfi(/6/4!/4/998/1:3)", Status.APPROXIMATE),
]


@pytest.mark.parametrize(("dialect", "locator", "status"), OWN)
@pytest.mark.parametrize("file", ["epub", "kepub"])
def test_it_comes_back_as_it_was_sent(home: Household, dialect: str, locator: str, status: Status, file: str) -> None:
    sha256 = home.epub if file == "epub" else home.kepub
    if file == "kepub":  # the same book through spans and wrappers: other paths, the same rule
        locator = locator.replace("/body/p", "/body/div/div/p").replace("/body[1]/p", "/body[1]/div[1]/div[1]/p")
        locator = locator.replace("/4/10", "/4/2[book-columns]/2[book-inner]/6")
    maker, other = home.device("koreader"), home.device("koreader")
    home.says(maker, "xpointer", "/body/DocFragment[1]/body/h1/text().0", act=Act.JUMPED)
    outcome = home.says(maker, dialect, locator, sha256, act=Act.JUMPED)
    assert outcome.kind == "current"
    for asked in (dialect, "xpointer-indexed") if dialect == "xpointer" else (dialect,):
        given = home.asks(maker, asked, sha256).encoded
        assert given.locator == locator
        assert given.status is Status(home.last_entry().place_status)
    if file == "epub":
        assert given.status is status
    stranger = home.asks(other, dialect, sha256).encoded
    assert stranger.locator == str(stranger.locator).strip()
    place = getattr(home.open(sha256), f"decode_{dialect}")(stranger.locator)
    assert place.status is Status.EXACT, "another device gets only what leads there"


def test_an_uncertain_pointer_is_given_to_its_maker_alone(home: Household) -> None:
    """Its numbers may hang on the size of the maker's screen (positions.md C.12)."""
    maker, other = home.device("koreader"), home.device("koreader")
    locator = "/body/DocFragment[3]/body/p[5]/text()[4].2"
    home.says(maker, "xpointer", "/body/DocFragment[1]/body/h1/text().0", act=Act.JUMPED)
    assert home.says(maker, "xpointer", locator, act=Act.JUMPED).kind == "current"
    assert home.asks(maker, "xpointer").encoded.locator == locator
    given = home.asks(other, "xpointer").encoded
    assert (given.locator, given.status) == ("/body/DocFragment[3]/body/p[5]/text()[1].0", Status.SNAPPED)


def test_the_spelling_of_another_device_is_not_passed_on(home: Household) -> None:
    maker, other = home.device("koreader"), home.device("koreader")
    home.says(maker, "xpointer", "/body[1]/DocFragment[2]/body[1]/p[7]/text()[1].2", act=Act.JUMPED)
    assert home.asks(other, "xpointer").encoded.locator == "/body/DocFragment[2]/body/p[7]/text()[1].2"


def test_it_is_not_given_for_another_file(home: Household) -> None:
    maker = home.device("koreader")
    locator = "/body/DocFragment[2]/body/p[9]/text()[1].2"
    home.says(maker, "xpointer", locator, act=Act.JUMPED)
    given = home.asks(maker, "xpointer", home.kepub).encoded
    assert (given.locator, given.status) == (
        "/body/DocFragment[2]/body/div/div/p[9]/span[1]/text().2",
        Status.EXACT,
    )
