"""Damaged and hostile files: each is imported with what is odd about it, or refused with a reason; none does harm."""

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, select

from appliance.house import House
from appliance.library.covers import cover
from appliance.library.scan import scan
from appliance.models import Book, LibraryFile, Rendition
from tests.conftest import ROOT, SHARED
from tests.library.conftest import house_in

FOLDERS = [ROOT / "tests/data/broken", *([SHARED / "corpus/broken"] if SHARED.is_dir() else [])]

# What the reader is told: a part of the problem for a refused file, of a doubt for an odd one, "" for neither.
REFUSED = {
    "container-points-nowhere": "which is not in the file",
    "drm-adept": "encrypted (DRM)",
    "empty-spine": "lists no text",
    "not-a-zip": "not a ZIP archive",
    "truncated-60-percent": "The end of the file is missing",
}
IMPORTED = {
    "5000-small-files": "",
    "bad-crc-chapter": "unreadable and missing in the text: OEBPS/ch3.xhtml",
    "billion-laughs-chapter": "OEBPS/ch2.xhtml",
    "duplicate-ids": "stands twice in the manifest",
    "latin1-no-declaration": "not well-formed",
    "mimetype-compressed-and-last": "does not begin with its type",
    "missing-spine-files": "is not in the manifest",
    "no-container": "META-INF/container.xml is missing",
    "path-traversal-entries": "lead out of the book",
    "script-in-content": "never run",
    "tag-soup": "not well-formed",
    "undeclared-nbsp": "not well-formed",
    "w3c_pub-xml-external-id": "not well-formed",
    "w3c_pub-xml-non-validating_unclosed": "not well-formed",
    "weird-file-names": "",
    "xxe-opf-title": "asks for a file outside",
    "zip-bomb-50mb-chapter": "unreadable and missing in the text: OEBPS/ch2.xhtml",
}

MEMORY = 300 * 1024  # kB
SECONDS = 10


def paths() -> list[Path]:
    found = {path.name: path for folder in reversed(FOLDERS) for path in sorted(folder.glob("*.epub"))}
    return [found[name] for name in sorted(found)]


def rendition_of(session: Session, path: Path) -> tuple[LibraryFile, Rendition | None]:
    file = session.exec(select(LibraryFile).where(LibraryFile.path == str(path))).one()
    return file, session.get(Rendition, file.sha256)


def test_every_file_has_an_expectation() -> None:
    assert {path.stem for path in paths()} <= REFUSED.keys() | IMPORTED.keys()


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with all of these files, scanned."""
    with house_in(tmp_path_factory.mktemp("house")) as house:
        for path in paths():
            shutil.copy(path, house.settings.books[0])
        scan(house)
        yield house


@pytest.fixture
def folder(scanned: House) -> Path:
    return scanned.settings.books[0]


def test_what_the_reader_is_told(scanned: House, folder: Path) -> None:
    with scanned.database.read() as session:
        for path in paths():
            file, rendition = rendition_of(session, folder / path.name)
            if path.stem in REFUSED:
                assert rendition is None and file.problem is not None and file.remedy, path.name
                assert REFUSED[path.stem] in file.problem, path.name
            else:
                assert rendition is not None and file.problem is None, path.name
                assert IMPORTED[path.stem] in "\n".join(rendition.doubts), path.name
                assert bool(IMPORTED[path.stem]) == bool(rendition.doubts), path.name


def test_nothing_of_the_machine_gets_in(scanned: House, folder: Path) -> None:
    with scanned.database.read() as session:
        for book in session.exec(select(Book)).all():
            cover(scanned, session, book.id, 300, 450)
    first_line = Path("/etc/passwd").read_bytes().splitlines()[0]
    kept = [path for path in scanned.settings.data.rglob("*") if path.is_file()]
    assert len(kept) > 10
    for path in kept:
        data = path.read_bytes()
        assert first_line not in data and b"root:x:" not in data, path
    escaped = list(folder.parent.rglob("epub-escape-marker*")) + list(Path("/").glob("epub-escape-marker*"))
    assert escaped == []


def test_texts_survive_odd_markup(scanned: House, folder: Path) -> None:
    with scanned.database.read() as session:
        _, latin = rendition_of(session, folder / "latin1-no-declaration.epub")
        assert latin is not None
        assert session.get_one(Book, latin.book_id).title == "Élégie naïve"
        _, odd = rendition_of(session, folder / "weird-file-names.epub")
        assert odd is not None
        # Percent-encoded, accented and otherwise unusual names: each entry of the contents leads to a file.
        assert len(odd.contents) == 7 and all(entry["path"] for entry in odd.contents)


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_within_time_and_memory(path: Path) -> None:
    """In a process of its own that has no bounds but is killed after ten seconds; `examine` must keep within."""
    command = "import sys; from pathlib import Path; from appliance.library.examination import examine;"
    command += "from appliance.epub.errors import BookError\n"
    command += "try: examine(Path(sys.argv[1]))\nexcept BookError as error: print(error)\n"
    # Not what `getrusage` says: that includes what the process that started this one had.
    command += "print('peak', next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    finished = subprocess.run(
        [sys.executable, "-c", command, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS * 3,  # wall-clock time on a machine that does other things too
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)),
        check=True,
    )
    peak = re.search(r"peak (\d+)", finished.stdout)
    assert peak is not None and int(peak.group(1)) < MEMORY
    assert "Traceback" not in finished.stderr
