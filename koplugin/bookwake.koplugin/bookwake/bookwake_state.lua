--- What there is to show of all this: what waits, what became of a book, what went wrong.
local State = {}
State.__index = State

function State.new(core)
    return setmetatable({ core = core }, State)
end

--- What the server has not taken yet, but of books that are left out: `{total, by_kind, oldest}`.
function State:pending()
    local total, by_kind, oldest = self.core.outbox:count(function(operation)
        return not self.core.settings:is_left_out(operation.file)
    end)
    return { total = total, by_kind = by_kind, oldest = oldest }
end

local function listed(by_name)
    local list = {}
    for name, one in pairs(by_name or {}) do
        if type(one) == "table" then
            list[#list + 1] = { name = name, text = one.text, note = one.note, reason = one.reason }
        else
            list[#list + 1] = { name = name, reason = one }
        end
    end
    table.sort(list, function(a, b)
        return a.name < b.name
    end)
    return list
end

--- What is known of a file, nil when it cannot be read.
function State:book(path)
    local core = self.core
    local file = core.books:identify(path)
    if not file then
        return nil
    end
    local record = core.books:record(file)
    local reader = core.reader()
    return {
        file = file,
        is_left_out = core.settings:is_left_out(file),
        match = record.match,
        last_sync = record.last_sync,
        pending = #core.outbox:of(file),
        place = record.place,
        unplaced = listed(record.unplaced),
        elsewhere = record.elsewhere or {},
        refused = listed(record.refused),
        held_deletions = reader and reader.file == file and reader.held_deletions() or 0,
    }
end

--- Files of no known book: `{file, path, title, authors, proposals}`.
function State:unmatched()
    local list = {}
    for file, entry in pairs(self.core.books.index) do
        if entry.book == nil and not self.core.settings:is_left_out(file) then
            local record = self.core.books:record(file)
            if record.match and record.match.how == "none" then
                local about = entry.path and self.core.describe(file, entry.path) or {}
                list[#list + 1] = {
                    file = file,
                    path = entry.path,
                    title = about.title,
                    authors = about.authors,
                    proposals = record.match.proposals,
                }
            end
        end
    end
    table.sort(list, function(a, b)
        return (a.path or "") < (b.path or "")
    end)
    return list
end

--- What went wrong last, and what was put aside: `{last_error, since, quarantined, rejected}`.
function State:trouble()
    local core = self.core
    return {
        last_error = core.last_error,
        since = core.failing_since,
        quarantined = core.store.quarantined,
        rejected = #core.store:list("rejected"),
    }
end

return State
