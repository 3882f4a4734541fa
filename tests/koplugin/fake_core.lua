--- For specs of screens: a core whose server answers what the spec says, and whose state is what the spec sets.
local fake_core = {}

--- Takes the place of `bookwake_core` for the next start of KOReader.
-- Fields that specs set: `answers` (by path: a table, or a function of the body that returns answer and error),
-- `state` (what `core.state` shows), `results` (of `sync`). `asked`: every request, in order.
function fake_core.install()
    local core = {
        answers = {},
        asked = {},
        matched = {},
        shown = { pending = { total = 0, by_kind = {} }, books = {}, unmatched = {}, trouble = {} },
        results = {},
        jobs = {},
        sent = {},
    }

    core.device = {
        record = {},
        is_paired = function()
            return core.device.record.address ~= nil
        end,
        pair = function(self, address, answer)
            self.record = { address = address, person = answer.person }
            self.record.name, self.record.id = answer.device.name, answer.device.id
            self.paired_with = answer.token
            return true
        end,
        forget = function(self)
            self.record = {}
        end,
        set = function(self, fields)
            for name, value in pairs(fields) do
                self.record[name] = value or nil
            end
            return true
        end,
        token = function()
            return "token"
        end,
    }

    local function later(done, ...)
        local args = { n = select("#", ...), ... }
        require("ui/uimanager"):nextTick(function()
            done(unpack(args, 1, args.n))
        end)
    end

    core.server = {}
    function core.server:ask(request)
        table.insert(core.asked, request)
        local path = request.path:match("^[^?]*")
        local answer = core.answers[request.address and request.address .. " " .. path]
            or core.answers[path]
            or core.answers[path:gsub("/[^/]+$", "/*")]
        local err
        if type(answer) == "function" then
            answer, err = answer(request.body, request)
        elseif answer == nil then
            err = { class = "transport" }
        end
        later(request.on_done, answer, err)
        return function() end
    end
    function core.server:fetch(request)
        table.insert(core.asked, request)
        local content = core.answers[request.path] or core.answers[request.path:match("^[^?]*")]
        if type(content) == "function" then
            content = content(request)
        end
        if not content then
            return later(request.on_done, nil, { class = "transport" })
        end
        local file = assert(io.open(request.to, "wb"))
        file:write(content)
        file:close()
        if request.on_progress then
            request.on_progress(#content)
        end
        later(request.on_done, { ["content-length"] = tostring(#content) })
    end
    function core.server:send(request)
        local file = assert(io.open(request.from, "rb"))
        core.sent[request.path] = file:read("*a")
        file:close()
        table.insert(core.asked, request)
        local answer = core.answers[request.path] or core.answers[request.path:gsub("/[^/]+$", "/*")]
        later(request.on_done, answer, not answer and { class = "transport" } or nil)
    end

    core.scheduler = { resets = 0 }
    function core.scheduler:submit(job)
        table.insert(core.jobs, job.key)
        job.start(function(err)
            core.finished = err or true
        end)
        return true
    end
    function core.scheduler:network_changed() end
    function core.scheduler:clear() end
    function core.scheduler:reset()
        self.resets = self.resets + 1
    end

    core.sync = { calls = {} }
    function core.sync:now(request)
        table.insert(self.calls, { "now", request.file, request.reason })
        if request.on_done then
            later(request.on_done, core.results.now or {})
        end
    end
    function core.sync:all(request)
        table.insert(self.calls, { "all", request.rematch or false, #request.files })
        for number, title in ipairs(core.results.titles or {}) do
            if request.on_progress then
                request.on_progress(number, #core.results.titles, title)
            end
        end
        if request.on_done then
            later(request.on_done, core.results.all or {})
        end
    end
    function core.sync:confirm_deletions(path, yes)
        table.insert(self.calls, { "deletions", path, yes })
    end

    core.state = {
        pending = function()
            return core.shown.pending
        end,
        book = function(_, path)
            return core.shown.books[path]
        end,
        unmatched = function()
            return core.shown.unmatched
        end,
        trouble = function()
            return core.shown.trouble
        end,
    }
    core.books = {
        identify = function(_, path)
            return require("util").partialMD5(path)
        end,
        matched = function(_, path, match, file)
            core.matched[path] = { file = file, how = match.how, book = match.book }
            return true
        end,
        files_of = function(_, id)
            local found = {}
            for path, match in pairs(core.matched) do
                if match.book and match.book.id == id then
                    table.insert(found, { file = match.file, path = path })
                end
            end
            return found
        end,
    }
    function core.is_connected()
        return require("ui/network/manager"):isConnected()
    end
    function core.monotonic()
        return require("ui/uimanager").elapsed
    end
    function core.later(seconds, action)
        require("ui/uimanager"):scheduleIn(seconds, action)
    end
    core.outbox = { add = function() end }

    package.preload["bookwake_core"] = function()
        core.settings = require("bookwake_settings").open()
        core.root = require("datastorage"):getDataDir() .. "/bookwake"
        core.files = require("bookwake_files").new(require("lfs"), require("ffi/util"))
        local json = require("bookwake_json").new(require("rapidjson"))
        core.store = core.store or require("bookwake_store").new({ root = core.root, files = core.files, json = json })
        return {
            get = function()
                return core
            end,
        }
    end
    return core
end

--- A reader that belongs to Ada, on a server at home.
function fake_core.paired(core)
    core.device.record = { address = "http://books.lan", name = "Libra", person = "Ada", id = 7 }
end

return fake_core
