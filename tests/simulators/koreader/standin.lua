--[[--
A stand-in of KOReader: enough of it, with the behaviour of docs/reference/koreader.md 8.2 and of what a real one was
seen to do, to run the plugin without one.

    local standin = require("standin")
    standin.start{ home = …, books = …, plugins = { "…/bookwake.koplugin" }, version = "v2026.07.2" }
    standin.stop()

Between `start` and `stop` the modules of KOReader are those in `modules/`, and `os.time` and `os.date` follow the clock
of the event loop, which only moves when the test moves it. `stop` forgets every module that was loaded since, as the
end of the process would; `kill` does it without letting anybody say goodbye.
]]
local lfs = require("lfs")

local standin = {}

local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
local real_time, real_date = os.time, os.date

-- Which of the modules came or went with which release (koreader.md 10.1).
local SINCE = { ["ui/widget/booklist"] = 202504000000 }

--- The version as KOReader's own number.
function standin.number()
    local year, month, patch = standin.version:match("v(%d+)%.(%d+)%.?(%d*)")
    return (tonumber(year) * 100 + tonumber(month)) * 1000000 + (tonumber(patch) or 0) * 10000
end

--- Seconds since 1970 by the device's clock.
function standin.now()
    local loop = package.loaded["ui/uimanager"]
    return standin.clock + (loop and loop.elapsed or 0)
end

local function set_clock()
    os.time = function(date) -- luacheck: ignore
        return date and real_time(date) or math.floor(standin.now())
    end
    os.date = function(format, at) -- luacheck: ignore
        return real_date(format, at or math.floor(standin.now()))
    end
end

--- Starts KOReader in its file manager.
-- `home`: its data directory; `books`: where the books are; `plugins`: plugin folders; `version`, `device` (answers of
-- `Device`), `settings` (of G_reader_settings) and `clock` (seconds since 1970, by default the real time).
function standin.start(options)
    assert(not standin.running, "already started")
    standin.home, standin.books = options.home, options.books or options.home
    standin.version = options.version or "v2026.07.2"
    standin.device = options.device or {}
    standin.clock = options.clock or standin.next_clock or real_time()
    standin.loaded, standin.path, standin.loaders = {}, package.path, { unpack(package.loaders) }
    for name in pairs(package.loaded) do
        standin.loaded[name] = true
    end
    standin.preloaded = {}
    for name in pairs(package.preload) do
        standin.preloaded[name] = true
    end
    package.path = here .. "/modules/?.lua;" .. here .. "/modules/?/init.lua;" .. package.path
    package.loaded.standin = standin
    standin.loaded.standin = true
    for name, since in pairs(SINCE) do
        if standin.number() < since then
            package.preload[name] = function()
                error("module '" .. name .. "' not found")
            end
        end
    end
    require("widgets").install()
    set_clock()
    for _, directory in ipairs({ "", "/settings", "/plugins" }) do
        lfs.mkdir(standin.home .. directory)
    end
    local settings = require("luasettings"):open(standin.home .. "/settings.reader.lua")
    if not settings:readSetting("device_id") and standin.number() >= 202607000000 then
        settings:saveSetting("device_id", "0123456789ABCDEF0123456789ABCDEF")
    end
    for key, value in pairs(options.settings or {}) do
        settings:saveSetting(key, value)
    end
    _G.G_reader_settings = settings
    _G.G_defaults = require("luasettings"):open(standin.home .. "/defaults.custom.lua")
    table.pack = table.pack or function(...) -- luacheck: ignore
        return { n = select("#", ...), ... }
    end
    standin.running = true
    require("readhistory"):load()
    require("pluginloader"):load(options.plugins or {})
    require("apps/filemanager/filemanager"):showFiles(standin.books)
    require("ui/uimanager"):advance(0)
    return standin
end

local function forget()
    standin.next_clock = standin.now()
    os.time, os.date = real_time, real_date -- luacheck: ignore
    for name in pairs(package.loaded) do
        if not standin.loaded[name] then
            package.loaded[name] = nil
        end
    end
    for name in pairs(package.preload) do
        if not standin.preloaded[name] then
            package.preload[name] = nil
        end
    end
    package.path = standin.path
    for i = #package.loaders, 1, -1 do
        package.loaders[i] = nil
    end
    for i, loader in ipairs(standin.loaders) do
        package.loaders[i] = loader
    end
    _G.G_reader_settings, _G.G_defaults = nil, nil
    standin.running = false
end

--- Leaves KOReader as a person does: the book is closed, everything is saved.
function standin.stop()
    if not standin.running then
        return
    end
    local UIManager = require("ui/uimanager")
    local Event = require("ui/event")
    UIManager:broadcastEvent(Event:new("Exit"))
    local reader = require("apps/reader/readerui").instance
    if reader then
        reader:onClose()
    end
    local manager = require("apps/filemanager/filemanager").instance
    if manager then
        manager:onClose()
    end
    G_reader_settings:flush()
    forget()
end

--- The battery is out: nobody gets an event, nothing more is written.
function standin.kill()
    if standin.running then
        forget()
    end
end

return standin
