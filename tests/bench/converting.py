"""The built-in converter against kepubify, on real books."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from appliance.epub.errors import BookError
from appliance.kepub import convert
from tests.bench.row import Row
from tests.conftest import ROOT, SHARED

AT_MOST = 2.0
ROUNDS = 3


def measure(work: Path) -> Iterator[Row]:
    """Each book as both would convert it when it is asked for: kepubify as a process, ours as a function of the
    running appliance, which also brings the file safely to the disk. The best of three rounds counts for both."""
    target = f"≤ {AT_MOST:g} × kepubify's time"
    kepubify = os.environ.get("BOOKWAKE_KEPUBIFY") or shutil.which("kepubify")
    if kepubify is None:
        reason = "kepubify is neither on the path nor named in BOOKWAKE_KEPUBIFY"
        yield Row("convert", "EPUB to KEPUB", target=target, skipped=reason)
        return
    ours: list[float] = []
    theirs: list[float] = []
    for book in _books():
        with tempfile.TemporaryDirectory(dir=work) as folder:
            target_file = Path(folder) / "out.kepub.epub"
            try:
                mine = min(_timed_ours(book, target_file) for _ in range(ROUNDS))
                other = min(_timed_kepubify(kepubify, book, target_file) for _ in range(ROUNDS))
            except (BookError, subprocess.CalledProcessError):
                continue  # the span-by-span comparison of tests/kepub says what becomes of these
        ours.append(mine)
        theirs.append(other)
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    ratio = sum(ours) / sum(theirs)
    yield Row(
        "convert",
        f"EPUB to KEPUB, {len(ours)} real books",
        f"{sum(ours):,.2f} s, ratio {ratio:.2f} (median {median(ratios):.2f}, worst {max(ratios):.2f})",
        target,
        ratio <= AT_MOST,
        f"kepubify: {sum(theirs):,.2f} s",
        numbers={"ours": ours, "theirs": theirs, "ratio": ratio, "median_ratio": median(ratios)},
    )


def _books() -> list[Path]:
    """The test data's, and the developers' corpus where it is at hand; each book once."""
    found: dict[str, Path] = {}
    folders = [SHARED / "corpus" / name for name in ("standardebooks", "idpf-samples", "toolchains", "w3c-tests")]
    for folder in [ROOT / "tests" / "data" / "books", *folders]:
        if folder.is_dir():
            for path in sorted(folder.glob("*.epub")):
                if not path.name.endswith(".kepub.epub"):
                    found.setdefault(path.name, path)
    return list(found.values())


def _timed_ours(book: Path, target: Path) -> float:
    begun = time.perf_counter()
    convert(book, target, "built-in")
    return time.perf_counter() - begun


def _timed_kepubify(program: str, book: Path, target: Path) -> float:
    target.unlink(missing_ok=True)
    begun = time.perf_counter()
    subprocess.run([program, "-o", str(target), str(book)], check=True, capture_output=True)
    seconds = time.perf_counter() - begun
    if not target.exists():
        raise subprocess.CalledProcessError(1, program)
    return seconds
