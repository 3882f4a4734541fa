--- Where KOReader keeps what it knows of a book, in each of its three ways, and which books it knows at all.
--
-- "doc": beside the book; "dir": in `docsettings/` under the book's path; "hash": in `hashdocsettings/` under its
-- digest (docs/reference/koreader.md 6.1). Nothing here changes a file.
local DataStorage = require("datastorage")
local DocSettings = require("docsettings")
local LuaTable = require("bookwake_lua_table")
local lfs = require("libs/libkoreader-lfs")
local util = require("util")

local Sidecar = {}

local LARGEST = 8 * 1024 * 1024 -- bytes of a part, as the server takes them
local DEEPEST = 12 -- folders below the home folder
local MOST = 20000 -- entries looked at

-- What ends so is no folder: a look at each of thousands of books would keep the reader waiting.
local IS_FILE = {}
for suffix in ("epub pdf mobi azw azw3 cbz cbr djvu fb2 zip txt html htm md rtf doc docx jpg jpeg png opf db lua old"):gmatch("%S+") do -- luacheck: ignore 631
    IS_FILE[suffix] = true
end

local function mode(path)
    return lfs.attributes(path, "mode")
end

--- The sidecar in use: its folder and "doc", "dir" or "hash". Nil for a book that was never opened.
function Sidecar.folder(path)
    local file, location = DocSettings:findSidecarFile(path)
    if not file then
        return nil
    end
    return file:match("^(.*)/[^/]*$"), location or "doc"
end

--- Whether a file in the folder is of this book: another format of the same title shares the folder.
local function is_of(name, metadata, book_name)
    return name == metadata
        or name == metadata .. ".old"
        or name:sub(1, #metadata + 8) == metadata .. ".old_dom"
        or name == "custom_metadata.lua"
        or name:match("^cover%.%w+$") ~= nil
        or name == book_name .. ".annotations.lua"
end

--- The files of a book's sidecar, the one with the metadata first: list of `{name, path, size, mtime}`.
function Sidecar.parts(path)
    local folder, location = Sidecar.folder(path)
    if not folder then
        return {}, nil
    end
    local metadata = DocSettings.getSidecarFilename(path)
    local book_name = path:match("[^/]*$")
    local parts = {}
    for name in lfs.dir(folder) do
        local about = is_of(name, metadata, book_name) and lfs.attributes(folder .. "/" .. name)
        if about and about.mode == "file" and about.size <= LARGEST then
            table.insert(parts, {
                name = name,
                path = folder .. "/" .. name,
                size = about.size,
                mtime = about.modification,
            })
        end
    end
    table.sort(parts, function(a, b)
        if (a.name == metadata) ~= (b.name == metadata) then
            return a.name == metadata
        end
        return a.name < b.name
    end)
    return parts, location
end

--- What a settings file says, read as data. Nil and why if it cannot be read so.
function Sidecar.read(path)
    local file, err = io.open(path, "rb")
    if not file then
        return nil, err
    end
    local text = file:read(LARGEST + 1) or ""
    file:close()
    return LuaTable.parse(text)
end

local function book_of(sidecar)
    local data = Sidecar.read(sidecar)
    local path = data and data.doc_path
    return type(path) == "string" and mode(path) == "file" and path or nil
end

--- Every book that was opened here and is still here: from the history, and from the sidecars in all three places.
function Sidecar.opened_books()
    local found, list = {}, {}
    local function add(path)
        if path and not found[path] and mode(path) == "file" then
            found[path] = true
            table.insert(list, path)
        end
    end
    for __, entry in ipairs(require("readhistory").hist or {}) do
        add(entry.file)
    end
    local looked = 0
    local function walk(folder, depth, see)
        if depth > DEEPEST or mode(folder) ~= "directory" then
            return
        end
        for name in lfs.dir(folder) do
            looked = looked + 1
            if looked > MOST then
                return
            end
            local path = folder .. "/" .. name
            local suffix = (name:match("%.(%w+)$") or ""):lower()
            -- No links: they can lead in a circle.
            if name:sub(1, 1) ~= "." and not IS_FILE[suffix] and lfs.symlinkattributes(path, "mode") == "directory" then
                if name:match("%.sdr$") then
                    see(path)
                else
                    walk(path, depth + 1, see)
                end
            end
        end
    end
    local function by_content(folder)
        for name in lfs.dir(folder) do
            if name:match("^metadata%..+%.lua$") then
                add(book_of(folder .. "/" .. name))
            end
        end
    end
    local function beside(folder)
        for name in lfs.dir(folder) do
            local suffix = name:match("^metadata%.(.+)%.lua$")
            if suffix then
                add(folder:gsub("%.sdr$", "") .. (suffix ~= "_" and "." .. suffix or ""))
            end
        end
    end
    walk(DataStorage:getDocSettingsDir(), 0, by_content)
    walk(DataStorage:getDocSettingsHashDir(), 0, by_content)
    local home = G_reader_settings:readSetting("home_dir")
    if type(home) == "string" then
        walk(home, 0, beside)
    end
    return list
end

--- Whether KOReader has this book open, by whatever path.
function Sidecar.is_open(path)
    local ReaderUI = require("apps/reader/readerui")
    local document = ReaderUI.instance and ReaderUI.instance.document
    if not document then
        return false
    end
    local realpath = require("ffi/util").realpath
    return document.file == path or realpath(document.file) == realpath(path)
end

--- The title in a sidecar, else the name of the file.
function Sidecar.title(path)
    local file = DocSettings:findSidecarFile(path)
    local data = file and Sidecar.read(file)
    local props = data and data.doc_props
    local title = type(props) == "table" and props.title
    return type(title) == "string" and title ~= "" and title or util.splitFileNameSuffix(path:match("[^/]*$"))
end

return Sidecar
