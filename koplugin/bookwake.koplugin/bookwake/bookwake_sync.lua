--- One sync: what waits goes up, what is new comes down. No screens here; the core shows nothing by itself.
--
-- Whoever wants one says for which file; wishes that come while one runs are met by the next. Each round sends
-- operations and pulls files; what was applied to the open book goes up in another round.
local Answers = require("bookwake_answers")
local Protocol = require("bookwake_protocol")

local Sync = {}
Sync.__index = Sync

local ROUNDS = 30 -- a bound for one sync, far above what is ever needed
local HELLO_EVERY = 6 * 3600 -- seconds
local MATCHES = 25 -- files in one request: each sidecar has to be read for it

-- After what kind of failure it is tried again by itself, and how often: not for ever, for the battery's sake.
local IS_PASSING = { transport = true, failed = true, later = true, foreign = true, fork = true }
local TRIES = 8

local PRIORITY = { person = "manual", opened = "lifecycle", closed = "lifecycle", network = "lifecycle" }

--- @param core `device`, `server`, `scheduler`, `outbox`, `books`, `inbox`, `json`, `clock`, `settings`,
-- `about` (a function: what `hello` says), `reader` (a function: the opened book's `{file, arrived(record)}` or nil)
function Sync.new(core)
    local self = setmetatable({}, Sync)
    self.core = core
    self.wanted = {} -- digest → path
    self.waiting = {} -- functions that want the result
    self.most = Protocol.OPERATIONS
    self.tries = 0
    return self
end

--- Send all that waits, and pull one file if it is named.
-- @param wish `file`: its path, or nil; `reason`: "person", "opened", "closed", "network", …; `on_done(result)`
function Sync:now(wish)
    local core = self.core
    if wish.file then
        local file = core.books:identify(wish.file)
        if file then
            self.wanted[file] = wish.file
        end
    end
    if wish.on_done then
        table.insert(self.waiting, wish.on_done)
    end
    self.tries = 0
    self:_submit(PRIORITY[wish.reason] or "automatic")
end

function Sync:_submit(priority)
    self.core.scheduler:submit({
        key = "sync",
        priority = priority,
        start = function(finish)
            self:_run(finish)
        end,
    })
end

--- Everything that is known on this reader.
-- @param wish `files`: more paths to look at; `rematch`: ask again what each of them is;
-- `on_progress(done, total, title)`; `on_done(result)`
function Sync:all(wish)
    local core = self.core
    for file, entry in pairs(core.books.index) do
        if entry.path then
            self.wanted[file] = entry.path
        end
    end
    self.on_progress = wish.on_progress
    self.rematch = wish.rematch
    local paths = wish.files or {}
    local at = 0
    -- Digests take twelve reads for each file: a few at a time, so that the reader stays awake to the person.
    local function some()
        for _ = 1, 10 do
            at = at + 1
            local path = paths[at]
            if not path then
                core.books.digests:save()
                self:now({
                    reason = "person",
                    on_done = function(result)
                        self.on_progress = nil
                        if wish.on_done then
                            wish.on_done(result)
                        end
                    end,
                })
                return
            end
            local file = core.books:identify(path)
            if file then
                self.wanted[file] = path
            end
        end
        core.later(0.05, some)
    end
    some()
end

-- Not of books that a person leaves out.
function Sync:_want(run, file, path)
    if not self.core.settings:is_left_out(file) then
        run.wanted[file] = run.wanted[file] or path
    end
end

function Sync:_run(finish)
    local core = self.core
    local run = {
        result = { sent = 0, refused = 0, unmatched = 0, given = 0, removed = 0, unplaced = 0, books = 0 },
        wanted = {},
        callbacks = self.waiting,
        rounds = 0,
        pulled = {},
        rematch = self.rematch,
        asked = {},
    }
    for file, path in pairs(self.wanted) do
        self:_want(run, file, path)
    end
    self.wanted, self.waiting, self.rematch = {}, {}, nil
    function run.over(err)
        run.result.error = err
        if err then
            -- The wishes stay for the next time.
            for file, path in pairs(run.wanted) do
                self.wanted[file] = self.wanted[file] or path
            end
            if err.class == "unpaired" and core.device:is_paired() then
                core.device:set({ unpaired = true })
            end
        end
        core:noted(err)
        local reader = core.reader()
        core.books:let_go(reader and reader.file)
        finish(err)
        self.tries = err and self.tries + 1 or 0
        if err and IS_PASSING[err.class] and self.tries <= TRIES and core.is_connected() then
            self:_submit("automatic") -- the scheduler makes it wait
        end
        for _, callback in ipairs(run.callbacks) do
            callback(run.result)
        end
    end
    if not core.device:is_paired() or core.device.record.unpaired then
        return run.over({ class = "unpaired" })
    end
    self:_hello(run)
end

-- Who we are, and whether the library has changed; once in a while.
function Sync:_hello(run)
    local core = self.core
    local now = core.clock()
    if self.greeted_at and math.abs(now - self.greeted_at) < HELLO_EVERY then
        return self:_match(run)
    end
    local body = core.about()
    core.server:ask({
        path = "hello",
        body = body,
        on_done = function(answer, err)
            if answer and answer.server ~= "bookwake" then
                answer, err = nil, { class = "foreign", message = "not Bookwake" }
            end
            if not answer then
                return run.over(err)
            end
            self.greeted_at = core.clock()
            core.greeting = answer
            if type(answer.limits) == "table" and type(answer.limits.operations) == "number" then
                self.most = math.max(1, math.min(Protocol.OPERATIONS, answer.limits.operations))
            end
            core.device:set({ library = answer.library and tostring(answer.library) or nil })
            return self:_match(run)
        end,
    })
end

-- Ask about files that nobody asked about, or that were of no book while the library was another.
function Sync:_match(run)
    local core = self.core
    local library = core.device.record.library
    local asked, paths = {}, {}
    local function consider(file, path)
        local record = core.books:record(file)
        local how = record.match and record.match.how
        local is_old = how == "none" and record.library ~= library
        local is_due = how == nil or is_old or run.rematch
        if not paths[file] and not run.asked[file] and is_due and #asked < MATCHES then
            run.asked[file] = true
            paths[file] = path or record.path or ""
            asked[#asked + 1] = core.describe(file, path or record.path)
        end
    end
    for file, path in pairs(run.wanted) do
        consider(file, path)
    end
    for _, operation in ipairs(core.outbox.operations) do
        if not core.settings:is_left_out(operation.file) then
            consider(operation.file, operation.path)
        end
    end
    if #asked == 0 then
        return self:_round(run)
    end
    core.server:ask({
        path = "match",
        body = { files = asked },
        on_done = function(answer, err)
            if answer and (type(answer.matches) ~= "table" or #answer.matches ~= #asked) then
                answer, err = nil, { class = "foreign", message = "matches are missing" }
            end
            if not answer then
                return run.over(err)
            end
            library = answer.library and tostring(answer.library) or library
            core.device:set({ library = library })
            for index, match in ipairs(answer.matches) do
                local file = asked[index].file
                if type(match) == "table" and match.file == file and type(match.how) == "string" then
                    core.books:matched(paths[file], match, file, library, true)
                end
            end
            core.books:save_index()
            if #asked == MATCHES then
                return self:_match(run)
            end
            return self:_round(run)
        end,
    })
end

function Sync:_pulls(run)
    local files = {}
    for file in pairs(run.wanted) do
        if not run.pulled[file] and #files < Protocol.PULLS then
            local how = self.core.books:how(file)
            if how and how ~= "none" then
                files[#files + 1] = file
            end
        end
    end
    table.sort(files)
    return files
end

function Sync:_round(run)
    local core = self.core
    run.rounds = run.rounds + 1
    local operations = core.outbox:take(self.most, function(operation)
        return Answers.may_be_sent(core, operation)
    end)
    local pulls = self:_pulls(run)
    local walks = not run.walked
    if run.rounds > ROUNDS or (#operations == 0 and #pulls == 0 and not walks) then
        return run.over(nil)
    end
    local text, sent = Protocol.sync(operations, pulls, core.json.encode, self.most, {
        clock = core.clock(),
        since = walks and (core.device.record.cursor or 0) or nil,
        ["until"] = walks and run["until"] or nil,
    })
    if #sent < #operations then
        pulls = {} -- they are worked out after the operations, so they come with the last of them
        text, sent = Protocol.sync(operations, pulls, core.json.encode, self.most, { clock = core.clock() })
        walks = false
    end
    core.server:ask({
        path = "sync",
        body = text,
        on_done = function(answer, err)
            local wrong = answer and Protocol.check(answer, sent, pulls)
            if wrong then
                answer, err = nil, { class = "foreign", message = wrong }
            end
            if not answer then
                return self:_failed(run, sent, err)
            end
            for index, operation in ipairs(sent) do
                Answers.operation(core, operation, answer.answers[index], run.result)
            end
            if walks then
                self:_changed(run, answer.changed)
            end
            for index, file in ipairs(pulls) do
                self:_pulled(run, file, answer.pulled[index])
            end
            if self.on_progress then
                self.on_progress(run.result.books, self:_count(run), run.title)
            end
            return self:_round(run)
        end,
    })
end

function Sync:_count(run)
    local count = 0
    for _ in pairs(run.wanted) do
        count = count + 1
    end
    return count
end

function Sync:_failed(run, sent, err)
    if err.class == "too-much" and #sent > 1 then
        self.most = math.max(1, math.floor(#sent / 2))
        return self:_round(run)
    elseif err.class == "too-much" and #sent == 1 then
        self.core.outbox:reject(sent[1], "too-large")
        run.result.refused = run.result.refused + 1
        return self:_round(run)
    end
    return run.over(err)
end

-- What was pulled for a file.
function Sync:_pulled(run, file, pulled)
    run.pulled[file] = true
    local record, counts = Answers.pulled(self.core, file, run.wanted[file], pulled)
    local result = run.result
    result.books = result.books + 1
    result.given = result.given + counts.placed
    result.removed = result.removed + counts.removed
    result.unplaced = result.unplaced + counts.unplaced
    run.title = record.match and record.match.book and record.match.book.title
    if pulled.more and counts.placed + counts.removed + counts.unplaced > 0 then
        run.pulled[file] = nil -- the others come when these were followed
    end
end

-- Books of which something changed: their files are pulled, too.
function Sync:_changed(run, changed)
    if type(changed) ~= "table" or type(changed.cursor) ~= "number" then
        run.walked = true
        return
    end
    for _, entry in ipairs(Answers.changed(self.core, changed)) do
        self:_want(run, entry.file, entry.path or "")
    end
    run["until"] = changed["until"]
    run.walked = changed.more ~= true
end

--- What a person says about many deletions that nobody was seen to make.
-- @param path of the open book; @param yes delete them everywhere; else the server gives them again
function Sync:confirm_deletions(path, yes)
    local reader = self.core.reader()
    if reader and reader.path == path then
        reader.confirm_deletions(yes)
        self:now({ file = path, reason = "person" })
    end
end

return Sync
