"""`bookwake selftest`, and that it would notice."""

import json
from pathlib import Path

import pytest

from appliance.kepub import convert
from appliance.positions import Encoded, OpenBook, Position, Reason, Status
from appliance.positions.selftest import walk
from tests.cli.test_commands import bookwake, process
from tests.kepub.kepubs import BOOKS, BROKEN
from tests.positions.documents import book_file

KINDS = {"X-EPUB", "C-EPUB", "X-KEPUB", "C-KEPUB", "K"}


def test_a_real_book_comes_back_from_everywhere(tmp_path: Path) -> None:
    done = process(tmp_path, "selftest", str(BOOKS / "ebooklib_kokoro-vertical-ruby.epub"), "--places", "30")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "ebooklib_kokoro-vertical-ruby.epub: 30 places."
    assert lines[-1] == "Silently wrong: 0."
    rows = [line.split() for line in lines if line.split() and line.split()[0] in KINDS]
    assert len(rows) == 2 * len(KINDS) ** 2, "points and ranges, each system to each"
    assert all(row[-1] == "0" for row in rows)
    assert sum(row[3] == "100.0" for row in rows) > len(rows) / 2
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())


def test_json_has_the_same_in_numbers(tmp_path: Path) -> None:
    book = str(BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub")
    found = json.loads(bookwake(tmp_path, "selftest", book, "--places", "24", "--json").stdout)
    assert (found["places"], found["silently_wrong"], found["examples"]) == (24, 0, [])
    assert set(found["systems"]) == KINDS
    for pairs, places in ((found["points"], 16), (found["ranges"], 8)):
        assert {(pair["from"], pair["to"]) for pair in pairs} == {(a, b) for a in KINDS for b in KINDS}
        assert all(sum(pair["statuses"].values()) == places for pair in pairs)
    assert found["hops"]["walks"] == 3 and found["hops"]["drifted"] == 0


def test_a_kepub_is_walked_alone(tmp_path: Path) -> None:
    kepub = tmp_path / "book.kepub.epub"
    convert(BOOKS / "minimal-v2.epub", kepub, "built-in")
    done = bookwake(tmp_path, "selftest", str(kepub), "--places", "9", "--json")
    assert json.loads(done.stdout)["systems"] == ["X-KEPUB", "C-KEPUB", "K"]
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nothing.epub"], 1, ["nothing.epub", "No such file"]),
        ([str(BROKEN / "drm-adept.epub")], 1, ["encrypted"]),
        ([str(BOOKS / "minimal-v2.epub"), "--places", "0"], 2, ["--places"]),
        ([str(BOOKS / "minimal-v2.epub"), "--places", "many"], 2, ["--places"]),
        (["empty.epub"], 1, ["no text"]),
    ],
)
def test_what_cannot_be_walked_is_said_in_one_line(
    tmp_path: Path, arguments: list[str], status: int, words: list[str]
) -> None:
    book_file(tmp_path / "empty.epub", "")
    done = process(tmp_path, "selftest", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert "Traceback" not in done.stderr
    assert not [word for word in words if word not in done.stderr.splitlines()[-1]]


PARAGRAPHS = "".join(f"<p>Paragraph {number} of a <i>book</i>, with some text.</p>" for number in range(40))


def books(folder: Path) -> tuple[OpenBook, OpenBook]:
    path = book_file(folder / "a.epub", PARAGRAPHS, '<p>One</p><img src="a.png"/><p>two</p>')
    convert(path, folder / "a.kepub.epub", "built-in")
    return OpenBook.open(path, "epub"), OpenBook.open(folder / "a.kepub.epub", "kepub")


def test_the_walk_is_the_same_for_a_seed_and_has_every_kind_of_place(tmp_path: Path) -> None:
    one, other = walk(*books(tmp_path), 40, 20, seed=5), walk(*books(tmp_path), 40, 20, seed=5)
    assert one == other
    assert (one.places, one.wrong, one.drifted) == (60, 0, 0)
    assert one.points["X-EPUB", "K"].exact == 1.0


@pytest.mark.parametrize("away", [1, -1])
def test_a_dialect_that_is_off_by_one_is_noticed(tmp_path: Path, away: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing another character and calling it exact is what must never happen."""
    honest = OpenBook.encode_cfi

    def off(book: OpenBook, position: Position, **more: object) -> Encoded[str]:
        moved = Position(position.document, position.occurrence, max(position.k + away, 0), position.affinity)
        written = honest(book, moved, **more)  # type: ignore[arg-type]
        return Encoded(written.locator, Status.EXACT, Reason.NONE)

    monkeypatch.setattr(OpenBook, "encode_cfi", off)
    result = walk(*books(tmp_path), 30, 0)
    assert result.wrong > 30
    assert any("X-EPUB → C-EPUB" in example and "called exact" in example for example in result.examples)
    assert not result.points["X-EPUB", "K"].wrong


def test_a_distance_that_is_not_true_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = OpenBook.encode_cfi

    def lying(book: OpenBook, position: Position, **more: object) -> Encoded[str]:
        written = honest(book, position, **more)  # type: ignore[arg-type]
        return Encoded(written.locator, Status.SNAPPED, Reason.NOT_ADDRESSABLE, 3)

    monkeypatch.setattr(OpenBook, "encode_cfi", lying)
    assert walk(*books(tmp_path), 10, 0).wrong


def test_exit_status_tells_what_was_silently_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.positions import selftest

    honest = selftest.walk

    def pretend(*arguments: object, **more: object) -> selftest.SelfTest:
        result = honest(*arguments, **more)  # type: ignore[arg-type]
        result.points["X-EPUB", "K"].wrong += 1
        result.examples.append("X-EPUB → K: that one")
        return result

    monkeypatch.setattr(selftest, "walk", pretend)
    done = bookwake(tmp_path, "selftest", str(BOOKS / "minimal-v2.epub"), "--places", "6")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == ["Silently wrong: 1.", "  X-EPUB → K: that one"]
