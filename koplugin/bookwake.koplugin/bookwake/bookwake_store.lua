--- The plugin's durable state: small JSON files under one folder.
--
-- Each has a `schema`. One that cannot be read is put into `bad/` and reported, never deleted; one of a later schema
-- (an update was taken back) is left alone, and nothing is written over it.
local Store = {}
Store.__index = Store

Store.SCHEMA = 1
local LARGEST = 16 * 1024 * 1024

--- @param options `root`: the folder; `files`: bookwake_files; `json`: bookwake_json
function Store.new(options)
    local self = setmetatable({}, Store)
    self.root = options.root
    self.files = options.files
    self.json = options.json
    --- What was put aside since the start: `{name, why}`.
    self.quarantined = {}
    self._newer = {}
    return self
end

local function path_of(self, name)
    return self.root .. "/" .. name
end

--- Remove what a kill in the middle of a write left behind.
function Store:tidy()
    for _, folder in ipairs({ "", "books", "outbox", "inbox", "rejected" }) do
        local path = folder == "" and self.root or path_of(self, folder)
        for _, name in ipairs(self.files.list(path)) do
            if name:match("%.tmp$") then
                self.files.remove(path .. "/" .. name)
            end
        end
    end
end

local function put_aside(self, name, why)
    self.files.make_dir(path_of(self, "bad"))
    local plain = name:gsub("/", "-")
    for n = 1, 1000 do
        local target = path_of(self, "bad/" .. n .. "-" .. plain)
        if not self.files.exists(target) then
            self.files.rename(path_of(self, name), target)
            break
        end
    end
    table.insert(self.quarantined, { name = name, why = why })
end

--- @param name relative to the root, such as "books/0a….json"
-- @return the table, or nil and "missing", "bad" or "newer"
function Store:read(name)
    local path = path_of(self, name)
    if not self.files.exists(path) then
        return nil, "missing"
    end
    local data, err = self.files.read(path, LARGEST)
    local value
    if data then
        value, err = self.json.decode(data)
    end
    if not value or type(value.schema) ~= "number" then
        put_aside(self, name, err or "not ours")
        return nil, "bad"
    end
    if value.schema > Store.SCHEMA then
        self._newer[name] = true
        return nil, "newer"
    end
    return value
end

--- @return true when it is on the card, or nil and why
function Store:write(name, value)
    if self._newer[name] then
        return nil, "newer"
    end
    value.schema = Store.SCHEMA
    local text, err = self.json.encode(value)
    if not text then
        return nil, err
    end
    local path = path_of(self, name)
    self.files.make_dir(path:match("^(.+)/[^/]+$"))
    return self.files.write(path, text)
end

function Store:remove(name)
    return self.files.remove(path_of(self, name))
end

--- Move a file within the store.
function Store:move(from, to)
    local path = path_of(self, to)
    self.files.make_dir(path:match("^(.+)/[^/]+$"))
    return self.files.rename(path_of(self, from), path)
end

--- The names of the JSON files in a folder, sorted.
function Store:list(folder)
    local names = {}
    for _, name in ipairs(self.files.list(path_of(self, folder))) do
        if name:match("%.json$") then
            names[#names + 1] = name
        end
    end
    return names
end

return Store
