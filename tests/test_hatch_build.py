"""The build step that fetches the browser libraries, without a network."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatch_build
from hatch_build import LIBRARIES, ROOT, AssetError, Library, Replacement, build_assets, copy_library, is_complete

VENDOR = ROOT / "webreader" / "static" / "vendor"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder whose npm finds every library, with made-up content; counts its calls in `calls`."""
    web = tmp_path / "webreader"
    web.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "webreader" / name, web)

    def npm_ci(web: Path, work: Path) -> Path:
        with (tmp_path / "calls").open("a") as calls:
            calls.write("x")
        for library in LIBRARIES:
            for file in library.files:
                path = work / library.name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(
                    f"// {library.name} {file}\n" + "".join(r.old for r in library.replacements if r.file == file)
                )
        return work

    monkeypatch.setattr(hatch_build, "npm_ci", npm_ci)
    return tmp_path


def test_files_are_put_in_versioned_folders_and_only_once(checkout: Path) -> None:
    assert build_assets(checkout) is True
    assert build_assets(checkout) is False
    assert (checkout / "calls").read_text() == "x"
    vendor = checkout / "webreader" / "static" / "vendor"
    assert sorted(path.name for path in vendor.iterdir()) == ["foliate-js-1.0.1", "vendor.json"]
    assert not list(vendor.parent.glob(".vendor-*"))
    assert not list(checkout.rglob("node_modules"))


def test_a_changed_or_missing_file_is_put_right(checkout: Path) -> None:
    build_assets(checkout)
    view = checkout / "webreader" / "static" / "vendor" / "foliate-js-1.0.1" / "view.js"
    original = view.read_bytes()
    view.write_bytes(original + b" ")
    assert build_assets(checkout) is True
    assert view.read_bytes() == original
    view.unlink()
    assert build_assets(checkout) is True
    assert view.read_bytes() == original


def test_a_new_lock_file_is_followed(checkout: Path) -> None:
    build_assets(checkout)
    lock = checkout / "webreader" / "package-lock.json"
    lock.write_text(lock.read_text().replace('"version": "1.0.1"', '"version": "1.0.2"'))
    assert build_assets(checkout) is True
    vendor = checkout / "webreader" / "static" / "vendor"
    assert (vendor / "foliate-js-1.0.2").is_dir() and not (vendor / "foliate-js-1.0.1").exists()


def test_a_failure_leaves_the_old_files(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_assets(checkout)
    vendor = checkout / "webreader" / "static" / "vendor"
    before = {path: path.read_bytes() for path in vendor.rglob("*") if path.is_file()}
    (checkout / "webreader" / "package-lock.json").write_text(
        (checkout / "webreader" / "package-lock.json").read_text() + "\n"
    )

    def no_network(web: Path, work: Path) -> Path:
        raise AssetError("no network")

    monkeypatch.setattr(hatch_build, "npm_ci", no_network)
    with pytest.raises(AssetError):
        build_assets(checkout)
    assert before == {path: path.read_bytes() for path in vendor.rglob("*") if path.is_file()}
    assert not list(vendor.parent.glob(".vendor-*"))


def test_a_library_that_changed_under_a_replacement_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("something else\n")
    library = Library("a", ("a.js",), (Replacement("a.js", "import 'b'\n", ""),))
    with pytest.raises(AssetError, match=r"a\.js"):
        copy_library(library, tmp_path, tmp_path / "out")


def test_node_is_asked_for_only_where_there_is_none(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = hatch_build.AssetHook(str(checkout), {}, None, None, "", "wheel")
    monkeypatch.setenv("PATH", str(checkout))
    assert hook.dependencies() == [hatch_build.NODE_REQUIREMENT]
    node = checkout / "node"
    node.write_text("#!/bin/sh\necho v16.20.0\n")
    node.chmod(0o755)
    npm = checkout / "npm"
    npm.write_text("#!/bin/sh\n")
    npm.chmod(0o755)
    assert hook.dependencies() == [hatch_build.NODE_REQUIREMENT]
    node.write_text("#!/bin/sh\necho v18.0.0\n")
    assert hook.dependencies() == []
    monkeypatch.delenv("PATH")
    build_assets(checkout)
    assert hook.dependencies() == []


def test_vendored_modules_import_only_each_other() -> None:
    assert is_complete(VENDOR, hatch_build.recipe_digest(ROOT / "webreader")), "run: python hatch_build.py"
    for module in VENDOR.glob("*/*.js"):
        for name in re.findall(
            r"""^import\s+(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]""", module.read_text(), re.MULTILINE
        ):
            assert name.startswith("./") and (module.parent / name).is_file(), f"{module.name} imports {name}"


def test_npm_lock_has_hashes_and_no_addresses() -> None:
    lock = json.loads((ROOT / "webreader" / "package-lock.json").read_text())
    for name, package in lock["packages"].items():
        if name:
            assert package["integrity"].startswith("sha512-")
            assert "resolved" not in package


@pytest.mark.slow
def test_wheel_contains_the_assets_and_no_node_modules(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "webreader/static/vendor/foliate-js-1.0.1/view.js" in names
    assert "webreader/static/vendor/foliate-js-1.0.1/LICENSE" in names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/") or "package.json" in name]
