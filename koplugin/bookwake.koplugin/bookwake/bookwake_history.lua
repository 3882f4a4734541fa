--- Sends the reading history, page by page; what was sent stays sent, so it can be interrupted anywhere.
local Statistics = require("bookwake_statistics")

local History = {}

local MOST = 1000 -- rows in a request (docs/plugin-protocol.md)
local LEAST = 10

--- Where KOReader keeps its statistics.
function History.path()
    return require("datastorage"):getSettingsDir() .. "/statistics.sqlite3"
end

--- The reader of this KOReader's statistics.
function History.statistics(core)
    return Statistics.open({
        path = History.path(),
        store = core.store,
        clock = os.time,
        is_left_out = function(file)
            return core.settings:is_left_out(file)
        end,
    })
end

--- Sends what the server does not have.
-- @param core `store`, `server`, `device`
-- @param options `on_progress(done, total)`; `on_done{error, sent, new, duplicate, refused, doubted, nameless}`
function History.send(core, options)
    local result = { sent = 0, new = 0, duplicate = 0, refused = 0, doubted = 0, nameless = 0 }
    local statistics = History.statistics(core)
    local limit = MOST
    if not statistics:exists() then
        return options.on_done(result)
    end
    local left, why = statistics:begin()
    if not left then
        result.error = { class = "database", message = why }
        return options.on_done(result)
    end
    local done = 0
    local next_page

    local function ask(page)
        core.server:ask({
            path = "statistics",
            body = { books = page.books, rows = page.rows },
            on_done = function(answer, err)
                if err and err.class == "too-much" and limit > LEAST then
                    limit = math.max(LEAST, math.floor(limit / 2))
                    return next_page()
                elseif not answer or not tonumber(answer.new) then
                    result.error = err or { class = "foreign" }
                    return options.on_done(result)
                end
                for __, name in ipairs({ "new", "duplicate", "refused", "doubted" }) do
                    result[name] = result[name] + (tonumber(answer[name]) or 0)
                end
                result.sent = result.sent + #page.rows
                return page.acknowledged()
            end,
        })
    end

    function next_page()
        local page, err = statistics:page(limit)
        if not page then
            if err then
                result.error = { class = "database", message = err }
            end
            return options.on_done(result)
        end
        function page.acknowledged()
            local ok, problem = statistics:acknowledge(page)
            if not ok then
                result.error = { class = "database", message = problem }
                return options.on_done(result)
            end
            result.nameless = result.nameless + page.nameless
            done = done + page.read
            if options.on_progress then
                options.on_progress(math.min(done, left), left)
            end
            return require("ui/uimanager"):nextTick(next_page)
        end
        if #page.rows == 0 then
            return page.acknowledged()
        end
        return ask(page)
    end
    next_page()
end

--- Has KOReader write what it still keeps in memory of the open book.
function History.flush(ui)
    if ui and ui.statistics and ui.statistics.insertDB then
        pcall(ui.statistics.insertDB, ui.statistics)
    end
end

--- Sends, and then takes what other devices counted, if `receive` is set and nothing failed.
function History.exchange(core, options)
    History.send(core, {
        on_progress = options.on_progress,
        on_done = function(result)
            if result.error or not options.receive then
                return options.on_done(result)
            end
            require("bookwake_statistics_merge").receive(core, History.statistics(core), function(count, err)
                result.received = count or 0
                result.error = err
                options.on_done(result)
            end)
        end,
    })
end

return History
