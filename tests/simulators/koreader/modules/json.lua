-- KOReader's slow JSON: it raises errors, and null becomes a function.
local cjson = require("cjson")

local function null() end

local function swap(value)
    if value == cjson.null then
        return null
    elseif type(value) == "table" then
        for k, v in pairs(value) do
            value[k] = swap(v)
        end
    end
    return value
end

return {
    null = null,
    encode = function(value)
        return cjson.encode(value)
    end,
    decode = function(text)
        return swap(cjson.decode(text))
    end,
}
