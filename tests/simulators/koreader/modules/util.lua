-- KOReader's `util`, as far as plugins use it.
local ffiutil = require("ffi/util")
local lfs = require("lfs")

local util = {}

--- The first sample is at 0, because the shift by -2 is one by 30 (koreader.md 2.1).
function util.partialMD5(path)
    local file = path and io.open(path, "rb")
    if not file then
        return
    end
    local update = require("ffi/sha2").md5()
    for i = -1, 10 do
        file:seek("set", bit.lshift(1024, 2 * i))
        local sample = file:read(1024)
        if not sample then
            break
        end
        update(sample)
    end
    file:close()
    return update()
end

function util.splitFilePathName(file)
    if file == nil or file == "" then
        return "", ""
    elseif not file:find("/") then
        return "", file
    end
    return file:match("(.*/)(.*)")
end

function util.splitFileNameSuffix(file)
    if file == nil or file == "" then
        return "", ""
    elseif not file:find("%.") then
        return file, ""
    end
    return file:match("(.*)%.(.*)")
end

function util.getFileNameSuffix(file)
    local _, suffix = util.splitFileNameSuffix(file)
    return suffix
end

function util.makePath(path)
    local made = path:sub(1, 1) == "/" and "" or "."
    for part in path:gmatch("[^/]+") do
        made = made .. "/" .. part
        if lfs.attributes(made, "mode") ~= "directory" then
            local ok, err = lfs.mkdir(made)
            if not ok then
                return nil, err
            end
        end
    end
    return true
end

function util.removePath(path)
    while path ~= "" and lfs.rmdir(path) do
        path = path:gsub("/[^/]*$", "")
    end
    return true
end

function util.removeFile(file)
    return os.remove(file)
end

function util.fileExists(path)
    return lfs.attributes(path, "mode") == "file"
end

function util.directoryExists(path)
    return lfs.attributes(path, "mode") == "directory"
end

function util.pathExists(path)
    return lfs.attributes(path, "mode") ~= nil
end

function util.findFiles(directory, found, recursive)
    if lfs.attributes(directory, "mode") ~= "directory" then
        return
    end
    for name in lfs.dir(directory) do
        local path = directory .. "/" .. name
        local mode = lfs.attributes(path, "mode")
        if mode == "directory" and name ~= "." and name ~= ".." and recursive ~= false then
            util.findFiles(path, found, recursive)
        elseif mode == "file" then
            found(path, name, lfs.attributes(path))
        end
    end
end

function util.readFromFile(path, mode)
    local file, err = io.open(path, mode or "rb")
    if not file then
        return nil, err
    end
    local data = file:read("*a")
    file:close()
    return data
end

function util.writeToFile(data, path, _, lua_dofile_ready)
    local file, err = io.open(path, "wb")
    if not file then
        return nil, err
    end
    if lua_dofile_ready then
        data = "-- " .. path .. "\nreturn " .. data .. "\n"
    end
    file:write(data)
    file:close()
    return true
end

function util.fixUtf8(text, replacement)
    local out, at = {}, 1
    while at <= #text do
        local good = text:match("^[%z\1-\127]+", at)
            or text:match("^[\194-\223][\128-\191]", at)
            or text:match("^\224[\160-\191][\128-\191]", at)
            or text:match("^[\225-\236\238\239][\128-\191][\128-\191]", at)
            or text:match("^\237[\128-\159][\128-\191]", at)
            or text:match("^\240[\144-\191][\128-\191][\128-\191]", at)
            or text:match("^[\241-\243][\128-\191][\128-\191][\128-\191]", at)
            or text:match("^\244[\128-\143][\128-\191][\128-\191]", at)
        out[#out + 1] = good or replacement
        at = at + (good and #good or 1)
    end
    return table.concat(out)
end

function util.cleanupSelectedText(text)
    text = text:gsub("^%s+", ""):gsub("%s+$", "")
    return (text:gsub("[ \t]*\n[ \t]*", "\n"):gsub("\194\173", ""))
end

function util.trim(text)
    return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

function util.tableDeepCopy(value, seen)
    if type(value) ~= "table" then
        return value
    end
    seen = seen or {}
    if seen[value] then
        return seen[value]
    end
    local copy = {}
    seen[value] = copy
    for k, v in pairs(value) do
        copy[util.tableDeepCopy(k, seen)] = util.tableDeepCopy(v, seen)
    end
    return setmetatable(copy, getmetatable(value))
end

function util.tableSize(t)
    local count = 0
    for _ in pairs(t) do
        count = count + 1
    end
    return count
end

function util.urlEncode(text)
    return (text:gsub("[^%w%-%._~!%*'%(%)]", function(c)
        return string.format("%%%02X", c:byte())
    end))
end

function util.getFriendlySize(size)
    if size >= 1000 * 1000 then
        return string.format("%.1f MB", size / 1000000)
    elseif size >= 1000 then
        return string.format("%.1f kB", size / 1000)
    end
    return string.format("%d B", size)
end

function util.getFormattedSize(size)
    local s = tostring(size)
    return (s:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

--- A name that FAT can hold: no reserved characters, at most 240 bytes.
function util.getSafeFilename(name)
    local stem, suffix = util.splitFileNameSuffix(name)
    stem = stem:gsub('[\\/:%*%?"<>|%c]', "_"):sub(1, 240 - #suffix)
    return util.fixUtf8(suffix ~= "" and stem .. "." .. suffix or stem, "")
end

function util.diskUsage(directory)
    return require("standin").disk or { available = 4 * 1024 * 1024 * 1024 }, directory
end

function util.secondsToClock(seconds)
    return string.format("%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60)
end

util.template = ffiutil.template

return util
