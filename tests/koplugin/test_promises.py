"""docs/koreader-promises.md names the places and tests that keep each promise of the seeds: they have to be there."""

import re

import pytest

from tests.conftest import ROOT

PAGE = ROOT / "docs/koreader-promises.md"
SEEDS = {"S1": 83, "S2": 79, "S3": 31, "S4": 62, "S5": 12}


def promises() -> set[str]:
    """The numbers on the page; `S1.12–S1.15` is four of them."""
    found = set()
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cell = line.split("|")[1] if line.startswith("| S") else ""
        for first, last in re.findall(r"(S\d\.\d+)(?:–(S\d\.\d+))?", cell):
            seed, _, number = first.partition(".")
            end = int((last or first).partition(".")[2])
            found |= {f"{seed}.{each}" for each in range(int(number), end + 1)}
    return found


def test_every_promise_is_there_once() -> None:
    assert promises() == {f"{seed}.{number}" for seed, last in SEEDS.items() for number in range(1, last + 1)}


# A file or folder, `file.py::test`, or `some_spec.lua: title of a spec`.
NAME = re.compile(r"`([\w./-]+\.(?:py|lua|md|html)(?:::\w+|: [^`]+)?|[\w.]+(?:/[\w.]+)+)`")


@pytest.mark.parametrize("named", sorted(set(NAME.findall(PAGE.read_text(encoding="utf-8")))))
def test_what_is_named_exists(named: str) -> None:
    path, _, title = named.partition(": ")
    path, _, name = path.partition("::")
    place = ROOT / ("tests/koplugin/" + path if title else path)
    assert place.exists(), f"{path} is not there"
    if name:
        assert re.search(rf"^def {name}\b", place.read_text(encoding="utf-8"), re.MULTILINE), f"{path} has no {name}"
    if title:
        assert f'"{title}"' in place.read_text(encoding="utf-8"), f"{path} has no test of that name"
