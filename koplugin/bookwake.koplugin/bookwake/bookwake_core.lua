--- Everything that outlives one instance of the plugin, put together once for the process.
local guarded = require("bookwake_guarded")

local Core = {}

local core

--- The one core of this process.
function Core.get()
    core = core or Core.build()
    return core
end

--- Which codec of JSON there is: rapidjson in KOReader.
local function codec()
    for _, name in ipairs({ "rapidjson", "cjson", "json" }) do
        local ok, found = pcall(require, name)
        if ok and type(found) == "table" and found.decode then
            return found
        end
    end
    error("there is no JSON")
end

local function random_bytes(count)
    local handle = io.open("/dev/urandom", "rb")
    local bytes = handle and handle:read(count)
    if handle then
        handle:close()
    end
    if bytes and #bytes == count then
        return bytes
    end
    -- No such device (never seen where KOReader runs); the time, the process and an address differ at least.
    local text = tostring({}) .. os.time() .. os.clock()
    return require("ffi/sha2").md5(text):sub(1, count)
end

local function http()
    -- Loaded in the child only: it is large, and most of the time nobody needs it.
    local request
    return function(asked)
        request = request
            or require("bookwake_http").new({
                http = require("socket.http"),
                ltn12 = require("ltn12"),
                socketutil = require("socketutil"),
                files = core.files,
            })
        -- LuaSec is reached through LuaSocket's http, once it is loaded.
        pcall(require, "ssl.https")
        return request(asked)
    end
end

-- What matching needs to know of a file: from the sidecar, which KOReader has read from the book.
local function describe(file, path)
    local about = { file = file }
    if not path or path == "" then
        return about
    end
    about.name = path:match("([^/]+)$")
    local attributes = core.files.attributes(path)
    about.size = attributes and attributes.size
    local ok, settings = pcall(function()
        -- A book that was never open before has no sidecar yet.
        local ui = require("apps/reader/readerui").instance
        if ui and ui.document and core.books:identify(ui.document.file) == file then
            return ui.doc_settings
        end
        local DocSettings = require("docsettings")
        return DocSettings:hasSidecarFile(path) and DocSettings:open(path) or nil
    end)
    if ok and settings then
        local props = settings:readSetting("doc_props") or {}
        about.title, about.authors, about.identifiers = props.title, props.authors, props.identifiers
        local stored = settings:readSetting("partial_md5_checksum")
        if stored and stored ~= file then
            about.stored = stored
        end
    end
    return about
end

local function about()
    local fields = require("bookwake_introduction").of_this_reader()
    fields.protocols = { 1 }
    fields.capabilities = { "annotations", "bookmarks", "state", "session" }
    return fields
end

function Core.build()
    local DataStorage = require("datastorage")
    local NetworkMgr = require("ui/network/manager")
    local UIManager = require("ui/uimanager")
    local ffiutil = require("ffi/util")
    local time = require("ui/time")
    local util = require("util")
    core = { uimanager = UIManager }
    core.clock = function()
        return os.time()
    end
    core.monotonic = function()
        return time.to_s(UIManager:getElapsedTimeSinceBoot())
    end
    core.later = function(seconds, fn)
        UIManager:scheduleIn(seconds, function()
            guarded(fn)
        end)
    end
    core.is_connected = function()
        return NetworkMgr:isConnected() and true or false
    end
    core.digest = require("ffi/sha2").md5
    local ok, utf8proc = pcall(require, "ffi/utf8proc")
    core.nfc = ok and utf8proc.normalize_NFC and function(text)
        return utf8proc.normalize_NFC(text)
    end or nil

    core.json = require("bookwake_json").new(codec())
    core.files = require("bookwake_files").new(require("libs/libkoreader-lfs"), ffiutil)
    local Store = require("bookwake_store")
    core.root = DataStorage:getDataDir() .. "/bookwake"
    core.files.make_dir(core.root)
    core.store = Store.new({ root = core.root, files = core.files, json = core.json })
    core.store:tidy()
    core.settings = require("bookwake_settings").open()
    core.device = require("bookwake_device").open({
        store = core.store,
        secrets = Store.new({ root = DataStorage:getSettingsDir(), files = core.files, json = core.json }),
        random = random_bytes,
    })
    core.outbox = require("bookwake_outbox").open({ store = core.store, device = core.device, clock = core.clock })
    local digests = require("bookwake_digest").open({
        files = core.files,
        partial_md5 = util.partialMD5,
        store = core.store,
    })
    core.books = require("bookwake_books").open({ store = core.store, digests = digests, settings = core.settings })
    core.inbox = require("bookwake_inbox").open(core.store)
    core.background = require("bookwake_background").new({
        ffiutil = ffiutil,
        later = core.later,
        clock = core.monotonic,
        hold = function(is_on)
            pcall(is_on and UIManager.preventStandby or UIManager.allowStandby, UIManager)
        end,
    })
    core.server = require("bookwake_server").new({
        device = core.device,
        http = http(),
        background = core.background,
        json = core.json,
        files = core.files,
        clock = core.clock,
        is_connected = core.is_connected,
        agent = "bookwake.koplugin/" .. require("bookwake_version"),
    })
    core.scheduler = require("bookwake_scheduler").new({
        clock = core.monotonic,
        later = core.later,
        chance = math.random,
        probe = function(done)
            core.server:ask({
                path = "hello",
                method = "GET",
                token = false,
                on_done = function(answer, err)
                    local is_there = answer and answer.server == "bookwake"
                    done(not is_there and (err or { class = "foreign" }) or nil)
                end,
            })
        end,
    })
    core.describe = describe
    core.about = about
    core.reader = function()
        return core.open
    end
    core.sync = require("bookwake_sync").new(core)
    core.state = require("bookwake_state").new(core)

    --- What became of the last attempt, for the status page.
    function core:noted(err)
        if err then
            self.failing_since = self.failing_since or self.clock()
            self.last_error = { class = err.class, message = err.message, status = err.status, at = self.clock() }
        else
            self.failing_since, self.last_error = nil, nil
        end
    end

    return core
end

return Core
