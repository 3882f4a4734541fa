"""`bookwake translate` as other programs use it: a process, lines in, JSON lines out.

The places are those of three real engines (`tests/data/vectors`); `tests/positions` says more about the codecs.
"""

import json
import selectors
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from appliance.kepub import convert
from appliance.positions import OpenBook
from appliance.positions.interpreter import Interpreter
from tests import needs
from tests.cli.test_commands import environment
from tests.conftest import ROOT, SHARED
from tests.kepub.kepubs import BOOKS, BROKEN, books
from tests.positions.documents import book_file
from tests.positions.test_range_vectors import visible
from tests.positions.test_vectors import SAMPLES

PATHS = {path.name: path for path in books()}
ALICE = BOOKS / "calibre-docx_alice.epub"
WORD = "/body/DocFragment[2]/body/p[47]/text()[2].376"
WORD_CFI = "epubcfi(/6/4!/4/98/3:376)"
WORD_KOBO = {"source": "index.html", "value": "kobo.49.6", "offset": 233}

Answer = dict[str, Any]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-P", "-m", "appliance", "translate", *map(str, arguments)]


def run(*arguments: object, lines: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    environ = environment(PYTHONPATH=str(ROOT))
    return subprocess.run(command(*arguments), input=lines, capture_output=True, env=environ, cwd=cwd)


def ask(book: Path, spoken: str, asked: str, lines: Sequence[object], *more: object) -> list[Answer]:
    """One answer for each line; a line is a text, a JSON object, or a list of two of either."""

    def text(line: object) -> str:
        if isinstance(line, list):
            return "\t".join(text(part) for part in line)
        return line if isinstance(line, str) else json.dumps(line)

    done = run(
        book, "--from", spoken, "--to", asked, *more, lines="".join(text(line) + "\n" for line in lines).encode()
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    return answers


def vectors(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().split("\n")[:-1]]


# Of the kept books one for each kind: ruby, tables, right to left; none has a file in its spine twice.
FEW = [
    "ebooklib_kokoro-vertical-ruby.epub",
    pytest.param("large-tables.epub", marks=pytest.mark.slow),
    pytest.param("regime-anticancer-arabic.epub", marks=pytest.mark.slow),
]


def check_points(book: Path, lines: list[dict[str, Any]], *kepub: object) -> None:
    """All directions. `kepub`: how to name the KEPUB that Kobo locators are of, if the command shall not make one."""
    to = (*kepub, "--to-rendition") if kepub else ()
    by_xpointer = ask(book, "xpointer", "cfi,xpointer", [line["xpointer"] for line in lines])
    by_cfi = ask(book, "cfi", "xpointer,cfi", [line["cfi"] for line in lines])
    for line, one, other in zip(lines, by_xpointer, by_cfi, strict=True):
        for answer in (one, other):
            assert (answer["status"], answer["cfi"], answer["xpointer"]) == ("exact", line["cfi"], line["xpointer"])
        assert (one["position"], one["quote"]) == (other["position"], other["quote"])
        assert visible(one["quote"]["suffix"])[:8] == visible(line["quote"])[:8], line
    spanned = [line for line in lines if "span" in line]
    for spoken in ("xpointer", "cfi"):
        answers = ask(book, spoken, "kobo", [line[spoken] for line in spanned], *to)
        for line, answer in zip(spanned, answers, strict=True):
            named = answer["status"], answer["kobo"]["source"], answer["kobo"]["value"]
            assert named == ("exact", line["href"], line["span"]), line
        back = ask(book, "kobo", "xpointer,cfi", [answer["kobo"] for answer in answers], *kepub)
        for line, answer in zip(spanned, back, strict=True):
            assert (answer["status"], answer["cfi"], answer["xpointer"]) == ("exact", line["cfi"], line["xpointer"])


def check_ranges(book: Path, lines: list[dict[str, Any]], *kepub: object) -> None:
    """The same with ranges."""
    to = (*kepub, "--to-rendition") if kepub else ()
    pointed = ask(book, "xpointer", "cfi,xpointer", [[line["pos0"], line["pos1"]] for line in lines])
    written = ask(book, "cfi", "cfi,xpointer", [line["cfi"] for line in lines])
    for line, one, other in zip(lines, pointed, written, strict=True):
        for answer in (one, other):
            assert answer["status"] == "exact", line
            assert (answer["cfi"], answer["xpointer"]) == (line["cfi"], [line["pos0"], line["pos1"]])
        assert (one["position"], one["quote"]) == (other["position"], other["quote"])
        if one["quote"]["length"] <= 512:
            assert visible(one["quote"]["exact"]) == visible(line["ink"])
    spanned = [line for line in lines if "kobo" in line]
    answers = ask(book, "cfi", "kobo", [line["cfi"] for line in spanned], *to)
    for line, answer in zip(spanned, answers, strict=True):
        start, end = answer["kobo"]
        assert (start["source"], start["value"], end["value"]) == (
            line["href"],
            line["kobo"]["start"],
            line["kobo"]["end"],
        )
    back = ask(book, "kobo", "xpointer,cfi", [answer["kobo"] for answer in answers], *kepub)
    for line, answer in zip(spanned, back, strict=True):
        assert (answer["status"], answer["cfi"]) == ("exact", line["cfi"])
        assert answer["xpointer"] == [line["pos0"], line["pos1"]]


@pytest.mark.parametrize("name", FEW)
def test_points_of_three_engines(name: str) -> None:
    check_points(PATHS[name], vectors(SAMPLES / f"{name}.jsonl"))


@pytest.mark.parametrize("name", FEW)
def test_ranges_of_three_engines(name: str) -> None:
    check_ranges(PATHS[name], vectors(SAMPLES / "ranges" / f"{name}.jsonl"))


SOME = [
    "ambrose-bierce_the-devils-dictionary",
    "calibre-txt_jack-sheppard",
    "georgia-cfi",
    "honkit_devils-dictionary",
    "libreoffice_flying-dutchman",
    "william-shakespeare_hamlet",
]


def whole() -> list[Path]:
    """All lines of some books, one from each workshop, where they are at hand."""
    return [path for path in sorted((SHARED / "vectors").glob("*.jsonl")) if path.name.partition(".")[0] in SOME]


@pytest.mark.nightly
@pytest.mark.parametrize("path", whole(), ids=lambda path: path.name.removesuffix(".epub.jsonl"))
def test_with_the_kepub_that_a_kobo_holds(path: Path, tmp_path: Path) -> None:
    book, kepub = PATHS[path.name.removesuffix(".jsonl")], tmp_path / "book.kepub.epub"
    convert(book, kepub, engine="kepubify", kepubify=needs.kepubify())
    check_points(book, vectors(path), "--rendition", kepub)
    ranges = path.parent / "ranges" / path.name
    if ranges.exists():
        check_ranges(book, vectors(ranges), "--rendition", kepub)


def test_every_dialect_for_one_place() -> None:
    (answer,) = ask(ALICE, "xpointer", "xpointer,cfi,kobo,fraction,position", [WORD])
    assert (answer["status"], answer["reason"]) == ("exact", "")
    assert (answer["xpointer"], answer["cfi"], answer["kobo"]) == (WORD, WORD_CFI, WORD_KOBO)
    assert answer["position"] == {"document": "index.html", "occurrence": 0, "k": 1945, "affinity": "after"}
    assert 0.016 < answer["fraction"] < 0.017
    assert answer["quote"]["prefix"].endswith("lookedatit,")
    assert answer["quote"]["suffix"].startswith("andthenhurriedon,")
    assert answer["quote"]["display"].startswith("and then hurried on, Alice started")
    assert set(answer["statuses"]) == {"xpointer", "cfi", "kobo", "fraction", "position"}
    for dialect in ("cfi", "kobo", "position"):
        (again,) = ask(ALICE, dialect, "xpointer", [answer[dialect]])
        assert (again["status"], again["xpointer"]) == ("exact", WORD)


def test_a_fraction_is_approximate_and_lands_at_a_paragraph() -> None:
    (answer,) = ask(ALICE, "fraction", "xpointer", ["0.5"])
    assert (answer["status"], answer["reason"]) == ("approximate", "fraction")
    assert answer["xpointer"] == "/body/DocFragment[2]/body/p[429]/text().0"


def test_a_range_comes_in_every_shape_it_is_printed_in() -> None:
    range_cfi = "epubcfi(/6/4!/4,/1170/1:52,/1176/1:104)"
    ends = ["/body/DocFragment[2]/body/p[569]/text().52", "/body/DocFragment[2]/body/p[572]/text().104"]
    (answer,) = ask(ALICE, "cfi", "xpointer,kobo,fraction,position", [range_cfi])
    assert answer["xpointer"] == ends
    assert [place["k"] for place in answer["position"]] == [73164, 73454]
    assert [place["affinity"] for place in answer["position"]] == ["after", "before"]
    assert [span["value"] for span in answer["kobo"]] == ["kobo.585.2", "kobo.588.4"]
    assert answer["fraction"][0] < answer["fraction"][1]
    for dialect in ("xpointer", "kobo", "position"):
        given = answer[dialect]
        for line in (given, json.dumps(given), given[::-1]):  # by TAB, as JSON, and selected backwards
            (again,) = ask(ALICE, dialect, "cfi", [line])
            assert (again["status"], again["cfi"]) == ("exact", range_cfi)
    points = ["epubcfi(/6/4!/4/1170/1:52)", "epubcfi(/6/4!/4/1176/1:104)"]
    assert ask(ALICE, "cfi", "xpointer", [points])[0]["xpointer"] == ends


def test_xpointers_are_answered_in_the_spelling_they_come_in() -> None:
    indexed = "/body[1]/DocFragment[2]/body[1]/p[47]/text()[2].376"
    old, new = ask(ALICE, "xpointer", "xpointer", [WORD, indexed])
    assert (old["xpointer"], new["xpointer"]) == (WORD, indexed)


def test_bad_lines_are_answered_in_their_place() -> None:
    lines = [
        WORD, "", "   ", "kobo.3.2", "epubcfi(/6/4!/4/2)", f"{WORD}\t{WORD}\t{WORD}", "[]", "[" * 9000, "[1, 2]",
        "/body/DocFragment[99]/body/p[1]/text().0", "/body/DocFragment[2]/body/p[9999]/text().0", "\u0000", WORD,
    ]  # fmt: skip
    answers = ask(ALICE, "xpointer", "cfi,kobo", lines)
    for answer in (answers[0], answers[-1]):
        assert answer["cfi"] == WORD_CFI
    for answer in answers[1:-3]:
        assert answer["status"] == "failed" and answer["reason"] and answer["position"] is None
        assert answer["cfi"] is None and answer["kobo"] is None and answer["quote"] is None
    for answer in answers[1:9]:
        assert "/body/DocFragment[5]" in answer["detail"]
    assert answers[-4]["reason"] == "no-document"
    assert (answers[-3]["status"], answers[-3]["reason"]) == ("approximate", "no-place")


@pytest.mark.parametrize(
    ("dialect", "line", "words"),
    [
        ("kobo", "kobo.3.2", ["does not say in which document"]),
        ("kobo", '{"value": "kobo.3.2"}', ['needs "source"']),
        ("kobo", '{"source": "index.html", "value": "kobo.3.2", "offset": "4"}', ['"offset" must be a whole number']),
        ("kobo", '{"source": "index.html", "value": "kobo.3.2", "offset": true}', ['"offset"']),
        ("kobo", '{"source": "index.html", "offset": 1e999}', ['"offset"']),
        ("kobo", '{"source": "index.html", "offset": ' + "9" * 5000 + "}", ["not JSON"]),
        ("kobo", '{"source": ["index.html"]}', ['"source" must be a text']),
        ("fraction", "55 %", ["from 0 to 1"]),
        ("fraction", "nan", ["from 0 to 1"]),
        ("fraction", "1.01", ["from 0 to 1"]),
        ("fraction", "true", ["from 0 to 1"]),
        ("position", '{"document": "index.html"}', ['"k"']),
        ("position", '{"document": "index.html", "k": 1, "affinity": "left"}', ['"affinity"']),
        ("position", '{"document": "index.html", "k": ' + "9" * 30 + "}", ['"k" is too large']),
        ("cfi", "/6/4!/4/2", ["epubcfi("]),
    ],
)
def test_what_is_no_locator_is_explained(dialect: str, line: str, words: list[str]) -> None:
    book = OpenBook.open(ALICE, "epub")
    answer = Interpreter(book, dialect, book, {"xpointer": book}).answer(line)  # type: ignore[arg-type]
    assert (answer["status"], answer["reason"]) == ("failed", "syntax")
    assert not [word for word in [*words, "An example of " + dialect] if word not in answer["detail"]]


def test_a_line_without_end_is_refused_within_bounds() -> None:
    given = (
        WORD.encode()
        + b"\n"
        + b"x" * 5_000_000
        + b"\n\xff\xfe\r\n"
        + b"\xef\xbb\xbf"
        + WORD.encode()
        + b"\r\n"
        + WORD.encode()
    )
    done = run(ALICE, "--from", "xpointer", "--to", "cfi", lines=given)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["reason"] for answer in answers] == ["", "too-long", "syntax", "", ""]
    assert [answer["cfi"] for answer in answers] == [WORD_CFI, None, None, WORD_CFI, WORD_CFI]
    assert run(ALICE, "--from", "xpointer", "--to", "cfi", lines=b"x" * 70_000).stdout.count(b"\n") == 1
    empty = run(ALICE, "--from", "xpointer", "--to", "cfi")
    assert (empty.returncode, empty.stdout) == (0, b"")


def test_another_program_can_talk_with_it() -> None:
    """Each line is answered before the next is sent."""
    environ = environment(PYTHONPATH=str(ROOT))
    process = subprocess.Popen(
        command(ALICE, "--from", "xpointer", "--to", "cfi"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
    )
    with process, selectors.DefaultSelector() as selector:
        assert process.stdin is not None and process.stdout is not None
        selector.register(process.stdout, selectors.EVENT_READ)
        for line, expected in ((WORD, WORD_CFI), ("nonsense", None), (WORD, WORD_CFI)):
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            assert selector.select(60), "no answer"
            assert json.loads(process.stdout.readline())["cfi"] == expected
        process.stdin.close()
        assert process.wait(60) == 0


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The KEPUB that is made for the time of the command is gone at its end, also when it is stopped."""
    environ = environment(PYTHONPATH=str(ROOT), TMPDIR=str(tmp_path))
    arguments = command(ALICE, "--from", "xpointer", "--to", "kobo")
    done = subprocess.run(arguments, input=WORD.encode(), capture_output=True, env=environ)
    assert b"converted" in done.stderr and b"--rendition" in done.stderr
    assert json.loads(done.stdout)["kobo"] == WORD_KOBO and not list(tmp_path.iterdir())
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ
    )
    with process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(WORD.encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        assert list(tmp_path.iterdir())
        process.terminate()
        assert process.wait(60) != 0
    assert not list(tmp_path.iterdir())


def test_a_reader_that_has_seen_enough_is_no_failure_to_shout_about() -> None:
    environ = environment(PYTHONPATH=str(ROOT))
    piped = f"yes '{WORD}' | {shlex.join(command(ALICE, '--from', 'xpointer', '--to', 'cfi'))} | head -n 1"
    done = subprocess.run(["sh", "-c", piped], capture_output=True, env=environ)
    assert (done.stdout.count(b"\n"), done.stderr) == (1, b"")


def test_kepub_as_the_book_and_as_a_rendition(tmp_path: Path) -> None:
    kepub = tmp_path / "k.kepub.epub"
    convert(ALICE, kepub, engine="built-in")
    (alone,) = ask(kepub, "kobo", "xpointer,cfi,kobo", [WORD_KOBO])
    assert (alone["status"], alone["kobo"]) == ("exact", WORD_KOBO)
    assert "/span" in alone["xpointer"] and alone["cfi"] != WORD_CFI
    named = ("--rendition", kepub)
    # The KEPUB's own pointers, as KOReader has them when somebody opens that file in it.
    for dialect in ("xpointer", "cfi"):
        (here,) = ask(ALICE, dialect, "xpointer,cfi,kobo", [alone[dialect]], *named)
        assert (here["status"], here["xpointer"], here["cfi"]) == ("exact", WORD, WORD_CFI)
        assert here["kobo"] == WORD_KOBO
    for arguments in (
        (ALICE, *named, "--to-rendition"),
        (*named, "--to-rendition", ALICE),
        (ALICE, "--to-rendition", kepub),
        ("--to-rendition", kepub, ALICE),
    ):
        done = run(*arguments, "--from", "cfi", "--to", "xpointer,cfi,kobo,position", lines=WORD_CFI.encode())
        answer = json.loads(done.stdout)
        assert (answer["xpointer"], answer["cfi"], answer["kobo"]) == (alone["xpointer"], alone["cfi"], WORD_KOBO)
        assert answer["position"]["k"] == 1945
        assert done.stderr == b"", "nothing has to be converted"
    both = run(
        ALICE, *named, "--to-rendition", ALICE, "--from", "kobo", "--to", "cfi", lines=json.dumps(WORD_KOBO).encode()
    )
    assert json.loads(both.stdout)["cfi"] == WORD_CFI


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nothing.epub"], 1, ["nothing.epub", "No such file"]),
        ([BROKEN / "not-a-zip.epub"], 1, ["not-a-zip.epub", "not an EPUB"]),
        ([BROKEN / "drm-adept.epub"], 1, ["encrypted", "without protection"]),
        ([BROKEN / "truncated-60-percent.epub"], 1, ["truncated-60-percent.epub"]),
        ([BROKEN], 1, ["directory"]),
        ([ALICE, "--rendition", "nothing.epub"], 1, ["nothing.epub"]),
        ([], 2, ["Name the book"]),
        ([ALICE, "--to-rendition"], 2, ["--to-rendition needs a file"]),
        ([ALICE, "--to", "cfi,braille"], 2, ["braille", "kobo"]),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(
    tmp_path: Path, arguments: list[object], status: int, words: list[str]
) -> None:
    done = run("--from", "xpointer", "--to", "kobo", *arguments, cwd=tmp_path)
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (status, b""), said
    assert said.count("\n") == 1 and "Traceback" not in said
    assert not [word for word in words if word not in said], said


def test_lines_of_output_have_no_other_line_breaks(tmp_path: Path) -> None:
    text = "One\u2028two\u2029three\u0085four"
    book = book_file(tmp_path / "breaks.epub", f"<p>{text}</p>")
    done = run(book, "--from", "fraction", "--to", "xpointer", lines=b"0\n1\n")
    printed = done.stdout.decode()
    assert len(printed.splitlines()) == 2
    assert "\u2028two" in json.loads(printed.splitlines()[0])["quote"]["suffix"]
