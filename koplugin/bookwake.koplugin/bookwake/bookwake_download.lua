--- Downloads books: those that are here are left alone, a file is in its place only when it is whole, and what came is
-- known as that book at once.
local FileName = require("bookwake_filename")
local _ = require("bookwake_gettext")
local lfs = require("libs/libkoreader-lfs")
local util = require("util")

local Download = {}

local SUFFIX = { epub = ".epub", kepub = ".kepub.epub" }

local function is_folder(path)
    return type(path) == "string" and path ~= "" and lfs.attributes(path, "mode") == "directory"
end

--- The folder of downloads: the chosen one, else KOReader's home, its downloads, the last one looked at.
function Download.folder(settings)
    local places = { settings:get("download_folder") }
    for __, key in ipairs({ "home_dir", "download_dir", "lastdir" }) do
        table.insert(places, G_reader_settings:readSetting(key) or "")
    end
    for __, place in ipairs(places) do
        if is_folder(place) then
            return (place:gsub("(.)/+$", "%1"))
        end
    end
    return require("datastorage"):getFullDataDir()
end

--- The path of a book below that folder, without a suffix.
function Download.name(settings, book)
    local layout = settings:get("download_layout")
    local template = layout == "flat" and FileName.FLAT
        or layout == "template" and settings:get("download_template")
        or FileName.SERIES
    return FileName.of(template, book)
end

--- The file of a book that is there for this reader: the wanted format, else the other.
function Download.file_of(book, format)
    local other
    for __, file in ipairs(type(book.files) == "table" and book.files or {}) do
        if file.format == format then
            return file
        elseif SUFFIX[file.format] then
            other = other or file
        end
    end
    return other
end

--- Where a book is on this reader, by what is known of it and not by its name; nil if it is not.
function Download.present(plugin, book)
    for __, known in ipairs(plugin.books:files_of(book.id)) do
        if known.path and lfs.attributes(known.path, "mode") == "file" then
            return known.path
        end
    end
end

local function free_bytes(folder)
    local ok, usage = pcall(util.diskUsage, folder)
    return ok and type(usage) == "table" and usage.available or nil
end

-- A place for a new file. `digest`: of the file that will be there; the same one may be there already.
local function place(plugin, book, file)
    local base = Download.folder(plugin.settings) .. "/" .. Download.name(plugin.settings, book)
    for number = 1, 100 do
        local path = base .. (number > 1 and " (" .. number .. ")" or "") .. SUFFIX[file.format]
        if not lfs.attributes(path, "mode") then
            return path
        elseif util.partialMD5(path) == file.file then
            return path, true
        end
    end
end

local function keep(plugin, book, file, path)
    return plugin.books:matched(path, { how = "exact", book = book }, file.file, plugin.device.record.library)
end

--- Downloads one book. `on_done(path, err, how)`: `how` is "here" if it was there before; `err` an error of the
-- server or `{class = "place", message}`.
function Download.one(plugin, book, on_progress, on_done)
    local here = Download.present(plugin, book)
    if here then
        return on_done(here, nil, "here")
    end
    local file = Download.file_of(book, plugin.settings:get("download_format"))
    if not file then
        return on_done(nil, { class = "place", message = _("The server has no file of it for KOReader.") })
    end
    local path, is_there = place(plugin, book, file)
    if is_there then
        keep(plugin, book, file, path)
        return on_done(path, nil, "here")
    end
    local folder = path and path:match("^(.*)/")
    if not path or not util.makePath(folder) then
        return on_done(nil, { class = "place", message = _("Its folder cannot be made.") })
    end
    local free = free_bytes(folder)
    if free and file.size and free < file.size + 16 * 1024 * 1024 then
        return on_done(nil, { class = "full", message = _("There is no room for it on this reader.") })
    end
    local part = path .. ".part"
    return plugin.server:fetch({
        path = "download/" .. book.id .. "?format=" .. file.format,
        to = part,
        on_progress = function(bytes)
            on_progress(bytes, file.size)
        end,
        on_done = function(_headers, err)
            if err then
                os.remove(part)
                return on_done(nil, err)
            elseif util.partialMD5(part) ~= file.file then
                os.remove(part)
                return on_done(nil, { class = "place", message = _("What came is not what the server has.") })
            elseif not os.rename(part, path) then
                os.remove(part)
                return on_done(nil, { class = "place", message = _("It could not be put into its folder.") })
            end
            keep(plugin, book, file, path)
            return on_done(path)
        end,
    })
end

-- After these the next book would fail the same way.
local ENDS = { offline = true, transport = true, foreign = true, unpaired = true, full = true, fork = true }

--- Downloads a list of books, one after the other.
-- `on_progress(number, total, book, bytes, size)`, `on_done{downloaded = {path…}, skipped = n, failed = {{book, err}…},
-- stopped}`. Returns a function that stops it before the next book.
function Download.all(plugin, books, on_progress, on_done)
    local result = { downloaded = {}, skipped = 0, failed = {} }
    local stopped = false
    plugin.scheduler:submit({
        key = "downloads",
        priority = "manual",
        start = function(finish)
            local function next_one(number)
                local book = books[number]
                if not book or stopped then
                    result.stopped = stopped or nil
                    finish()
                    return on_done(result)
                end
                on_progress(number, #books, book)
                Download.one(plugin, book, function(bytes, size)
                    on_progress(number, #books, book, bytes, size)
                end, function(path, err, how)
                    if err then
                        table.insert(result.failed, { book = book, err = err })
                        stopped = stopped or ENDS[err.class] or false
                    elseif how == "here" then
                        result.skipped = result.skipped + 1
                    else
                        table.insert(result.downloaded, path)
                    end
                    -- Not from within: a hundred books that are here would be a hundred calls deep.
                    return require("ui/uimanager"):nextTick(next_one, number + 1)
                end)
            end
            next_one(1)
        end,
    })
    return function()
        stopped = true
    end
end

return Download
