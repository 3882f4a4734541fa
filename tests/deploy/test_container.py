"""What the container is built from. No engine runs in CI, so the build itself is not tried here."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_what_dockerignore_lets_through_is_enough_to_build(tmp_path: Path) -> None:
    rules = (ROOT / ".dockerignore").read_text().split()
    assert rules[0] == "*"
    context = tmp_path / "context"
    context.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", "vendor")
    for name in (rule[1:] for rule in rules if rule.startswith("!")):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=ignore)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, context / name)
    for copied in ("requirements.lock", "requirements-build.lock"):
        assert (context / copied).is_file()
    # The browser libraries are fetched in the container; here they come from the checkout, for lack of a network.
    shutil.copytree(ROOT / "webreader/static/vendor", context / "webreader/static/vendor")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=context, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    built = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = subprocess.run(
        ["git", "ls-files", "appliance", "kobo_api", "koreader_api", "webreader"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    left_out = {"webreader/package.json", "webreader/package-lock.json", "webreader/.npmrc"}
    assert {name for name in listed if (ROOT / name).exists()} - left_out <= built
    plugin = {path.relative_to(ROOT).as_posix() for path in (ROOT / "koplugin/bookwake.koplugin").rglob("*.lua")}
    assert plugin and {f"koreader_api/{name}" for name in plugin} <= built
