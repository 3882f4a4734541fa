"""The stand-in of KOReader finds in a book what a real engine found in it (../shared/captures-koreader/positions)."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import needs
from tests.simulators.koreader.book_model import write_model

HERE = Path(__file__).parent
CAPTURES = HERE.parent / "data/captures"
STANDIN = HERE.parent / "simulators/koreader/run.lua"

SCRIPT = """
local T = ...
T.open(T.args[1])
local cases = require("rapidjson").decode(require("util").readFromFile(T.args[2]))
local document = T.reader().document
for _, case in ipairs(cases) do
    T.result({
        text = document:getTextFromXPointers(case.pos0, case.pos1),
        normalized0 = document:getNormalizedXPointer(case.pos0),
    })
end
"""


@pytest.mark.parametrize("indexed", [False, True])
def test_the_text_between_two_places_is_that_of_the_engine(tmp_path: Path, indexed: bool) -> None:
    luajit = needs.program("luajit", "luajit")
    book = tmp_path / "lantern.epub"
    shutil.copy(CAPTURES / "lantern.epub", book)
    write_model(book, indexed=indexed)
    script = tmp_path / "script.lua"
    script.write_text(SCRIPT)
    (tmp_path / "home").mkdir()
    ranges = CAPTURES / "positions/text-ranges.json"
    environment = os.environ | {"KO_HOME": str(tmp_path / "home"), "KO_BOOKS": str(tmp_path)}
    done = subprocess.run(
        [luajit, STANDIN, script, book, ranges], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    cases = json.loads(ranges.read_text())
    assert len(answers) == len(cases) > 5
    for case, answer in zip(cases, answers, strict=True):
        assert answer["text"] == case["text"]
        if not indexed:
            assert answer["normalized0"] == case["normalized0"]
        else:
            assert answer["normalized0"].startswith("/body[1]/DocFragment[")
