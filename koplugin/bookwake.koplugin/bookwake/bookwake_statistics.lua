--- Reads KOReader's reading statistics, row by row, and knows what the server already has.
--
-- The database is the queue: a cursor says up to which row everything was sent. A cursor alone misses rows: numbers of
-- deleted rows are used again, KOReader's own merge brings in old rows, a repair renumbers all
-- (docs/reference/koreader.md 3.15). So for each block of rows a sum is kept of what the server has; where it is
-- another now, the block is sent again. The blocks of the last two days of reading are looked at each time, all of
-- them once a month, and when rows are gone. The server counts a row that it has as a duplicate.
local SQ3 = require("lua-ljsqlite3/init")
local lfs = require("libs/libkoreader-lfs")

local Statistics = {}
Statistics.__index = Statistics

local STATE = "statistics.json"
local BLOCK = 10000 -- rows
local RECENT = 2 * 24 * 3600 -- seconds: where rows may come late
local MONTH = 30 * 24 * 3600

local SUM = [[
    SELECT COUNT(*), COALESCE(SUM(page), 0), COALESCE(SUM(start_time), 0), COALESCE(SUM(duration), 0),
           COALESCE(SUM(total_pages), 0), COALESCE(SUM(id_book * (start_time %% 9973)), 0)
    FROM page_stat_data WHERE rowid > %d AND rowid <= %d]]

local ROWS = [[
    SELECT d.rowid, b.md5, b.title, b.authors, d.page, d.start_time, d.duration, d.total_pages
    FROM page_stat_data d LEFT JOIN book b ON b.id = d.id_book
    WHERE d.rowid > ? AND d.rowid <= ? ORDER BY d.rowid LIMIT ?]]

local BLOCKS_OF = [[
    SELECT DISTINCT (d.rowid - 1) / %d FROM page_stat_data d JOIN book b ON b.id = d.id_book WHERE b.md5 = '%s']]

--- @param options `path`: of the database; `store`: bookwake_store; `clock`: seconds since 1970; `is_left_out`: a
-- function of a digest, true for a book of which nothing is to be sent
function Statistics.open(options)
    local self = setmetatable({ path = options.path, store = options.store, clock = options.clock }, Statistics)
    self.is_left_out = options.is_left_out
    self.state = self.store:read(STATE) or {}
    self.state.blocks = self.state.blocks or {}
    self.state.cursor = self.state.cursor or 0
    return self
end

--- Whether there are statistics at all.
function Statistics:exists()
    return lfs.attributes(self.path, "mode") == "file"
end

local function connect(self)
    local db = SQ3.open(self.path, "ro")
    if db.set_busy_timeout then
        db:set_busy_timeout(2000)
    end
    return db
end

-- Runs `work(db)` on the database; nil and the error if it cannot be read.
local function with(self, work)
    local db
    local ok, result = pcall(function()
        db = connect(self)
        return work(db)
    end)
    if db then
        db:close()
    end
    if not ok then
        return nil, tostring(result)
    end
    return result
end

local function sum(db, block, cursor)
    local from = block * BLOCK
    local parts = { db:rowexec(SUM:format(from, math.min(from + BLOCK, cursor))) }
    for i, part in ipairs(parts) do
        -- Integers come as 64 bits, which keep all their digits only as text.
        parts[i] = tostring(part):gsub("LL$", "")
    end
    return table.concat(parts, " ")
end

local function number(value)
    return tonumber(value) or 0
end

--- Looks at what there is. Returns the number of rows that are to be sent, or nil and an error.
function Statistics:begin()
    return with(self, function(db)
        local state = self.state
        local version = number(db:rowexec("PRAGMA user_version"))
        local count = number(db:rowexec("SELECT COUNT(*) FROM page_stat_data"))
        local last = number(db:rowexec("SELECT MAX(rowid) FROM page_stat_data"))
        local now = self.clock()
        local is_full = version ~= state.user_version
            or count < (state.count or 0)
            or last < state.cursor
            or math.abs(now - (state.checked_at or 0)) > MONTH
        state.cursor = math.min(state.cursor, last)
        self.again = {}
        self.last = last
        local blocks = {}
        if is_full then
            for block = 0, math.floor(math.max(state.cursor - 1, 0) / BLOCK) do
                table.insert(blocks, block)
            end
            state.checked_at, state.user_version = now, version
        else
            local recent = db:exec(
                ("SELECT DISTINCT (rowid - 1) / %d FROM page_stat_data WHERE start_time > %d AND rowid <= %d"):format(
                    BLOCK,
                    (state.newest or 0) - RECENT,
                    state.cursor
                )
            )
            for _, block in ipairs(recent and recent[1] or {}) do
                table.insert(blocks, number(block))
            end
            table.sort(blocks)
        end
        local left = last - state.cursor
        for _, block in ipairs(blocks) do
            if state.cursor > 0 and sum(db, block, state.cursor) ~= state.blocks[tostring(block)] then
                table.insert(self.again, { block = block, at = block * BLOCK })
                left = left + math.min(BLOCK, state.cursor - block * BLOCK)
            end
        end
        state.count = count
        return left
    end)
end

--- The next rows, at most `limit`: `{books = {{file, title, authors}…}, rows = {{book, page, start, seconds, pages}…}}`
-- as the server wants them, and what `acknowledge` needs. Nil when all was sent; nil and an error if it cannot be read.
function Statistics:page(limit)
    return with(self, function(db)
        local state = self.state
        local again = self.again[1]
        local from = again and again.at or state.cursor
        local to = again and math.min((again.block + 1) * BLOCK, state.cursor) or self.last
        -- A page does not go over the end of a block, so that sums are of whole blocks.
        if not again then
            to = math.min(to, (math.floor(from / BLOCK) + 1) * BLOCK)
        end
        local page = { books = {}, rows = {}, nameless = 0, again = again, newest = 0, reached = to }
        local indices = {}
        local statement = db:prepare(ROWS)
        statement:reset():bind(from, to, limit)
        local read = 0
        local row = statement:step({})
        while row do
            read = read + 1
            local md5 = row[2]
            local is_named = type(md5) == "string" and md5:match("^%x+$") and #md5 == 32
            if is_named and not self.is_left_out(md5:lower()) then
                local title, authors = row[3] or "", row[4] or ""
                local key = md5 .. "\0" .. title .. "\0" .. authors
                if not indices[key] then
                    table.insert(page.books, {
                        file = md5:lower(),
                        title = title ~= "" and title or nil,
                        authors = authors ~= "" and authors ~= "N/A" and authors or nil,
                    })
                    indices[key] = #page.books - 1
                end
                local start = number(row[6])
                table.insert(page.rows, { indices[key], number(row[5]), start, number(row[7]), number(row[8]) })
                page.newest = math.max(page.newest, start)
            elseif not is_named then
                page.nameless = page.nameless + 1 -- of no file that anybody could find
            end
            if read == limit then
                page.reached = number(row[1])
            end
            row = statement:step({})
        end
        statement:close()
        page.read = read
        if not again and page.reached <= state.cursor then
            return nil
        end
        return page
    end)
end

--- The server has these rows: what was sent before a page is never sent for nothing again.
function Statistics:acknowledge(page)
    local state = self.state
    local done, err = with(self, function(db)
        local again = page.again
        if again then
            again.at = page.reached
            if again.at >= math.min((again.block + 1) * BLOCK, state.cursor) then
                table.remove(self.again, 1)
                state.blocks[tostring(again.block)] = sum(db, again.block, state.cursor)
            end
        else
            state.cursor = page.reached
            -- A clock that was years ahead would hide what comes after it.
            state.newest = math.max(state.newest or 0, math.min(page.newest, self.clock()))
            local block = math.floor((page.reached - 1) / BLOCK)
            state.blocks[tostring(block)] = sum(db, block, state.cursor)
        end
        return true
    end)
    if not done then
        return nil, err
    end
    return self.store:write(STATE, state)
end

--- Rows up to the end are known to the server: those that came from it.
function Statistics:skip_to_end()
    local done, err = with(self, function(db)
        local state = self.state
        local last = number(db:rowexec("SELECT MAX(rowid) FROM page_stat_data"))
        local first = math.floor(math.max(state.cursor - 1, 0) / BLOCK)
        state.cursor = last
        for block = first, math.floor(math.max(last - 1, 0) / BLOCK) do
            state.blocks[tostring(block)] = sum(db, block, last)
        end
        state.count = number(db:rowexec("SELECT COUNT(*) FROM page_stat_data"))
        return true
    end)
    if not done then
        return nil, err
    end
    return self.store:write(STATE, self.state)
end

--- A book that was left out is not any more: what was passed over is sent with the next look at all blocks.
function Statistics:forget(file)
    if not self:exists() then
        return true
    end
    local found, err = with(self, function(db)
        return db:exec(BLOCKS_OF:format(BLOCK, file)) or {}
    end)
    if not found then
        return nil, err
    end
    for _, block in ipairs(found[1] or {}) do
        self.state.blocks[tostring(number(block))] = nil
    end
    self.state.checked_at = nil
    return self.store:write(STATE, self.state)
end

return Statistics
