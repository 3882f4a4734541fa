"""The plugin's version stands twice: where KOReader and the server read it, and in the code that an update replaces."""

import re

from tests.koplugin.plugin_reader import PLUGIN


def test_the_plugin_says_one_version() -> None:
    meta = (PLUGIN / "_meta.lua").read_text(encoding="utf-8")
    code = (PLUGIN / "bookwake" / "bookwake_version.lua").read_text(encoding="utf-8")
    assert re.findall(r'version = "(.+)"', meta) == re.findall(r'^return "(.+)"$', code, re.MULTILINE) != []
