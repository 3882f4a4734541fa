--- What is known of each file: the book it is, what the server knows this reader to hold of it, where the person is.
--
-- `books/<digest>.json` is the *record* of a file:
--   file, path, title; match = {how, book}; library: of the server when it was asked; book: the last that it was known
--   to be; moved_from: the one it was taken for before, which the server has not been told yet
--   device, marker, n, dom, items: the baseline of its annotations (`bookwake_baseline`)
--   state = {status, rating, review, version}: the same of the book's state (`bookwake_summary`)
--   place: where the person is, as pulled last; told: version of the place that this reader shows or was told of
--   unplaced, refused: what could not be shown here, what the server refused, by name; last_sync
-- `library.json` says which file is which book, so that not all records need to be read to find one.
local Books = {}
Books.__index = Books

--- @param options `store`; `digests`: bookwake_digest; `settings`: bookwake_settings
function Books.open(options)
    local self = setmetatable({}, Books)
    self.store, self.digests, self.settings = options.store, options.digests, options.settings
    self.records = {}
    local index = self.store:read("library.json") or {}
    self.index = index.files or {}
    return self
end

--- The digest of a file's bytes, nil when it cannot be read.
function Books:identify(path)
    local file = self.digests:of(path)
    if file then
        self.settings:found(file, path)
    end
    return file
end

--- The record of a file, an empty one if nothing is known.
function Books:record(file)
    local record = self.records[file]
    if not record then
        local kept, why = self.store:read("books/" .. file .. ".json")
        record = kept or {}
        record.file = file
        record.items = record.items or {}
        record.unplaced = record.unplaced or {}
        record.refused = record.refused or {}
        record.is_newer = why == "newer" or nil
        self.records[file] = record
    end
    return record
end

--- @return true when it is on the card
function Books:save(record)
    return self.store:write("books/" .. record.file .. ".json", record)
end

-- The file is another book than it was taken for: what is known of it was said of that other one. All of it is told
-- again.
local function move(record)
    record.moved_from = record.device and record.book or record.moved_from
    record.device, record.state, record.told, record.place = nil, nil, nil, nil
    record.unplaced, record.refused = {}, {}
end

--- Keep what the server answered about a file.
-- @param match as in docs/plugin-protocol.md: `how`, `book`, `proposals`
-- @param file its digest, where that is known; @param library of the server at that time
-- @param is_one_of_many `save_index` is called after the last
function Books:matched(path, match, file, library, is_one_of_many)
    file = file or self:identify(path)
    if not file then
        return nil, "cannot read " .. path
    end
    local record = self:record(file)
    local book = match.book
    record.path = path or record.path
    record.match = { how = match.how, book = book, proposals = match.proposals }
    record.library = library or record.library
    local id = book and book.id or nil
    if id and record.book and id ~= record.book then
        move(record)
    end
    record.book = id or record.book
    local ok, err = self:save(record)
    local entry = self.index[file]
    if not entry or entry.book ~= id or entry.path ~= record.path then
        self.index[file] = { book = id, path = record.path }
        self.is_index_changed = true
    end
    if not is_one_of_many then
        self:save_index()
    end
    return ok, err
end

function Books:save_index()
    if self.is_index_changed then
        self.store:write("library.json", { files = self.index })
        self.is_index_changed = nil
    end
end

--- Let go of the records in memory, all but one.
-- @param file digest of the open book, or nil
function Books:let_go(file)
    self.records = { [file or ""] = file and self.records[file] or nil }
end

--- Whether the file is known to be a book, and how.
-- @return "exact", "stored", "identifier", "linked", "none", or nil when nobody asked yet
function Books:how(file)
    local match = self:record(file).match
    return match and match.how
end

--- The files that are the given book.
-- @return list of `{file, path}`
function Books:files_of(book)
    local found = {}
    for file, entry in pairs(self.index) do
        if entry.book ~= nil and tostring(entry.book) == tostring(book) then
            found[#found + 1] = { file = file, path = entry.path }
        end
    end
    return found
end

return Books
