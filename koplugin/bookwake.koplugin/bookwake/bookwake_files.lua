--- Files as the plugin's own state needs them: whole or not at all, whatever moment the power goes.
--
-- KOReader's own settings files are rewritten in place, and a crash in the middle leaves a truncated one
-- (docs/reference/koreader.md 3.13). Here a file is written beside, forced to the card and put in place by a rename.
local Files = {}

--- @param lfs LuaFileSystem
-- @param ffiutil KOReader's `ffi/util`: `fsyncOpenedFile`, `fsyncDirectory`
function Files.new(lfs, ffiutil)
    local files = {}

    --- @return mode ("file", "directory"), size and modification time, or nil
    function files.attributes(path)
        return lfs.attributes(path)
    end

    function files.exists(path)
        return lfs.attributes(path, "mode") ~= nil
    end

    --- Make a folder and those above it.
    function files.make_dir(path)
        if path == "" or lfs.attributes(path, "mode") == "directory" then
            return true
        end
        local above = path:match("^(.+)/[^/]+/?$")
        if above then
            files.make_dir(above)
        end
        lfs.mkdir(path)
        return lfs.attributes(path, "mode") == "directory"
    end

    --- The whole file, if it is no longer than `limit` bytes.
    -- @return bytes, or nil and why
    function files.read(path, limit)
        local handle, err = io.open(path, "rb")
        if not handle then
            return nil, err
        end
        local data = handle:read(limit and limit + 1 or "*a") or ""
        handle:close()
        if limit and #data > limit then
            return nil, "too long"
        end
        return data
    end

    --- Replace a file. When this returns true the bytes are on the card; else the old ones still are.
    function files.write(path, data)
        local beside = path .. ".tmp"
        local handle, err = io.open(beside, "wb")
        if not handle then
            return nil, err
        end
        local written, why = handle:write(data)
        written = written and handle:flush()
        if written then
            -- Some file systems cannot; the rename below is still the best there is.
            pcall(ffiutil.fsyncOpenedFile, handle)
        end
        handle:close()
        if not written then
            os.remove(beside)
            return nil, why or "cannot write"
        end
        local renamed, reason = os.rename(beside, path)
        if not renamed then
            os.remove(beside)
            return nil, reason
        end
        pcall(ffiutil.fsyncDirectory, path)
        return true
    end

    function files.remove(path)
        return os.remove(path)
    end

    function files.rename(from, to)
        return os.rename(from, to)
    end

    --- The names in a folder, sorted.
    function files.list(path)
        local names = {}
        if lfs.attributes(path, "mode") == "directory" then
            for name in lfs.dir(path) do
                if name ~= "." and name ~= ".." then
                    names[#names + 1] = name
                end
            end
        end
        table.sort(names)
        return names
    end

    return files
end

return Files
