-- SQLite with the interface of lua-ljsqlite3 on the real library: `exec` answers columns, integers are int64 cdata.
local ffi = require("ffi")

pcall(ffi.cdef, [[
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *vfs);
int sqlite3_close_v2(sqlite3 *db);
const char *sqlite3_errmsg(sqlite3 *db);
int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int length, sqlite3_stmt **statement, const char **tail);
int sqlite3_step(sqlite3_stmt *statement);
int sqlite3_reset(sqlite3_stmt *statement);
int sqlite3_finalize(sqlite3_stmt *statement);
int sqlite3_bind_int64(sqlite3_stmt *statement, int index, int64_t value);
int sqlite3_bind_double(sqlite3_stmt *statement, int index, double value);
int sqlite3_bind_text(sqlite3_stmt *statement, int index, const char *text, int length, void *destructor);
int sqlite3_bind_null(sqlite3_stmt *statement, int index);
int sqlite3_column_count(sqlite3_stmt *statement);
const char *sqlite3_column_name(sqlite3_stmt *statement, int column);
int sqlite3_column_type(sqlite3_stmt *statement, int column);
int64_t sqlite3_column_int64(sqlite3_stmt *statement, int column);
double sqlite3_column_double(sqlite3_stmt *statement, int column);
const char *sqlite3_column_text(sqlite3_stmt *statement, int column);
int sqlite3_column_bytes(sqlite3_stmt *statement, int column);
int sqlite3_busy_timeout(sqlite3 *db, int milliseconds);
]])
local sqlite = ffi.load("libsqlite3.so.0")

local ROW, DONE = 100, 101
local FLAGS = { ro = 1, rw = 2, rwc = 6 }

local Statement, Connection = {}, {}
Statement.__index, Connection.__index = Statement, Connection

local function check(db, code)
    if code ~= 0 and code ~= ROW and code ~= DONE then
        error("ljsqlite3[" .. code .. "] " .. ffi.string(sqlite.sqlite3_errmsg(db)), 0)
    end
    return code
end

local function value(statement, column)
    local kind = sqlite.sqlite3_column_type(statement, column)
    if kind == 1 then
        return sqlite.sqlite3_column_int64(statement, column)
    elseif kind == 2 then
        return sqlite.sqlite3_column_double(statement, column)
    elseif kind ~= 5 then
        local text = sqlite.sqlite3_column_text(statement, column)
        return ffi.string(text, sqlite.sqlite3_column_bytes(statement, column))
    end
end

function Statement:reset()
    sqlite.sqlite3_reset(self.handle)
    return self
end

function Statement:bind(...)
    for i = 1, select("#", ...) do
        local v = select(i, ...)
        if type(v) == "cdata" then
            check(self.db, sqlite.sqlite3_bind_int64(self.handle, i, v))
        elseif type(v) == "number" then
            check(self.db, sqlite.sqlite3_bind_double(self.handle, i, v))
        elseif v == nil then
            check(self.db, sqlite.sqlite3_bind_null(self.handle, i))
        else
            check(self.db, sqlite.sqlite3_bind_text(self.handle, i, v, #v, ffi.cast("void *", -1)))
        end
    end
    return self
end

--- The next row as a list, `nil` at the end.
function Statement:step(row)
    if check(self.db, sqlite.sqlite3_step(self.handle)) ~= ROW then
        return nil
    end
    row = row or {}
    for column = 0, sqlite.sqlite3_column_count(self.handle) - 1 do
        row[column + 1] = value(self.handle, column)
    end
    return row
end

function Statement:close()
    if self.handle then
        sqlite.sqlite3_finalize(self.handle)
        self.handle = nil
    end
end

function Connection:prepare(sql)
    local handle = ffi.new("sqlite3_stmt *[1]")
    check(self.db, sqlite.sqlite3_prepare_v2(self.db, sql, #sql, handle, nil))
    return setmetatable({ db = self.db, handle = handle[0] }, Statement)
end

--- Runs one or more statements. Rows come back as columns: `result[1][i]` is column 1 of row i; `nil` without rows.
function Connection:exec(sql)
    local pointer = ffi.cast("const char *", sql)
    local finish = pointer + #sql
    local result
    while pointer < finish do
        local handle, tail = ffi.new("sqlite3_stmt *[1]"), ffi.new("const char *[1]")
        check(self.db, sqlite.sqlite3_prepare_v2(self.db, pointer, tonumber(finish - pointer), handle, tail))
        pointer = tail[0]
        if handle[0] ~= nil then
            local statement = setmetatable({ db = self.db, handle = handle[0] }, Statement)
            local count = sqlite.sqlite3_column_count(handle[0])
            local rows = 0
            local columns = { [0] = {} }
            for column = 1, count do
                columns[column] = {}
                local name = ffi.string(sqlite.sqlite3_column_name(handle[0], column - 1))
                columns[0][column], columns[name] = name, columns[column]
            end
            local row = statement:step()
            while row do
                rows = rows + 1
                for column = 1, count do
                    columns[column][rows] = row[column]
                end
                row = statement:step()
            end
            statement:close()
            result = rows > 0 and columns or nil
        end
    end
    return result, result and #result[1] or 0
end

function Connection:rowexec(sql)
    local statement = self:prepare(sql)
    local row = statement:step()
    statement:close()
    if row then
        return unpack(row, 1, 32)
    end
end

function Connection:set_busy_timeout(milliseconds)
    sqlite.sqlite3_busy_timeout(self.db, milliseconds)
end

function Connection:close()
    if self.db then
        sqlite.sqlite3_close_v2(self.db)
        self.db = nil
    end
end

local SQ3 = {}

function SQ3.open(path, mode)
    local db = ffi.new("sqlite3 *[1]")
    local code = sqlite.sqlite3_open_v2(path, db, FLAGS[mode or "rwc"], nil)
    check(db[0], code)
    return setmetatable({ db = db[0] }, Connection)
end

return SQ3
