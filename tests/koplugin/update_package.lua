--- For specs of updates: packages as the server makes them, with a small build inside.
local koreader = require("koreader")

local update_package = { code = koreader.plugin .. "/bookwake/" }

local function u16(value)
    return string.char(value % 256, math.floor(value / 256))
end

local function u32(value)
    return u16(value % 65536) .. u16(math.floor(value / 65536))
end

--- A zip archive of stored entries.
local function zip(files)
    local names = {}
    for name in pairs(files) do
        table.insert(names, name)
    end
    table.sort(names)
    local body, directory = {}, {}
    local at = 0
    for _, name in ipairs(names) do
        local size = u32(#files[name])
        local common = u16(20) .. u16(0) .. u16(0) .. u32(0) .. u32(0) .. size .. size .. u16(#name) .. u16(0)
        local entry = "PK\3\4" .. common .. name .. files[name]
        table.insert(body, entry)
        table.insert(directory, "PK\1\2" .. u16(20) .. common .. u16(0) .. u16(0) .. u16(0) .. u32(0) .. u32(at) .. name) -- luacheck: ignore 631
        at = at + #entry
    end
    local index = table.concat(directory)
    local tail = "PK\5\6" .. u32(0) .. u16(#names) .. u16(#names) .. u32(#index) .. u32(at) .. u16(0)
    return table.concat(body) .. index .. tail
end

function update_package.read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

--- A small build that confirms itself after a minute, as ours does.
update_package.PLUGIN = [[
    local Plugin = require("ui/widget/container/widgetcontainer"):extend({ name = "bookwake" })
    function Plugin:init()
        self.version = require("bookwake_version")
        require("ui/uimanager"):scheduleIn(60, function() require("bookwake_update").confirm() end)
    end
    return Plugin]]

--- @param changes files of the build by name, false for one that is to be missing
-- @return the bytes of the archive
function update_package.of(version, changes)
    local read, code = update_package.read, update_package.code
    local files = {
        ["bookwake_version.lua"] = ('return "%s"\n'):format(version),
        ["bookwake_plugin.lua"] = update_package.PLUGIN,
        ["bookwake_update.lua"] = read(code .. "bookwake_update.lua"),
        ["bookwake_zip.lua"] = read(code .. "bookwake_zip.lua"),
        ["bookwake_gettext.lua"] = read(code .. "bookwake_gettext.lua"),
    }
    for name, text in pairs(changes or {}) do
        files[name] = text or nil
    end
    local inside = { ["bookwake.koplugin/main.lua"] = "error('the shim is never replaced')" }
    for name, text in pairs(files) do
        inside["bookwake.koplugin/bookwake/" .. name] = text
    end
    return zip(inside)
end

return update_package
