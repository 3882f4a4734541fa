-- The list of books that were opened, newest first. Entries of deleted files stay.
local lfs = require("lfs")

local ReadHistory = { hist = {} }

function ReadHistory:_path()
    return require("datastorage"):getDataDir() .. "/history.lua"
end

function ReadHistory:load()
    local ok, stored = pcall(dofile, self:_path())
    self.hist = {}
    for _, entry in ipairs(ok and stored or {}) do
        table.insert(self.hist, self:_item(entry.file, entry.time))
    end
end

function ReadHistory:_item(file, time)
    return { file = file, time = time, text = file:match("[^/]*$"), dim = lfs.attributes(file, "mode") ~= "file" }
end

function ReadHistory:addItem(file, time)
    for i, entry in ipairs(self.hist) do
        if entry.file == file then
            table.remove(self.hist, i)
            break
        end
    end
    table.insert(self.hist, 1, self:_item(file, time or os.time()))
    local stored = {}
    for i, entry in ipairs(self.hist) do
        stored[i] = { file = entry.file, time = entry.time }
    end
    require("util").writeToFile(require("dump")(stored), self:_path(), true, true)
    G_reader_settings:saveSetting("lastfile", file)
end

return ReadHistory
