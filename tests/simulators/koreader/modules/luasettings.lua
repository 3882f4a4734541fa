-- Settings in a file of Lua source, which is run when it is read. The write is no atomic rename (koreader.md 3.13).
local dump = require("dump")
local lfs = require("lfs")

local LuaSettings = {}
LuaSettings.__index = LuaSettings

function LuaSettings:extend(o)
    self.__index = self
    return setmetatable(o or {}, self)
end

function LuaSettings:open(file)
    local new = self:extend({ file = file })
    for _, path in ipairs({ file, file .. ".old" }) do
        local ok, stored = pcall(dofile, path)
        if ok and type(stored) == "table" then
            new.data = stored
            return new
        end
    end
    new.data = {}
    return new
end

--- The default is stored, and what comes back is no copy.
function LuaSettings:readSetting(key, default)
    if default ~= nil and self.data[key] == nil then
        self.data[key] = default
    end
    return self.data[key]
end

function LuaSettings:saveSetting(key, value)
    self.data[key] = value
    return self
end

function LuaSettings:delSetting(key)
    self.data[key] = nil
    return self
end

function LuaSettings:has(key)
    return self.data[key] ~= nil
end

function LuaSettings:hasNot(key)
    return self.data[key] == nil
end

function LuaSettings:isTrue(key)
    return self.data[key] == true
end

function LuaSettings:isFalse(key)
    return self.data[key] == false
end

function LuaSettings:nilOrTrue(key)
    return self.data[key] == nil or self.data[key] == true
end

function LuaSettings:nilOrFalse(key)
    return self.data[key] == nil or self.data[key] == false
end

function LuaSettings:makeTrue(key)
    return self:saveSetting(key, true)
end

function LuaSettings:makeFalse(key)
    return self:saveSetting(key, false)
end

function LuaSettings:toggle(key)
    return self:saveSetting(key, not self.data[key])
end

function LuaSettings:flipNilOrTrue(key)
    return self:saveSetting(key, not self:nilOrTrue(key))
end

function LuaSettings:flipNilOrFalse(key)
    return self:saveSetting(key, self:nilOrFalse(key))
end

function LuaSettings:backup(file)
    file = file or self.file
    local changed = lfs.attributes(file, "modification")
    if changed and changed < os.time() - 60 then
        os.rename(file, file .. ".old")
        return true
    end
end

function LuaSettings:flush()
    if self.file then
        self:backup()
        require("util").writeToFile(dump(self.data), self.file, true, true)
    end
    return self
end

LuaSettings.close = LuaSettings.flush

function LuaSettings:purge()
    os.remove(self.file)
    return self
end

return LuaSettings
