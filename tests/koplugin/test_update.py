"""The package that a real server gives is one that the plugin takes."""

from pathlib import Path

import pytest

from tests.koplugin.plugin_reader import PluginReader
from tests.server import BOOKS, running_server

INSTALL = """
local sha2 = require("ffi/sha2")
local core = plugin().core
local bytes
core.server:fetch({ path = "update", to = T.args[1], on_done = function(headers, err)
    assert(headers, err and err.class)
    bytes = require("util").readFromFile(T.args[1])
end })
T.waitfor(function() return bytes end, 120, "the package")
local manifest = { version = require("bookwake_version"), size = #bytes, sha256 = sha2.sha256(bytes) }
local text = manifest.version .. "\\n" .. manifest.size .. "\\n" .. manifest.sha256
manifest.signature = sha2.hmac(sha2.sha256, sha2.sha256(core.device:token()), text)
local answer
require("bookwake_update").install(core, manifest, function(done, err)
    answer = { done = done or false, why = err and (err.message or err.class) }
end)
T.waitfor(function() return answer end, 120, "the update")
T.result(answer)
"""


@pytest.mark.slow
def test_the_package_of_a_server_is_taken_whole(tmp_path: Path) -> None:
    with running_server(books=[BOOKS / "minimal-v2.epub"]) as server:
        server.add_user("Ida")
        reader = PluginReader(tmp_path)
        reader.pair(server, "Ida")
        (answer,) = reader.do(INSTALL, tmp_path / "package.zip")
    assert answer == {"done": True}
    build = reader.home / "bookwake/builds/1.0.0"
    names = {path.relative_to(build).as_posix() for path in build.rglob("*") if path.is_file()}
    assert {"bookwake_plugin.lua", "bookwake_version.lua", "l10n/bookwake.pot"} <= names
