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
    left_out = {}, -- digests of books of which nothing is sent or changed, each true
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

--- Whether a person wants nothing of a book to be sent, nor anything to be put there.
function Settings:is_left_out(file)
    return self:get("left_out")[file] == true
end

--- @param file digest; @param yes leave it out; else sync it again
function Settings:leave_out(file, yes)
    local files = {}
    for one in pairs(self:get("left_out")) do
        files[one] = true
    end
    files[file] = yes and true or nil
    self:set("left_out", files)
end

function Settings:toggle(name)
    self:set(name, not self:get(name))
end

return Settings
