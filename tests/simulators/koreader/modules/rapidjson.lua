-- rapidjson by cjson, which keeps its two traps: null is a truthy userdata, an empty table an object.
local cjson = require("cjson")

local rapidjson = { null = cjson.null }

function rapidjson.encode(value)
    return cjson.encode(value)
end

function rapidjson.decode(text)
    local ok, value = pcall(cjson.decode, text)
    if ok then
        return value
    end
    return nil, value
end

local is_array = {}

function rapidjson.array(t)
    return setmetatable(t or {}, is_array)
end

function rapidjson.object(t)
    return t or {}
end

return rapidjson
