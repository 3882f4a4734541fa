--- What a person can choose, with its defaults. Kept in `settings/bookwake.lua`, without any secret in it.
local Settings = {}
Settings.__index = Settings

Settings.DEFAULTS = {
    auto_sync = true,
    two_way = true, -- false: highlights only go up
    every_pages = 10, -- 0: not while reading
    newer = "silently", -- another device is further: "silently" (only right after opening), "ask" or "never"
    older = "ask", -- another device is further back
    send_history = true, -- what KOReader's statistics counted
    receive_history = false, -- what other devices counted, into KOReader's statistics
    backups = true, -- sidecars of closed books, when there is time
    check_updates = true,
    download_folder = "", -- "": KOReader's home folder
    download_layout = "series", -- a folder for each series; "flat": none; "template": the one below
    download_template = "{author}/{series} {volume:00} - {title}",
    download_format = "epub", -- or "kepub"
    left_out = {}, -- books of which nothing is sent or changed: paths by digest
}

local CHOICES = {
    newer = { silently = true, ask = true, never = true },
    older = { silently = true, ask = true, never = true },
    download_layout = { series = true, flat = true, template = true },
    download_format = { epub = true, kepub = true },
}

--- @param storage with KOReader's `readSetting`, `saveSetting`, `delSetting` and `flush`
function Settings.new(storage)
    return setmetatable({ storage = storage }, Settings)
end

--- The settings of this KOReader.
function Settings.open()
    local path = require("datastorage"):getSettingsDir() .. "/bookwake.lua"
    local settings = Settings.new(require("luasettings"):open(path))
    settings.file = path
    return settings
end

--- The value, or its default where nothing sensible is stored.
function Settings:get(name)
    local default = Settings.DEFAULTS[name]
    assert(default ~= nil, "no such setting: " .. tostring(name))
    local value = self.storage:readSetting(name)
    if type(value) ~= type(default) or (CHOICES[name] and not CHOICES[name][value]) then
        return default
    end
    return value
end

--- Stores at once: a reader's battery is out when it is out.
function Settings:set(name, value)
    assert(type(value) == type(Settings.DEFAULTS[name]), "wrong kind of value for " .. tostring(name))
    if value == Settings.DEFAULTS[name] then
        self.storage:delSetting(name)
    else
        self.storage:saveSetting(name, value)
    end
    self.storage:flush()
end

--- Whether a person wants nothing of a book to be sent, nor anything to be put there. @param file digest
function Settings:is_left_out(file)
    return self:get("left_out")[file] ~= nil
end

local function copied(files)
    local copy = {}
    for file, path in pairs(files) do
        copy[file] = path
    end
    return copy
end

--- @param file digest; @param path
function Settings:leave_out(file, path)
    local files = copied(self:get("left_out"))
    files[file] = path
    self:set("left_out", files)
end

--- Sync a book again. @return the digests that its file has had meanwhile
function Settings:take_back(file, path)
    local files, taken = copied(self:get("left_out")), {}
    for one, at in pairs(self:get("left_out")) do
        if one == file or at == path then
            files[one] = nil
            taken[#taken + 1] = one
        end
    end
    self:set("left_out", files)
    return taken
end

--- A book that is left out stays so when other bytes take the place of its file.
function Settings:found(file, path)
    if self:is_left_out(file) then
        return
    end
    for _, at in pairs(self:get("left_out")) do
        if at == path then
            return self:leave_out(file, path)
        end
    end
end

function Settings:toggle(name)
    self:set(name, not self:get(name))
end

return Settings
