"""Write an EPUB archive: the same contents always give the same bytes.

`zipfile` cannot copy an entry without unpacking and packing it again, which for the images of a book is most of the
work; and it stamps the current time. This writes the few records that an EPUB needs (PKWARE APPNOTE 4.3, without
ZIP64: `Archive` refuses what would need it).
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from appliance.epub.archive import Archive

STORED = 0
DEFLATED = 8
MIMETYPE = b"application/epub+zip"

_UTF8_NAME = 0x800
_DOS_DATE = (1 << 5) | 1  # 1 January 1980, the first day that ZIP knows
_NEEDS = 20  # version 2.0: deflate


@dataclass(frozen=True, slots=True)
class Packed:
    """An entry's bytes as they lie in an archive. `size` and `crc`: of the unpacked bytes."""

    method: int
    crc: int
    size: int
    data: bytes


def pack(data: bytes, level: int = 6) -> Packed:
    """Deflate; bytes that do not shrink are stored."""
    squeezer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = squeezer.compress(data) + squeezer.flush()
    if len(packed) >= len(data):
        return Packed(STORED, zlib.crc32(data), len(data), data)
    return Packed(DEFLATED, zlib.crc32(data), len(data), packed)


def copy_entry(source: Archive, name: str, target: "ArchiveWriter") -> None:
    """Copy an entry without unpacking it, if it is packed as EPUB allows."""
    info = source.info(name)
    if info.compress_type in (STORED, DEFLATED) and not info.flag_bits & 0x1:
        chunks = source.packed_chunks(name)
        target.add_raw(name, info.compress_type, info.CRC, info.file_size, info.compress_size, chunks)
    else:
        target.add(name, pack(source.read(name)))


class ArchiveWriter:
    """Entries in the order they are added; `mimetype` is written first by itself. Call `finish` at the end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._directory = bytearray()
        self._count = 0
        self._offset = 0
        self.add("mimetype", Packed(STORED, zlib.crc32(MIMETYPE), len(MIMETYPE), MIMETYPE))

    def add(self, name: str, entry: Packed) -> None:
        """Write an entry held in memory."""
        self.add_raw(name, entry.method, entry.crc, entry.size, len(entry.data), (entry.data,))

    def add_raw(self, name: str, method: int, crc: int, size: int, packed_size: int, chunks: Iterable[bytes]) -> None:
        """Write an entry whose packed bytes (`packed_size` in all) come in pieces."""
        encoded = name.encode()
        flags = 0 if name.isascii() else _UTF8_NAME
        record = struct.pack(
            "<HHHHHIIIHH", _NEEDS, flags, method, 0, _DOS_DATE, crc, packed_size, size, len(encoded), 0
        )
        self._directory += b"PK\x01\x02" + struct.pack("<H", _NEEDS) + record
        self._directory += struct.pack("<HHHII", 0, 0, 0, 0, self._offset) + encoded
        self._count += 1
        self._put(b"PK\x03\x04" + record + encoded)
        for chunk in chunks:
            self._put(chunk)

    def finish(self) -> None:
        """Write the directory."""
        start = self._offset
        self._put(bytes(self._directory))
        self._put(
            b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, self._count, self._count, len(self._directory), start, 0)
        )

    def _put(self, data: bytes) -> None:
        self._stream.write(data)
        self._offset += len(data)
