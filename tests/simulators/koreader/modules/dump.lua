-- A table as Lua source, keys in order, as KOReader's sidecars are written (koreader.md 6.1).
local function keys_of(t)
    local keys = {}
    for key in pairs(t) do
        table.insert(keys, key)
    end
    table.sort(keys, function(a, b)
        if type(a) == type(b) then
            return a < b
        end
        return type(a) == "number"
    end)
    return keys
end

local function write(value, out, indent)
    if type(value) == "table" then
        out[#out + 1] = "{"
        for _, key in ipairs(keys_of(value)) do
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
    elseif type(value) == "string" then
        out[#out + 1] = string.format("%q", value)
    else
        out[#out + 1] = tostring(value) -- a function or NaN is written, too, and cannot be read again
    end
end

return function(value)
    local out = {}
    write(value, out, 0)
    return table.concat(out)
end
