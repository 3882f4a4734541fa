"""The bounded archive."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.epub.archive import Archive
from appliance.epub.errors import BookError, DamagedArchive, MissingEntry, NotAnEpub, TooLarge

DATA = Path(__file__).parent.parent / "data"


def archive_of(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotAnEpub),
        (b"<html></html>", NotAnEpub),
        (b"PK\x03\x04 and no end", DamagedArchive),
        (archive_of({"a": b"x" * 5000})[:60], DamagedArchive),
        (b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 30_000, 30_000, 0, 0, 0), TooLarge),
    ],
    # Named, because an archive made here holds the hour, and every worker must collect the same tests.
    ids=["nothing", "a-page", "no-end", "cut-short", "too-many-entries"],
)
def test_what_is_no_archive_says_so(data: bytes, error: type[BookError]) -> None:
    with pytest.raises(error) as caught:
        Archive(io.BytesIO(data))
    assert str(caught.value).endswith(".") and caught.value.remedy


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for tried in (data, b"PK\x03\x04" + data, data + b"PK\x05\x06" + b"\0" * 18):
        try:
            with Archive(io.BytesIO(tried)) as archive:
                for name in archive.names():
                    archive.read(name)
        except BookError:
            continue


@settings(deadline=None)
@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_damaged_byte(at: int, value: int) -> None:
    data = bytearray((DATA / "books" / "minimal-v2.epub").read_bytes())
    data[at % len(data)] = value
    try:
        with Archive(io.BytesIO(bytes(data))) as archive:
            for name in archive.names():
                archive.read(name)
                b"".join(archive.packed_chunks(name))
    except BookError:
        pass


def test_unsafe_names_are_not_there() -> None:
    names = ["../up", "/root", "a/../../b", "C:/x", "a\\b", "fine/x", "a..b"]
    with Archive(io.BytesIO(archive_of(dict.fromkeys(names, b"x")))) as archive:
        # zipfile itself writes "a\b" with a slash on some systems only.
        assert set(archive.names()) - {"a/b"} == {"fine/x", "a..b"}


@pytest.mark.parametrize(
    ("reference", "entry"),
    [
        ("Chap 1é.xhtml", "Chap 1é.xhtml"),
        ("Chap%201%C3%A9.xhtml", "Chap 1é.xhtml"),
        ("Chap 1e\u0301.xhtml", "Chap 1é.xhtml"),
        ("chap 1É.XHTML", "Chap 1é.xhtml"),
        ("100%25.xhtml", "100%25.xhtml"),
        ("same.XHTML", None),
        ("nowhere", None),
    ],
)
def test_references_are_found(reference: str, entry: str | None) -> None:
    names = ["Chap 1é.xhtml", "100%25.xhtml", "Same.xhtml", "sAme.xhtml"]
    with Archive(io.BytesIO(archive_of(dict.fromkeys(names, b"x")))) as archive:
        assert archive.find(reference) == entry


def test_names_in_utf8_without_the_flag() -> None:
    data = archive_of({"caf\u00e9.xhtml": b"x"})
    # Take the flag away from both records, as Info-ZIP and others write it.
    flag = struct.pack("<H", 0x800)
    plain = data.replace(b"\x14\x00" + flag, b"\x14\x00\x00\x00")
    assert plain != data
    with Archive(io.BytesIO(plain)) as archive:
        assert archive.names() == ["café.xhtml"]


def test_bounds() -> None:
    with Archive(io.BytesIO(archive_of({"bomb": b"x" * 5_000_000, "fine": b"x" * 1000}))) as archive:
        with pytest.raises(TooLarge, match="packed"):
            archive.read("bomb")
        with pytest.raises(TooLarge, match="most"):
            archive.read("fine", 999)
        assert len(archive.read("fine", 1000)) == 1000
        with pytest.raises(MissingEntry):
            archive.read("none")


def test_packed_bytes_are_those_of_the_entry() -> None:
    stored = io.BytesIO(archive_of({"a": b"x" * 200_000}, zipfile.ZIP_STORED))
    with Archive(stored) as archive:
        assert b"".join(archive.packed_chunks("a")) == archive.read("a")


def test_a_bad_checksum_is_noticed() -> None:
    with Archive(DATA / "broken" / "bad-crc-chapter.epub") as archive, pytest.raises(DamagedArchive, match="CRC"):
        archive.read("OEBPS/ch3.xhtml")
