"""KOReader's digests, against what KOReader itself computed and against a second way to compute them."""

import hashlib
import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.library.digests import OFFSETS, digests, filename_md5
from tests.conftest import ROOT, SHARED

VECTORS = json.loads((ROOT / "tests/data/captures/partial-md5-vectors.json").read_text())

# koreader.md 2.2: byte i is (i*31 + (i >> 8)) mod 256
SYNTHETIC = {
    0: "d41d8cd98f00b204e9800998ecf8427e",
    1: "93b885adfe0da089cdf634904fd59f71",
    500: "21f0df72cce9bc7da8dae2512ee5feed",
    1024: "f4cd1641040a17288bb6104d9e66bdb5",
    1025: "170a888db01c00d8fc3e5d8d84de5838",
    2048: "d0e59a0c7b893c3b8d6a9bddbd64e631",
    3000: "d0e59a0c7b893c3b8d6a9bddbd64e631",
    4096: "d0e59a0c7b893c3b8d6a9bddbd64e631",
    4097: "e4380141eef244ffcf9ca6ae1b67d59c",
    5000: "aaa0089e67235344d2638a97d31b8bb0",
    65536: "ba14f3242652919c1f1a26961a239bea",
    70000: "1784b150454ef4cf6780ceb94af0386f",
    200000: "1784b150454ef4cf6780ceb94af0386f",
    1050000: "0fca5c751677ecbc2dcfe80ea75ace32",
}


def pattern(size: int, blocks: int, regions: int, start: int) -> bytes:
    """Bytes (31·i + blocks·(i >> 8) + regions·(i >> 16) + start) mod 256."""
    first = bytes((31 * i + blocks * (i >> 8) + start) % 256 for i in range(min(size, 65536)))
    rest = (
        first.translate(bytes((byte + regions * region) % 256 for byte in range(256)))
        for region in range(1, size // 65536 + 1)
    )
    return b"".join([first, *rest])[:size]


def by_slices(data: bytes) -> str:
    """The same digest written as koreader.md 2.1 tells it: the shift count modulo 32, in 32 bits."""
    md5 = hashlib.md5()
    for i in range(-1, 11):
        offset = (1024 << (2 * i % 32)) & 0xFFFFFFFF
        sample = data[offset : offset + 1024]
        if not sample:
            break
        md5.update(sample)
    return md5.hexdigest()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["size"]))
def test_what_koreader_computed(vector: dict[str, object]) -> None:
    size = vector["size"]
    assert isinstance(size, int)
    assert digests(BytesIO(pattern(size, 17, 101, 7))).partial_md5 == vector["partial_md5"]


@pytest.mark.parametrize("size", SYNTHETIC)
def test_vectors_of_the_reference(size: int) -> None:
    assert digests(BytesIO(pattern(size, 1, 0, 0))).partial_md5 == SYNTHETIC[size]


def test_offsets_begin_at_zero_not_at_256() -> None:
    assert OFFSETS[:5] == (0, 1024, 4096, 16384, 65536)
    assert OFFSETS[-1] == 1_073_741_824


class Trickling(BytesIO):
    """A file that gives less than was asked for, as a network share may."""

    step = 1

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size, self.step) if size and size > 0 else size)


@given(
    st.integers(0, 300_000).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, 255), st.integers(700, 9000)))
)
def test_the_same_by_slices_however_the_file_is_read(case: tuple[int, int, int]) -> None:
    size, start, step = case
    data = pattern(size, 17, 101, start)
    stream = Trickling(data)
    stream.step = step
    read = digests(stream)
    assert read.partial_md5 == by_slices(data)
    assert read.sha256 == hashlib.sha256(data).hexdigest()
    assert read.size == size


@given(st.sampled_from(OFFSETS[:8]), st.integers(-2, 2), st.binary(min_size=1, max_size=64))
def test_the_edges_of_samples(offset: int, shift: int, tail: bytes) -> None:
    data = bytes(max(offset + shift, 0)) + tail
    assert digests(BytesIO(data)).partial_md5 == by_slices(data)


def test_the_name_of_a_file() -> None:
    capture = ROOT / "tests/data/captures/session-a-device-1.json"
    # The capture has a push under the MD5 of the file name "lantern.epub".
    assert filename_md5("lantern.epub") in capture.read_text()
    assert filename_md5("Élégie.epub") == hashlib.md5("Élégie.epub".encode()).hexdigest()


if SHARED.is_dir():

    def test_the_copied_vectors_are_those_of_the_capture() -> None:
        assert json.loads((SHARED / "captures-koreader/positions/partial-md5-vectors.json").read_text()) == VECTORS

    def test_koreaders_own_test_book() -> None:
        with (SHARED / "corpus/toolchains/gutenberg-calibre142_leaves-of-grass.epub").open("rb") as stream:
            assert digests(stream).partial_md5 == "59d481d168cca6267322f150c5f6a2a3"
