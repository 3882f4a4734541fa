--- Puts a backed-up sidecar back: only for a closed book, after the present one was kept, and never as text that
-- would be run: what comes is read as data and written anew.
--
-- On the same device, for the same file, the whole sidecar comes back. What another device or another file had is only
-- added to: highlights that are missing here, a status, rating or review where there is none, a place where nobody has
-- been (docs/reference/koreader.md 6.2, 6.3). Fonts, margins and the like stay this device's own.
local DocSettings = require("docsettings")
local LuaTable = require("bookwake_lua_table")
local Sidecar = require("bookwake_sidecar")
local sha2 = require("ffi/sha2")
local _ = require("bookwake_gettext")
local util = require("util")

local Restore = {}

local LARGEST = 8 * 1024 * 1024

--- Keeps the present sidecar of a book on this reader. Returns the folder it is in, or nil if there was none.
function Restore.keep(core, path)
    local parts = Sidecar.parts(path)
    if #parts == 0 then
        return nil
    end
    local file = core.books:identify(path) or "unknown"
    local base = core.root .. "/backup/" .. file .. "-" .. os.date("%Y%m%d-%H%M%S")
    local folder = base
    for number = 2, 100 do
        if not core.files.exists(folder) then
            break
        end
        folder = base .. "-" .. number
    end
    core.files.make_dir(folder)
    for __, part in ipairs(parts) do
        local bytes = core.files.read(part.path, LARGEST)
        local ok, why = core.files.write(folder .. "/" .. part.name, bytes or "")
        if not bytes or not ok then
            return nil, why or "cannot read " .. part.name
        end
    end
    return folder
end

local function same_place(one, other)
    return one.page == other.page and one.pos0 == other.pos0 and one.pos1 == other.pos1
end

local function add_annotations(mine, theirs)
    local added = 0
    for __, item in ipairs(theirs) do
        local is_there = type(item) ~= "table" or (type(item.page) ~= type((mine[1] or item).page))
        for ___, own in ipairs(mine) do
            is_there = is_there or same_place(own, item)
        end
        if not is_there then
            table.insert(mine, item)
            added = added + 1
        end
    end
    return added
end

--- Adds to `mine` what `theirs` has and mine has not, of that which may go from one device to another.
function Restore.merge(mine, theirs)
    if type(theirs.annotations) == "table" then
        mine.annotations = type(mine.annotations) == "table" and mine.annotations or {}
        if add_annotations(mine.annotations, theirs.annotations) > 0 then
            mine.annotations_externally_modified = true -- KOReader sorts and numbers them
        end
    end
    if type(theirs.summary) == "table" then
        mine.summary = type(mine.summary) == "table" and mine.summary or {}
        for __, key in ipairs({ "status", "rating", "note", "modified" }) do
            if mine.summary[key] == nil then
                mine.summary[key] = theirs.summary[key]
            end
        end
    end
    -- A place without the version of the tree it names things in is read as a very old one.
    if mine.last_xpointer == nil and mine.last_page == nil and theirs.cre_dom_version then
        if mine.cre_dom_version == nil or mine.cre_dom_version == theirs.cre_dom_version then
            mine.last_xpointer, mine.cre_dom_version = theirs.last_xpointer, theirs.cre_dom_version
            mine.percent_finished = theirs.percent_finished
        end
    elseif mine.last_page == nil and theirs.last_page and mine.last_xpointer == nil then
        mine.last_page, mine.percent_finished = theirs.last_page, theirs.percent_finished
    end
    return mine
end

local function write_source(core, path, value)
    local source = LuaTable.source(value, path)
    -- KOReader deletes a sidecar that it cannot read, and the highlights with it.
    if not loadstring(source) then
        return nil, _("It could not be written in a form that KOReader reads.")
    end
    return core.files.write(path, source)
end

--- Writes parts into the place where this KOReader keeps sidecars now.
-- @param parts list of `{name, bytes}`
-- @param whole whether all comes back, or only what is missing is added
function Restore.write(core, path, parts, whole)
    local folder = DocSettings:getSidecarDir(path)
    local metadata = DocSettings.getSidecarFilename(path)
    local present, location = Sidecar.folder(path)
    local writes = {}
    for __, part in ipairs(parts) do
        local is_metadata = part.name:match("^metadata%.[^/]+%.lua$")
        if is_metadata or part.name == "custom_metadata.lua" then
            local value, why = LuaTable.parse(part.bytes)
            if not value then
                return nil, why
            end
            if is_metadata then
                if not whole then
                    local own = present and Sidecar.read(present .. "/" .. metadata) or {}
                    value = Restore.merge(own, value)
                end
                value.doc_path = path
                table.insert(writes, { name = metadata, value = value })
            elseif whole or not core.files.exists(folder .. "/" .. part.name) then
                table.insert(writes, 1, { name = part.name, value = value })
            end
        elseif part.name:match("^cover%.%w+$") and (whole or not core.files.exists(folder .. "/" .. part.name)) then
            table.insert(writes, 1, { name = part.name, bytes = part.bytes })
        end
    end
    core.files.make_dir(folder)
    for __, write in ipairs(writes) do
        local target = folder .. "/" .. write.name
        local ok, why
        if write.value then
            ok, why = write_source(core, target, write.value)
        else
            ok, why = core.files.write(target, write.bytes)
        end
        if not ok then
            return nil, tostring(why)
        end
    end
    -- In another place there may be one that KOReader would take for newer.
    if present and present ~= folder and location then
        for __, name in ipairs({ metadata, metadata .. ".old" }) do
            os.remove(present .. "/" .. name)
        end
        require("libs/libkoreader-lfs").rmdir(present)
    end
    local ok, BookList = pcall(require, "ui/widget/booklist")
    if ok then
        BookList.resetBookInfoCache(path)
    end
    return true
end

local function fetch_parts(core, backup, on_done)
    local parts = {}
    local folder = core.root .. "/restore"
    core.files.make_dir(folder)
    local function next_part(at)
        local part = backup.parts[at]
        if not part then
            return on_done(parts)
        elseif type(part.name) ~= "string" or part.name:find("[/\\%c]") or part.name:sub(1, 1) == "." then
            return on_done(nil, { class = "place", message = _("A part of it has a name that cannot be.") })
        elseif part.name:match("%.old") or part.name:match("%.annotations%.lua$") then
            return next_part(at + 1) -- KOReader makes these by itself
        end
        local to = folder .. "/part"
        core.server:fetch({
            path = "backups/" .. backup.backup .. "/parts/" .. util.urlEncode(part.name),
            to = to,
            most = LARGEST,
            on_done = function(_headers, err)
                if err then
                    return on_done(nil, err)
                end
                local bytes = core.files.read(to, LARGEST)
                os.remove(to)
                if not bytes or sha2.sha256(bytes) ~= part.sha256 then
                    return on_done(nil, { class = "place", message = _("What came is not what was backed up.") })
                end
                table.insert(parts, { name = part.name, bytes = bytes })
                return next_part(at + 1)
            end,
        })
    end
    next_part(1)
end

--- Restores a backup of the list that the server gave. `on_done(kept, err)`: the folder with what was there before, or
-- "" if there was nothing.
function Restore.run(core, path, backup, on_done)
    if Sidecar.is_open(path) then
        return on_done(nil, { class = "place", message = _("Close the book first.") })
    end
    core.server:ask({
        path = "backups/" .. backup.backup,
        on_done = function(answer, err)
            if not answer or type(answer.parts) ~= "table" then
                return on_done(nil, err or { class = "foreign" })
            end
            answer.backup = backup.backup
            return fetch_parts(core, answer, function(parts, problem)
                if not parts then
                    return on_done(nil, problem)
                elseif Sidecar.is_open(path) then
                    return on_done(nil, { class = "place", message = _("Close the book first.") })
                end
                local kept, why = Restore.keep(core, path)
                if why then
                    return on_done(nil, { class = "place", message = why })
                end
                local ok, reason = Restore.write(core, path, parts, backup.here == true)
                if not ok then
                    return on_done(nil, { class = "place", message = reason })
                end
                return on_done(kept or "")
            end)
        end,
    })
end

return Restore
