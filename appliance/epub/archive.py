"""A ZIP archive read within bounds. Nothing is ever extracted to disk.

The bounds follow docs/reference/positions.md C.9 (safety) and what real books measure: the largest book of the
corpus has 2,015 entries and 36 MB of markup.
"""

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import unquote

from appliance.epub.errors import DamagedArchive, MissingEntry, NotAnEpub, TooLarge

MAX_ENTRIES = 20_000
MAX_ENTRY = 64 * 1024 * 1024  # bytes, unpacked
MAX_MARKUP = 16 * 1024 * 1024  # bytes, unpacked: package document, content documents, style sheets
MAX_TOTAL = 2 * 1024 * 1024 * 1024  # bytes, unpacked
MAX_RATIO = 200  # unpacked : packed, for entries above RATIO_FLOOR
RATIO_FLOOR = 1024 * 1024  # bytes
CHUNK = 64 * 1024


class Archive:
    """One EPUB file, opened for reading. Use as a context manager; not safe to share between threads.

    Raises `NotAnEpub`, `DamagedArchive` or `TooLarge` (all `BookError`) on opening; `OSError` when the file itself
    cannot be read.
    """

    def __init__(self, path: Path | BinaryIO) -> None:
        self._owned: BinaryIO | None = None
        stream: BinaryIO
        if isinstance(path, Path):
            stream = self._owned = path.open("rb")
        else:
            stream = path
        self._stream = stream
        try:
            _refuse_too_many_entries(stream)
            try:
                self._zip = zipfile.ZipFile(stream)
            except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, UnicodeDecodeError) as error:
                raise NotAnEpub(f"This is not an EPUB: it cannot be read as a ZIP archive ({error}).") from None
            # On a repeated name the last entry wins, here as in zipfile, browsers and KOReader.
            names = ((_name(info), info) for info in self._zip.infolist())
            self._entries = {name: info for name, info in names if _is_safe_name(name)}
            self._folded: dict[str, str | None] | None = None
            total = sum(info.file_size for info in self._entries.values())
            if total > MAX_TOTAL:
                raise TooLarge(
                    f"The archive says it unpacks to {total // 2**20:,} MB; {MAX_TOTAL // 2**20:,} MB is the most."
                )
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if this object opened it."""
        if self._owned is not None:
            self._owned.close()

    def names(self) -> list[str]:
        """Entry names in archive order, folders and unsafe names left out."""
        return [name for name in self._entries if not name.endswith("/")]

    def unsafe_names(self) -> list[str]:
        """Names of entries that are left out because they lead out of the book."""
        names = (_name(info) for info in self._zip.infolist())
        return [name for name in names if not _is_safe_name(name)]

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def size(self, name: str) -> int:
        """Unpacked size in bytes that the archive declares for `name`. Raises `MissingEntry`."""
        return self._info(name).file_size

    def info(self, name: str) -> zipfile.ZipInfo:
        """The directory record of `name`, for copying entries. Raises `MissingEntry`."""
        return self._info(name)

    def find(self, name: str) -> str | None:
        """The entry that a reference means: exact, else percent-decoded, else the only one that differs just in case or
        in how accents are composed (macOS takes them apart)."""
        for candidate in (name, unquote(name)):
            if candidate in self._entries:
                return candidate
        if self._folded is None:
            self._folded = {}
            for entry in self._entries:
                folded = _folded(entry)
                self._folded[folded] = None if folded in self._folded else entry
        return self._folded.get(_folded(unquote(name)))

    def read(self, name: str, limit: int = MAX_ENTRY) -> bytes:
        """The unpacked bytes of an entry, at most `limit`. Raises `MissingEntry`, `TooLarge`, `DamagedArchive`."""
        return b"".join(self.chunks(name, limit))

    def chunks(self, name: str, limit: int = MAX_ENTRY) -> Iterator[bytes]:
        """The unpacked bytes of an entry in pieces of up to 64 kB. Raises as `read` does."""
        info = self._info(name)
        if info.file_size > limit:
            raise TooLarge(f"“{name}” unpacks to {info.file_size:,} bytes; {limit:,} is the most for such a part.")
        if info.file_size > RATIO_FLOOR and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise TooLarge(
                f"“{name}” is packed {info.file_size // max(info.compress_size, 1)} times smaller than it unpacks;"
                f" {MAX_RATIO} times is the most."
            )
        if info.flag_bits & 0x1:
            raise DamagedArchive(f"“{name}” is encrypted inside the archive and cannot be read.")
        try:
            with self._zip.open(info) as stream:
                while chunk := stream.read(CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
            raise DamagedArchive(f"“{name}” cannot be unpacked ({error}).") from None

    def packed_chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an entry as they lie in the archive, for copying it without unpacking. Not checked against the
        CRC. Raises `MissingEntry`, `DamagedArchive`."""
        info = self._info(name)
        # The local header repeats the name and may have another extra field than the directory.
        self._stream.seek(info.header_offset)
        header = self._stream.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise DamagedArchive(f"“{name}” is not where the archive says it is.")
        name_length, extra_length = struct.unpack_from("<HH", header, 26)
        position = info.header_offset + 30 + name_length + extra_length
        left = info.compress_size
        while left:
            self._stream.seek(position)
            chunk = self._stream.read(min(CHUNK, left))
            if not chunk:
                raise DamagedArchive(f"“{name}” is cut off.")
            position += len(chunk)
            left -= len(chunk)
            yield chunk

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._entries[name]
        except KeyError:
            raise MissingEntry(f"The archive has no entry “{name}”.") from None


def _name(info: zipfile.ZipInfo) -> str:
    """The entry's name; many tools write UTF-8 without saying so, which zipfile then reads as code page 437."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_safe_name(name: str) -> bool:
    """Whether an entry name stays inside the book: relative, no `..`, no backslash or NUL."""
    if name.startswith("/") or "\\" in name or "\0" in name:
        return False
    return ".." not in name.split("/") and ":" not in name.split("/")[0]


def _refuse_too_many_entries(stream: BinaryIO) -> None:
    """Read the entry count from the end of the archive before zipfile builds an object for each entry."""
    stream.seek(0, 2)
    length = stream.tell()
    tail_length = min(length, 65_535 + 22)
    stream.seek(length - tail_length)
    tail = stream.read(tail_length)
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        if length == 0:
            raise NotAnEpub("The file is empty.", "Get another copy.")
        stream.seek(0)
        if stream.read(4) == b"PK\x03\x04":
            stream.seek(0)
            raise DamagedArchive("The end of the file is missing: the archive has no list of its contents.")
        raise NotAnEpub("This is not an EPUB: it is not a ZIP archive.")
    (count,) = struct.unpack_from("<H", tail, at + 10)
    (directory_size,) = struct.unpack_from("<I", tail, at + 12)
    # 0xFFFF means "see the ZIP64 record"; the size of the directory bounds the count there (46 bytes an entry).
    if count == 0xFFFF:
        count = length // 46 if directory_size == 0xFFFFFFFF else directory_size // 46
    if count > MAX_ENTRIES:
        raise TooLarge(f"The archive lists about {count:,} entries; {MAX_ENTRIES:,} is the most.")
