"""kepubify as a subprocess: the real one where it is installed, and stand-ins that misbehave."""

import zipfile
from pathlib import Path

import pytest

from appliance.epub.errors import Protected
from appliance.kepub import convert, engine_in_use, kepubify
from appliance.kepub.kepubify import KepubifyError
from tests import needs
from tests.kepub.kepubs import BOOKS, BROKEN, contents, document, epub, spans

BOOK = BOOKS / "fanficfare_test-story-1.epub"


def stand_in(folder: Path, script: str) -> Path:
    program = folder / "kepubify"
    program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "kepubify v0-test"; exit 0; fi\n{script}\n')
    program.chmod(0o755)
    return program


def test_same_bytes_each_time(tmp_path: Path) -> None:
    program = needs.kepubify()
    book = BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub"
    made = {convert(book, tmp_path / f"{run}.kepub.epub", "kepubify", program).sha256 for run in range(5)}
    assert len(made) == 1


def test_contents_are_what_kepubify_made(tmp_path: Path) -> None:
    program = needs.kepubify()
    target = tmp_path / "made.kepub.epub"
    steps: list[tuple[int, int]] = []
    conversion = convert(BOOK, target, "kepubify", program, lambda done, total: steps.append((done, total)))
    names = [name for name, _ in contents(target)]
    assert names[:3] == ["mimetype", "META-INF/container.xml", "content.opf"]
    assert sorted(names) == sorted(name for name, _ in contents(BOOK))
    assert steps[-1] == (len(names) - 1, len(names) - 1)
    assert conversion.engine == "kepubify" and conversion.documents > 5
    assert not any("titlepage-dummy" in name for name in names)


def test_documents_that_kepubify_passes_over_get_spans(tmp_path: Path) -> None:
    program = needs.kepubify()
    source = tmp_path / "book.epub"
    source.write_bytes(epub({"Chap%201.xhtml": b""}))
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("Chap 1.xhtml", document("<p>Found. Here</p>"))
    assert convert(source, tmp_path / "made.kepub.epub", "kepubify", program).documents == 1
    assert spans(dict(contents(tmp_path / "made.kepub.epub"))["Chap 1.xhtml"]) == [("1.1", "Found. "), ("1.2", "Here")]


def test_a_kepub_by_name_is_taken(tmp_path: Path) -> None:
    program = needs.kepubify()
    source = tmp_path / "book with space.kepub.epub"
    source.write_bytes(BOOK.read_bytes())
    assert convert(source, tmp_path / "made.kepub.epub", "kepubify", program).documents > 5


def test_its_reason_is_in_the_error(tmp_path: Path) -> None:
    program = stand_in(tmp_path, 'echo "Error: no good" >&2; exit 3')
    with pytest.raises(KepubifyError, match=r"status 3: Error: no good") as caught:
        convert(BOOK, tmp_path / "made.kepub.epub", "kepubify", program)
    assert "built-in" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["kepubify"]


def test_success_without_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KepubifyError, match="status 0: it said nothing"):
        convert(BOOK, tmp_path / "made.kepub.epub", "kepubify", stand_in(tmp_path, "exit 0"))


def test_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kepubify, "TIMEOUT", 0.2)
    with pytest.raises(KepubifyError, match="did not finish"):
        convert(BOOK, tmp_path / "made.kepub.epub", "kepubify", stand_in(tmp_path, "exec sleep 60"))


def test_its_memory_is_bounded(tmp_path: Path) -> None:
    """The limit reaches the program itself."""
    program = stand_in(tmp_path, 'echo "data $(ulimit -d)" >&2; exit 1')
    with pytest.raises(KepubifyError, match=f"data {kepubify.MEMORY // 1024}"):
        convert(BOOK, tmp_path / "made.kepub.epub", "kepubify", program)


def test_it_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKWAKE_SECRET", "hush")
    program = stand_in(tmp_path, 'echo "secret [$BOOKWAKE_SECRET]" >&2; exit 1')
    with pytest.raises(KepubifyError, match=r"secret \[\]"):
        convert(BOOK, tmp_path / "made.kepub.epub", "kepubify", program)


@pytest.mark.parametrize("program", ["", "text"])
def test_a_program_that_cannot_run(program: str, tmp_path: Path) -> None:
    path = tmp_path / "kepubify"
    if program:
        path.write_text("not a program")
    with pytest.raises(KepubifyError, match="cannot be run"):
        convert(BOOK, tmp_path / "made.kepub.epub", "kepubify", path)


def test_what_bookwake_refuses_is_not_given_to_it(tmp_path: Path) -> None:
    program = stand_in(tmp_path, 'echo "was run" >&2; exit 1')
    with pytest.raises(Protected):
        convert(BROKEN / "drm-adept.epub", tmp_path / "made.kepub.epub", "kepubify", program)


def test_choice_of_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = stand_in(tmp_path, "exit 1")
    monkeypatch.setenv("PATH", "")
    assert engine_in_use("auto")[0] == "built-in"
    assert engine_in_use("built-in", program)[0] == "built-in"
    with pytest.raises(KepubifyError, match="not installed"):
        engine_in_use("kepubify")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert engine_in_use("auto")[1].startswith("v0-test+")
    assert engine_in_use("auto", program)[0] == "kepubify"
