-- Sidecars: three places, the newest is run, the broken ones are deleted (koreader.md 6.1).
local DataStorage = require("datastorage")
local LuaSettings = require("luasettings")
local dump = require("dump")
local lfs = require("lfs")
local util = require("util")

local DocSettings = LuaSettings:extend({})

local PLACES = { doc = { "doc", "dir", "hash" }, dir = { "dir", "doc", "hash" }, hash = { "hash", "doc", "dir" } }

local function is_file(path)
    return lfs.attributes(path, "mode") == "file"
end

local function preferred()
    return G_reader_settings:readSetting("document_metadata_folder") or "doc"
end

function DocSettings:getSidecarDir(path, location)
    if path == nil or path == "" then
        return ""
    end
    location = location or preferred()
    local stem = path:match("(.*)%.") or path
    if location == "dir" then
        stem = DataStorage:getDocSettingsDir() .. stem
    elseif location == "hash" then
        local hash = util.partialMD5(path)
        if hash then
            stem = DataStorage:getDocSettingsHashDir() .. "/" .. hash:sub(1, 2) .. "/" .. hash
        end
    end
    return stem .. ".sdr"
end

function DocSettings.getSidecarFilename(path)
    return "metadata." .. (path:match(".*%.(.+)") or "_") .. ".lua"
end

function DocSettings:findSidecarFile(path)
    if path == nil or path == "" then
        return nil
    end
    for _, location in ipairs(PLACES[preferred()]) do
        local file = self:getSidecarDir(path, location) .. "/" .. DocSettings.getSidecarFilename(path)
        if is_file(file) then
            return file, location
        end
    end
end

function DocSettings:hasSidecarFile(path)
    return self:findSidecarFile(path) ~= nil
end

function DocSettings:open(path)
    local new = DocSettings:extend({ sidecar_filename = DocSettings.getSidecarFilename(path), data = {} })
    local candidates = {}
    for place, location in ipairs(PLACES[preferred()]) do
        local file = self:getSidecarDir(path, location) .. "/" .. new.sidecar_filename
        for old, name in ipairs({ file, file .. ".old" }) do
            if is_file(name) then
                local changed = lfs.attributes(name, "modification")
                table.insert(candidates, { path = name, changed = changed, order = place * 2 + old })
            end
        end
    end
    table.sort(candidates, function(a, b)
        if a.changed == b.changed then
            return a.order < b.order
        end
        return a.changed > b.changed
    end)
    for _, candidate in ipairs(candidates) do
        local ok, stored = pcall(dofile, candidate.path)
        if ok and type(stored) == "table" and next(stored) ~= nil then
            new.data = stored
            new.source_candidate = candidate.path
            break
        end
        os.remove(candidate.path)
    end
    new.candidates = candidates
    new.data.doc_path = path
    return new
end

function DocSettings.openSettingsFile(file)
    local ok, stored = false, nil
    if file then
        ok, stored = pcall(dofile, file)
    end
    return DocSettings:extend({ data = ok and type(stored) == "table" and stored or {}, sidecar_file = file })
end

--- Writes to the place the person chose and removes what lies in the others.
function DocSettings:flush(data)
    data = data or self.data
    local directory = self:getSidecarDir(data.doc_path)
    util.makePath(directory)
    local file = directory .. "/" .. self.sidecar_filename
    self:backup(file)
    if util.writeToFile(dump(data), file, true, true) then
        for _, candidate in ipairs(self.candidates or {}) do
            if candidate.path ~= file and candidate.path ~= file .. ".old" then
                os.remove(candidate.path)
                lfs.rmdir((candidate.path:gsub("/[^/]*$", "")))
            end
        end
        return directory
    end
end

function DocSettings:findCustomMetadataFile(path)
    for _, location in ipairs(PLACES[preferred()]) do
        local file = self:getSidecarDir(path, location) .. "/custom_metadata.lua"
        if is_file(file) then
            return file
        end
    end
end

function DocSettings:findCustomCoverFile(path)
    for _, location in ipairs(PLACES[preferred()]) do
        local directory = self:getSidecarDir(path, location)
        if lfs.attributes(directory, "mode") == "directory" then
            for name in lfs.dir(directory) do
                if name:match("^cover%.") then
                    return directory .. "/" .. name
                end
            end
        end
    end
end

function DocSettings.findSidecarFilesInHashLocation()
    local found = {}
    util.findFiles(DataStorage:getDocSettingsHashDir(), function(path, name)
        if name:match("^metadata%..+%.lua$") then
            table.insert(found, { path })
        end
    end)
    return found
end

function DocSettings.isHashLocationEnabled()
    return lfs.attributes(DataStorage:getDocSettingsHashDir(), "mode") == "directory"
end

return DocSettings
