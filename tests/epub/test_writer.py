"""The archive writer, read back by zipfile and by `Archive`."""

import io
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.epub.archive import Archive
from appliance.epub.writer import DEFLATED, STORED, ArchiveWriter, copy_entry, pack

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="/\\:"), min_size=1, max_size=20
).filter(lambda name: name not in (".", "..", "mimetype"))


def write(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    for name, data in entries.items():
        writer.add(name, pack(data))
    writer.finish()
    return stream.getvalue()


@given(st.dictionaries(NAMES, st.binary(max_size=300), max_size=8))
def test_what_is_written_is_read(entries: dict[str, bytes]) -> None:
    made = write(entries)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["mimetype", *entries]
        assert {name: archive.read(name) for name in entries} == entries
    with Archive(io.BytesIO(made)) as bounded:
        assert {name: bounded.read(name) for name in bounded.names() if name != "mimetype"} == entries
    assert write(entries) == made


@given(st.dictionaries(NAMES, st.binary(max_size=300), max_size=8), st.sampled_from([0, 8]))
def test_copies_are_equal(entries: dict[str, bytes], method: int) -> None:
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    with Archive(source) as opened:
        for name in opened.names():
            copy_entry(opened, name, writer)
    writer.finish()
    with zipfile.ZipFile(stream) as copied:
        assert {name: copied.read(name) for name in entries} == entries


def test_mimetype_comes_first_as_ocf_wants_it() -> None:
    made = write({"a": b"x"})
    assert made[30:38] == b"mimetype" and made[38:58] == b"application/epub+zip"


@pytest.mark.parametrize(("data", "method"), [(b"", STORED), (b"x", STORED), (b"x" * 100, DEFLATED)])
def test_what_does_not_shrink_is_stored(data: bytes, method: int) -> None:
    packed = pack(data)
    assert (packed.method, packed.size, packed.crc) == (method, len(data), zlib.crc32(data))


def test_a_real_book_survives(tmp_path: Path) -> None:
    book = Path(__file__).parent.parent / "data" / "books" / "childrens-literature.epub"
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    with Archive(book) as archive:
        names = [name for name in archive.names() if name != "mimetype"]
        for name in names:
            copy_entry(archive, name, writer)
        writer.finish()
        with Archive(stream) as copied:
            assert {name: copied.read(name) for name in names} == {name: archive.read(name) for name in names}
