-- Archives since v2025.08. `close` forgets `err`, so it must be looked at before (koreader.md 3.16).
local zip_archive = require("zip_archive")

local Reader = {}
Reader.__index = Reader

function Reader:new()
    return setmetatable({ list = {} }, Reader)
end

function Reader:open(path)
    local entries, err = zip_archive.entries(path)
    self.err = not entries and err or nil
    self.list = entries or {}
    return entries and true or nil
end

function Reader:iterate()
    local at = 0
    return function()
        at = at + 1
        return self.list[at]
    end
end

function Reader:_find(key)
    for i, entry in ipairs(self.list) do
        if i == key or entry.path == key then
            return entry
        end
    end
end

function Reader:extractToMemory(key)
    local entry = self:_find(key)
    if not entry or entry.mode ~= "file" then
        return nil
    end
    local data, err = entry.read()
    self.err = err
    return data
end

function Reader:extractToPath(key, path)
    local data = self:extractToMemory(key)
    if not data then
        return false
    end
    require("util").makePath((path:gsub("/[^/]*$", "")))
    return require("util").writeToFile(data, path) == true
end

function Reader:close()
    self.err, self.list = nil, {}
end

return { Reader = Reader }
