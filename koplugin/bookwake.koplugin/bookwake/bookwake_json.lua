--- JSON for the wire and for our own files: never a null, a NaN, or bytes that are not UTF-8.
--
-- KOReader's rapidjson and the cjson of the tests have the same two traps: a null decodes to a light userdata that
-- counts as true, and an empty table encodes as an object (docs/reference/koreader.md 3.12). The first is taken out
-- here, the second the server accepts.
local Text = require("bookwake_text")

local Json = {}

local DEEPEST = 40

local function clean(value, depth)
    local kind = type(value)
    if kind == "string" then
        return Text.utf8(value)
    elseif kind == "boolean" then
        return value
    elseif kind == "number" then
        if value ~= value or value == math.huge or value == -math.huge then
            return nil
        end
        return value
    elseif kind ~= "table" or depth > DEEPEST then
        return nil
    end
    local result = {}
    if #value > 0 then
        for i = 1, #value do
            result[#result + 1] = clean(value[i], depth + 1)
        end
    else
        for key, one in pairs(value) do
            result[Text.utf8(tostring(key))] = clean(one, depth + 1)
        end
    end
    return result
end

local function scrub(value, depth)
    if type(value) ~= "table" then
        local kind = type(value)
        if kind == "string" or kind == "number" or kind == "boolean" then
            return value
        end
        return nil -- null
    end
    if depth > DEEPEST then
        return nil
    end
    local result = {}
    if #value > 0 then
        for i = 1, #value do
            result[#result + 1] = scrub(value[i], depth + 1)
        end
    else
        for key, one in pairs(value) do
            result[key] = scrub(one, depth + 1)
        end
    end
    return result
end

--- @param codec a module with `encode` and `decode`: rapidjson, or cjson
function Json.new(codec)
    local json = {}

    --- The text of a table; a list stays a list. Fails only where the codec does.
    -- @return text, or nil and why
    function json.encode(value)
        local ok, text, err = pcall(codec.encode, clean(value, 1))
        if ok and type(text) == "string" then
            return text
        end
        return nil, tostring(ok and err or text)
    end

    --- The table that a text stands for, without its nulls.
    -- @return a table, or nil and why
    function json.decode(text)
        local ok, value, err = pcall(codec.decode, text)
        if not ok then
            return nil, tostring(value)
        end
        if type(value) ~= "table" then
            return nil, err and tostring(err) or "not an object"
        end
        return scrub(value, 1)
    end

    return json
end

return Json
