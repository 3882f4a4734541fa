"""The store of KEPUBs: one conversion per source, bytes that stay."""

import hashlib
import threading
from pathlib import Path

import pytest

from appliance.epub.errors import BookError
from appliance.kepub import KepubStore, cache
from tests.kepub.kepubs import BOOKS

BOOK = BOOKS / "fanficfare_test-story-1.epub"
SHA256 = hashlib.sha256(BOOK.read_bytes()).hexdigest()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conversions that were really made, by engine."""
    made: list[str] = []
    real = cache.make_kepub

    def counted(source: Path, target: Path, engine: str, *rest: object) -> object:
        made.append(engine)
        return real(source, target, engine, *rest)

    monkeypatch.setattr(cache, "make_kepub", counted)
    return made


def test_made_once_and_described(tmp_path: Path, calls: list[str]) -> None:
    store = KepubStore(tmp_path / "kepub")
    assert store.find(SHA256) is None
    path = store.ensure(SHA256, BOOK, "built-in")
    assert store.ensure(SHA256, BOOK, "built-in") == path == store.find(SHA256) == store.find(SHA256, "built-in")
    assert calls == ["built-in"]
    conversion = store.conversion(path)
    assert conversion.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (conversion.size, conversion.engine) == (path.stat().st_size, "built-in")
    assert path.name == f"{SHA256}-built-in-{conversion.version}.kepub.epub"
    assert path.stat().st_mode & 0o222 == 0


def test_a_new_version_changes_nothing_that_was_made(
    tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KepubStore(tmp_path)
    path = store.ensure(SHA256, BOOK)
    before = path.read_bytes()
    monkeypatch.setattr("appliance.kepub.builtin.VERSION", "99")
    assert store.ensure(SHA256, BOOK) == path
    assert path.read_bytes() == before and len(calls) == 1
    assert store.ensure(SHA256, BOOK, "built-in") != path
    assert store.find(SHA256) == path


def test_an_interrupted_conversion_is_made_again(tmp_path: Path, calls: list[str]) -> None:
    store = KepubStore(tmp_path)
    path = store.ensure(SHA256, BOOK, "built-in")
    next(tmp_path.glob("*.json")).unlink()
    path.chmod(0o644)
    path.write_bytes(b"half")
    assert store.find(SHA256) is None
    assert store.ensure(SHA256, BOOK) == path
    assert store.conversion(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_callers_at_the_same_time_share_one_conversion(tmp_path: Path, calls: list[str]) -> None:
    store = KepubStore(tmp_path)
    gate = threading.Barrier(6)
    found: list[Path] = []

    def ask() -> None:
        gate.wait()
        found.append(store.ensure(SHA256, BOOK, "built-in"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and len(set(found)) == 1 and len(calls) == 1


def test_a_failure_leaves_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    store = KepubStore(tmp_path / "kepub")
    bad = tmp_path / "bad.epub"
    bad.write_bytes(b"no archive")
    for _ in range(2):
        with pytest.raises(BookError):
            store.ensure("0" * 64, bad, "built-in")
    assert list((tmp_path / "kepub").iterdir()) == []


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "0" * 63])
def test_only_digests_name_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        KepubStore(tmp_path).ensure(name, BOOK)
