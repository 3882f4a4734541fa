"""Which files are found, and that links do not open the rest of the machine."""

import os
from pathlib import Path

from appliance.library.walk import MAX_DEPTH, is_inside, walk
from tests.library.making import put


def names(root: Path, *more: Path) -> list[str]:
    return [str(Path(found.path).relative_to(root.parent)) for found in walk([root, *more]).files]


def test_books_are_found_at_any_depth_in_order(tmp_path: Path) -> None:
    root = tmp_path / "books"
    for name in ("b.epub", "a/B.EPUB", "a/c.kepub.epub", "a/d/e.kepub", "a/f.txt", "g.epub.part", "h.pdf"):
        put(root / name, b"x")
    assert names(root) == ["books/a/B.EPUB", "books/a/c.kepub.epub", "books/a/d/e.kepub", "books/b.epub"]


def test_size_and_time(tmp_path: Path) -> None:
    path = put(tmp_path / "a.epub", b"12345")
    os.utime(path, ns=(1, 1_234_567_890_123_456_789))
    (found,) = walk([tmp_path]).files
    assert (found.path, found.size, found.mtime_ns) == (str(path), 5, 1_234_567_890_123_456_789)


def test_what_belongs_to_the_system_is_left_out(tmp_path: Path) -> None:
    for name in (".hidden.epub", ".trash/a.epub", "@eaDir/a.epub", "#recycle/a.epub", "__MACOSX/a.epub", "._b.epub"):
        put(tmp_path / name, b"x")
    (tmp_path / "folder.epub").mkdir()
    os.mkfifo(tmp_path / "pipe.epub")
    result = walk([tmp_path])
    assert result.files == [] and result.problems == []


def test_links_inside_the_book_folders_are_followed(tmp_path: Path) -> None:
    root, other = tmp_path / "books", tmp_path / "more"
    put(root / "a.epub", b"x")
    put(other / "b.epub", b"x")
    (root / "link.epub").symlink_to(root / "a.epub")
    (root / "linked").symlink_to(other)
    # "more" is a book folder of its own too, and no folder is entered twice.
    assert names(root, other) == ["books/a.epub", "books/link.epub", "books/linked/b.epub"]


def test_links_out_of_the_book_folders_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "books"
    secret = put(tmp_path / "private" / "secret.epub", b"x")
    put(root / "a.epub", b"x")
    (root / "link.epub").symlink_to(secret)
    (root / "folder").symlink_to(secret.parent)
    (root / "up").symlink_to("..")
    (root / "dangling.epub").symlink_to(tmp_path / "nothing.epub")
    # A folder whose name only begins like that of a book folder.
    twin = put(tmp_path / "books-private" / "b.epub", b"x")
    (root / "twin.epub").symlink_to(twin)
    result = walk([root])
    assert [Path(found.path).name for found in result.files] == ["a.epub"]
    assert sorted(problem.split(" is a link")[0] for problem in result.problems) == sorted(
        str(root / name) for name in ("dangling.epub", "folder", "link.epub", "twin.epub", "up")
    )
    assert is_inside(str(root / "a.epub"), [root])
    assert not is_inside(str(root / "link.epub"), [root])


def test_loops_end(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b" / "one.epub", b"x")
    (tmp_path / "a" / "b" / "again").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    result = walk([tmp_path])
    assert [Path(found.path).name for found in result.files] == ["one.epub"]
    assert result.unread == []


def test_a_book_folder_that_is_itself_a_link(tmp_path: Path) -> None:
    put(tmp_path / "disk" / "a.epub", b"x")
    (tmp_path / "books").symlink_to(tmp_path / "disk")
    assert names(tmp_path / "books") == ["books/a.epub"]


def test_a_missing_book_folder(tmp_path: Path) -> None:
    result = walk([tmp_path / "nowhere"])
    assert result.unread == [str(tmp_path / "nowhere")]
    assert "Is the disk connected?" in result.problems[0]


def test_a_folder_inside_a_folder_is_walked_once(tmp_path: Path) -> None:
    put(tmp_path / "books" / "sub" / "a.epub", b"x")
    assert len(walk([tmp_path / "books", tmp_path / "books" / "sub"]).files) == 1


def test_very_deep_folders(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * (MAX_DEPTH + 2))
    put(deep / "a.epub", b"x")
    result = walk([tmp_path])
    assert result.files == [] and "folders deep" in result.problems[0]


def test_a_name_that_is_not_text(tmp_path: Path) -> None:
    put(tmp_path / "good.epub", b"x")
    for name in (b"latin-\xe9.epub", b"line\nbreak.epub"):
        with open(os.fsencode(tmp_path) + b"/" + name, "wb"):
            pass
    result = walk([tmp_path])
    assert [Path(found.path).name for found in result.files] == ["good.epub"]
    assert len(result.problems) == 2 and all("rename it" in problem for problem in result.problems)
    for problem in result.problems:
        problem.encode()
