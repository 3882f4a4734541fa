"""`docs/positions.md` says what is so."""

import json
import re

import pytest

from appliance.positions import OpenBook, Reason, Status
from appliance.positions.dialects import DIALECTS, EXAMPLES, Dialect, read
from appliance.positions.interpreter import Interpreter
from tests.conftest import ROOT
from tests.kepub.kepubs import BOOKS

PAGE = (ROOT / "docs" / "positions.md").read_text()


def test_every_status_and_reason_is_explained() -> None:
    rows = set(re.findall(r"^\| `?([a-z-]+)`? \|", PAGE, re.MULTILINE))
    assert {*Status, *Reason} - {Reason.NONE} <= rows


def test_the_example_is_what_is_printed() -> None:
    line = re.search(r"\$ echo '(.*)' \|", PAGE)
    shown = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert line and shown
    expected = json.loads(shown[1])
    book = OpenBook.open(BOOKS / "calibre-docx_alice.epub", "epub")
    answer = Interpreter(book, "xpointer", book, {"cfi": book}).answer(line[1])
    for name in ("status", "reason", "position", "cfi"):
        assert answer[name] == expected[name]
    for name, words in expected["quote"].items():
        assert words.strip("…") in answer["quote"][name]
    assert answer["statuses"]["cfi"] == expected["statuses"]["cfi"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_example_of_a_locator_can_be_read(dialect: Dialect) -> None:
    shown = re.search(rf"^\| `{dialect}` \| `(.*?)`", PAGE, re.MULTILINE)
    assert shown and shown[1] == EXAMPLES[dialect]
    assert len(read(dialect, shown[1])) == 1
    assert len(read(dialect, f"{shown[1]}\t{shown[1]}")) == 2
