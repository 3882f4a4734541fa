--- Reads and writes KOReader's settings files as data: they are Lua source, and what comes from elsewhere is never run.
--
-- What `parse` understands is what KOReader writes (docs/reference/koreader.md 6.1): comments, `return`, tables,
-- strings, numbers, booleans, nil. Anything else, a call above all, is refused.
local LuaTable = {}

local DEEPEST = 60
local LARGEST = 8 * 1024 * 1024 -- bytes

local ESCAPES = { n = "\n", t = "\t", r = "\r", a = "\a", b = "\b", f = "\f", v = "\v" }

local Reader = {}
Reader.__index = Reader

function Reader:fail(what)
    local _, line = self.text:sub(1, self.at):gsub("\n", "")
    error({ message = what .. " in line " .. (line + 1) }, 0)
end

function Reader:skip()
    while true do
        local at = self.text:match("^%s+()", self.at)
        if at then
            self.at = at
        elseif self.text:sub(self.at, self.at + 1) == "--" then
            local long = self.text:match("^%-%-%[(=*)%[", self.at)
            if long then
                local _, stop = self.text:find("]" .. long .. "]", self.at, true)
                self.at = (stop or self:fail("an open comment")) + 1
            else
                self.at = (self.text:find("\n", self.at, true) or #self.text) + 1
            end
        else
            return
        end
    end
end

function Reader:take(text)
    self:skip()
    if self.text:sub(self.at, self.at + #text - 1) == text then
        self.at = self.at + #text
        return true
    end
end

function Reader:expect(text)
    if not self:take(text) then
        self:fail("no '" .. text .. "'")
    end
end

-- A quoted text as `%q` writes it, or by hand.
function Reader:quoted(quote)
    local pieces = {}
    self.at = self.at + 1
    while true do
        local stop = self.text:find("[\\\n" .. quote .. "]", self.at)
        if not stop then
            self:fail("an open text")
        end
        pieces[#pieces + 1] = self.text:sub(self.at, stop - 1)
        local found = self.text:sub(stop, stop)
        if found == quote then
            self.at = stop + 1
            return table.concat(pieces)
        elseif found == "\n" then
            self:fail("an open text")
        end
        local digits = self.text:match("^%d%d?%d?", stop + 1)
        local letter = self.text:sub(stop + 1, stop + 1)
        if digits then
            if tonumber(digits) > 255 then
                self:fail("an escape too large")
            end
            pieces[#pieces + 1] = string.char(tonumber(digits))
            self.at = stop + 1 + #digits
        elseif letter == "\r" and self.text:sub(stop + 2, stop + 2) == "\n" then
            pieces[#pieces + 1] = "\n"
            self.at = stop + 3
        elseif letter == "" or letter:match("[%w]") and not ESCAPES[letter] then
            self:fail("an unknown escape")
        else
            pieces[#pieces + 1] = ESCAPES[letter] or letter
            self.at = stop + 2
        end
    end
end

function Reader:long_quoted(level)
    local from = self.at + #level + 2
    local stop, last = self.text:find("]" .. level .. "]", from, true)
    if not stop then
        self:fail("an open text")
    end
    self.at = last + 1
    return (self.text:sub(from, stop - 1):gsub("^\r?\n", ""))
end

-- A value that is no table; `found` is false where there is none.
function Reader:scalar()
    self:skip()
    local first = self.text:sub(self.at, self.at)
    if first == '"' or first == "'" then
        return true, self:quoted(first)
    end
    local level = self.text:match("^%[(=*)%[", self.at)
    if level then
        return true, self:long_quoted(level)
    end
    local word = self.text:match("^[%a_][%w_]*", self.at)
    if word == "true" or word == "false" or word == "nil" then
        self.at = self.at + #word
        if word == "nil" then
            return true, nil
        end
        return true, word == "true"
    end
    local digits = self.text:match("^%-?%s*0[xX]%x+", self.at)
        or self.text:match("^%-?%s*%d+%.?%d*[eE][%+%-]?%d+", self.at)
        or self.text:match("^%-?%s*%d*%.?%d+", self.at)
        or self.text:match("^%-?%s*%d+%.?", self.at)
    if digits then
        self.at = self.at + #digits
        local number = tonumber((digits:gsub("%s", "")))
        if not number or self.text:match("^[%w_]", self.at) then
            self:fail("a strange number")
        end
        return true, number
    end
    return false
end

function Reader:value(depth)
    if depth > DEEPEST then
        self:fail("too many tables in each other")
    end
    if self:take("{") then
        return self:table(depth + 1)
    end
    local found, value = self:scalar()
    if not found then
        self:fail("something that is no data")
    end
    return value
end

function Reader:table(depth)
    local result, count = {}, 0
    while not self:take("}") do
        local key
        self:skip()
        local name, behind = self.text:match("^([%a_][%w_]*)%s*()=[^=]", self.at)
        if name then
            self.at = behind + 1
            key = name
        elseif self.text:match("^%[[^%[=]", self.at) then
            self.at = self.at + 1
            local found, value = self:scalar()
            if not found or value == nil or value ~= value then
                self:fail("a strange key")
            end
            self:expect("]")
            self:expect("=")
            key = value
        else
            count = count + 1
            key = count
        end
        result[key] = self:value(depth)
        if not self:take(",") and not self:take(";") then
            self:expect("}")
            break
        end
    end
    return result
end

--- The table that a settings file would return, or nil and why it is not plain data.
function LuaTable.parse(text)
    if #text > LARGEST then
        return nil, "too large"
    end
    local reader = setmetatable({ text = text, at = 1 }, Reader)
    local ok, result = pcall(function()
        reader:expect("return")
        reader:expect("{")
        local value = reader:table(1)
        reader:take(";")
        reader:skip()
        if reader.at <= #text then
            reader:fail("something behind the table")
        end
        return value
    end)
    if ok then
        return result
    end
    return nil, type(result) == "table" and result.message or tostring(result)
end

local function ordered(t)
    local keys = {}
    for key in pairs(t) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        local one, two = type(a), type(b)
        if one ~= two then
            return one < two
        elseif one == "boolean" then
            return a and not b
        end
        return a < b
    end)
    return keys
end

local function number(value)
    if value ~= value or value == math.huge or value == -math.huge then
        return "0" -- would be read as an unknown name
    end
    local short = string.format("%.14g", value)
    return tonumber(short) == value and short or string.format("%.17g", value)
end

local function write(value, out, indent)
    local kind = type(value)
    if kind == "table" then
        out[#out + 1] = "{"
        for _, key in ipairs(ordered(value)) do
            out[#out + 1] = "\n" .. ("    "):rep(indent + 1) .. "["
            write(key, out, indent + 1)
            out[#out + 1] = "] = "
            write(value[key], out, indent + 1)
            out[#out + 1] = ","
        end
        if next(value) ~= nil then
            out[#out + 1] = "\n" .. ("    "):rep(indent)
        end
        out[#out + 1] = "}"
    elseif kind == "string" then
        out[#out + 1] = string.format("%q", value)
    elseif kind == "number" then
        out[#out + 1] = number(value)
    elseif kind == "boolean" then
        out[#out + 1] = tostring(value)
    else
        error("a " .. kind .. " is no data")
    end
end

--- A settings file with this table, as KOReader would write it. `path` goes into its first line.
function LuaTable.source(value, path)
    local out = { "-- ", (path:gsub("[%c]", "?")), "\nreturn " }
    write(value, out, 0)
    out[#out + 1] = "\n"
    return table.concat(out)
end

return LuaTable
