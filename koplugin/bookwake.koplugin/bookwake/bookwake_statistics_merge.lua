--- Puts the reading time of a person's other devices into KOReader's statistics, if the person asked for that.
--
-- Only while no book is open (KOReader writes this database then), only into a schema that is known, after a copy of
-- the file, in one transaction, and after everything of our own was sent: so what comes is not sent back.
local SQ3 = require("lua-ljsqlite3/init")
local ffiutil = require("ffi/util")

local Merge = {}

local KNOWN = 20221111 -- of `PRAGMA user_version`
local MOST = 200 -- books in one go
local STATE = "statistics_received.json"

local function number(value)
    return tonumber(value) or 0
end

local function is_reading()
    return require("apps/reader/readerui").instance ~= nil
end

--- The books of the database that the server knows: list of `{file, id}`, the row that was opened last for each file.
local function books_of(core, db)
    local found = db:exec("SELECT md5, id FROM book WHERE md5 IS NOT NULL ORDER BY last_open DESC, id DESC")
    local list, seen = {}, {}
    for i, md5 in ipairs(found and found[1] or {}) do
        local how = not seen[md5] and not core.settings:is_left_out(md5) and core.books:how(md5)
        if how and how ~= "none" then
            table.insert(list, { file = md5, id = number(found[2][i]) })
        end
        seen[md5] = true
        if #list >= MOST then
            break
        end
    end
    return list
end

local function open(path, mode)
    local db = SQ3.open(path, mode)
    if db.set_busy_timeout then
        db:set_busy_timeout(2000)
    end
    return db
end

-- Asks for one book, all pages of it. `on_done(rows, after, err)`.
local function ask(core, file, after, on_done)
    local rows = {}
    local function next_page(from)
        core.server:ask({
            path = "statistics/others",
            body = { file = file, after = from, limit = 1000 },
            on_done = function(answer, err)
                if not answer or type(answer.rows) ~= "table" then
                    return on_done(nil, nil, err or { class = "foreign" })
                end
                for __, row in ipairs(answer.rows) do
                    table.insert(rows, row)
                end
                local reached = tonumber(answer.after) or from
                if answer.more and reached and reached ~= from then
                    return next_page(reached)
                end
                return on_done(rows, reached)
            end,
        })
    end
    next_page(after)
end

local function is_sound(row)
    for i = 1, 4 do
        local value = type(row) == "table" and row[i]
        if type(value) ~= "number" or value ~= math.floor(value) or value < 0 then
            return false
        end
    end
    return row[1] >= 1 and row[4] >= row[1] and row[3] <= 24 * 3600
end

--- Writes rows into the database. Returns how many were new, or nil and why.
-- @param received list of `{id, rows}`
function Merge.write(path, received)
    local copy = path .. ".bookwake"
    local problem = ffiutil.copyFile(path, copy .. ".tmp")
    if problem then
        return nil, tostring(problem)
    end
    os.rename(copy .. ".tmp", copy)
    local db
    local ok, result = pcall(function()
        db = open(path, "rw")
        if number(db:rowexec("PRAGMA user_version")) ~= KNOWN then
            error("this KOReader keeps its statistics in another way", 0)
        end
        db:exec("BEGIN IMMEDIATE")
        local before = number(db:rowexec("SELECT COUNT(*) FROM page_stat_data"))
        local insert = db:prepare("INSERT OR IGNORE INTO page_stat_data VALUES (?, ?, ?, ?, ?)")
        for __, of_book in ipairs(received) do
            for ___, row in ipairs(of_book.rows) do
                if is_sound(row) then
                    insert:reset():bind(of_book.id, row[1], row[2], row[3], row[4]):step()
                end
            end
        end
        insert:close()
        for __, of_book in ipairs(received) do
            db:exec(([[
                UPDATE book SET
                    total_read_pages = (SELECT COUNT(DISTINCT page) FROM page_stat WHERE id_book = %d),
                    total_read_time = (SELECT SUM(duration) FROM page_stat WHERE id_book = %d)
                WHERE id = %d]]):format(of_book.id, of_book.id, of_book.id))
        end
        db:exec("COMMIT")
        return number(db:rowexec("SELECT COUNT(*) FROM page_stat_data")) - before
    end)
    if db then
        if not ok then
            pcall(db.exec, db, "ROLLBACK")
        end
        db:close()
    end
    if not ok then
        return nil, tostring(result)
    end
    return result
end

--- Asks for what other devices counted, and writes it.
-- @param statistics a `bookwake_statistics` that has sent everything
-- @param on_done `(count, err)`: rows that are new here
function Merge.receive(core, statistics, on_done)
    if is_reading() or not statistics:exists() then
        return on_done(0)
    end
    local listed, books = pcall(function()
        local db = open(statistics.path, "ro")
        local found = books_of(core, db)
        db:close()
        return found
    end)
    if not listed then
        return on_done(nil, { class = "database", message = tostring(books) })
    end
    local state = core.store:read(STATE) or {}
    state.after = state.after or {}
    local received = {}

    local function write()
        if #received == 0 then
            return on_done(0)
        elseif is_reading() then
            return on_done(0) -- a book was opened meanwhile; the server gives it again
        end
        local count, why = Merge.write(statistics.path, received)
        if not count then
            return on_done(nil, { class = "database", message = why })
        end
        for __, of_book in ipairs(received) do
            state.after[of_book.file] = of_book.after
        end
        core.store:write(STATE, state)
        statistics:skip_to_end()
        return on_done(count)
    end

    local function next_book(at)
        local book = books[at]
        if not book then
            return write()
        end
        ask(core, book.file, state.after[book.file], function(rows, after, err)
            if not rows then
                -- What came so far is kept; the rest comes next time.
                write()
                return err
            elseif #rows > 0 then
                table.insert(received, { file = book.file, id = book.id, rows = rows, after = after })
            end
            return require("ui/uimanager"):nextTick(next_book, at + 1)
        end)
    end
    next_book(1)
end

return Merge
