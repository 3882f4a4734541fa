"""The plugin's own specs, in the language and by the tools of KOReader: busted under LuaJIT, and luacheck."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.needs import program

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SPECS = sorted(path.name for path in HERE.glob("*_spec.lua"))


@pytest.mark.parametrize("spec", SPECS)
def test_spec(spec: str) -> None:
    luajit, busted = program("luajit", "luajit"), program("busted", "lua-busted")
    for module, package in (("cjson", "lua-cjson"), ("lfs", "lua-filesystem"), ("socket", "lua-socket")):
        if subprocess.run([luajit, "-e", f"require '{module}'"], capture_output=True).returncode != 0:
            pytest.skip(f"the Lua module {module} is not installed (Debian package: {package})")
    ran = subprocess.run(
        [busted, f"--lua={luajit}", f"--lpath={HERE}/?.lua", "--output=plainTerminal", HERE / spec],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"LC_ALL": "C.UTF-8", "TZ": "UTC"},
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_luacheck() -> None:
    luacheck = program("luacheck", "lua-check")
    ran = subprocess.run([luacheck, "--no-color", "-q", "."], capture_output=True, text=True, cwd=ROOT / "koplugin")
    assert ran.returncode == 0, ran.stdout + ran.stderr
