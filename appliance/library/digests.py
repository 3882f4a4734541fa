"""What identifies a file: SHA-256 for us, two MD5 digests for KOReader."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 1024 * 1024  # bytes
SAMPLE = 1024  # bytes

# util.partialMD5 shifts 1024 left by 2·i for i = -1 … 10. LuaJIT takes the count -2 modulo 32, and 1024 << 30 is 0 in
# 32 bits, so the first sample is at 0 and not at 256 (koreader.md 2.1).
OFFSETS = (0, *(SAMPLE << 2 * i for i in range(11)))


@dataclass(frozen=True, slots=True)
class Digests:
    """Lower-case hex digests of a file's bytes, and how many bytes there were."""

    sha256: str
    partial_md5: str
    size: int


def digests(stream: BinaryIO) -> Digests:
    """Read a file once, from where it stands to its end, in pieces of 1 MiB."""
    sha256 = hashlib.sha256()
    partial = hashlib.md5(usedforsecurity=False)
    at = 0
    while chunk := stream.read(CHUNK):
        sha256.update(chunk)
        for piece in _samples(chunk, at):
            partial.update(piece)
        at += len(chunk)
    return Digests(sha256.hexdigest(), partial.hexdigest(), at)


def _samples(chunk: bytes, at: int) -> Iterator[bytes]:
    """The parts of the samples that lie in `chunk`, which begins at byte `at` of the file."""
    for offset in OFFSETS:
        start, end = max(offset - at, 0), min(offset + SAMPLE - at, len(chunk))
        if start < end:
            yield chunk[start:end]


def filename_md5(name: str) -> str:
    """KOSync's name for a file by its base name, extension included (koreader.md 2.3)."""
    return hashlib.md5(name.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
