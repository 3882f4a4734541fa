--[[--
Runs a script in the stand-in of KOReader, in a process of its own:

    luajit run.lua SCRIPT [arguments]

The script gets `T` (`person`, with `T.screen`, `T.args`, `T.result(table)` that prints one line of JSON), as a global
and as its argument. The environment says the rest: KO_HOME (data directory), KO_BOOKS, KO_PLUGINS (folders, separated
by colons), KO_VERSION, KO_SETTINGS (JSON, into G_reader_settings), KO_DEVICE (JSON), KO_LOG (show the log).
Ends with 0, or with 3 and the error when the script fails or the plugin had one.
]]
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path

local cjson = require("cjson")
local standin = require("standin")

local function json(name)
    local text = os.getenv(name)
    return text and cjson.decode(text) or nil
end

local plugins = {}
for directory in (os.getenv("KO_PLUGINS") or ""):gmatch("[^:]+") do
    table.insert(plugins, directory)
end

standin.start({
    home = assert(os.getenv("KO_HOME"), "KO_HOME is not set"),
    books = os.getenv("KO_BOOKS"),
    plugins = plugins,
    version = os.getenv("KO_VERSION"),
    settings = json("KO_SETTINGS"),
    device = json("KO_DEVICE"),
})

local T = require("person")
T.screen = require("screen")
T.args = { unpack(arg, 2) }
function T.result(value)
    io.stdout:write(cjson.encode(value), "\n")
    io.stdout:flush()
end
_G.T = T

local ok, err = xpcall(function()
    assert(loadfile(arg[1]))(T)
    local failures = T.failures()
    assert(#failures == 0, "the plugin failed: " .. tostring(failures[1]))
end, debug.traceback)
if not ok then
    io.stderr:write(tostring(err), "\n")
    os.exit(3)
end
standin.stop()
