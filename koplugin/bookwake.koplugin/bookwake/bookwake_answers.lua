--- What the server's answers change on this reader: records, outbox and inbox.
--
-- The record is always written before an operation is taken out of the outbox: after a kill between the two it is sent
-- again, and the server knows it.
local Baseline = require("bookwake_baseline")
local Protocol = require("bookwake_protocol")

local Answers = {}

-- What the record of a file learns from the answer to one of its operations.
local function note(record, operation, answer)
    record.n = operation.n and math.max(record.n or 0, operation.n) or record.n
    if operation.kind == "annotations" or operation.kind == "followed" then
        record.items = Baseline.fold(record.items, operation)
        for _, one in ipairs(type(answer.annotations) == "table" and answer.annotations or {}) do
            if type(one) == "table" and type(one.name) == "string" then
                record.refused[one.name] = one.outcome == "rejected" and one.reason or nil
            end
        end
    elseif operation.kind == "state" and operation.known then
        record.state = operation.known
        record.state.version = answer.outcome ~= "duplicate" and answer.version or record.state.version
    elseif operation.kind == "progress" then
        if answer.version and (answer.outcome == "current" or answer.outcome == "echo") then
            record.told = math.max(record.told or 0, answer.version)
        end
    end
end

-- What was known when the server said that a file is of no book: its library, and what it takes the file for.
local function known_of(core, file)
    local match = core.books:record(file).match
    local book = match and match.book and match.book.id or ""
    return tostring(core.device.record.library or "") .. "/" .. tostring(book)
end

--- Whether an operation is to be sent now: not of a book that is left out, nor when the server has said that it has no
-- such book, its library is as it was then, and nobody has said since which book it is.
function Answers.may_be_sent(core, operation)
    if core.settings:is_left_out(operation.file) then
        return false
    end
    return operation.unmatched_in == nil or operation.unmatched_in ~= known_of(core, operation.file)
end

--- The answer to an operation.
-- @param result counts of this sync: `sent`, `refused`, `unmatched`
function Answers.operation(core, operation, answer, result)
    if answer.outcome == "unmatched" then
        operation.unmatched_in = known_of(core, operation.file)
        result.unmatched = result.unmatched + 1
        return
    end
    local record = core.books:record(operation.file)
    note(record, operation, answer)
    if not core.books:save(record) then
        return -- the card is full or broken: it stays in the outbox
    end
    if answer.outcome == "rejected" then
        core.outbox:reject(operation, answer.reason)
        result.refused = result.refused + 1
    else
        core.outbox:remove(operation)
        result.sent = result.sent + 1
    end
end

--- Books of which something changed on the server.
-- @return list of `{file, path}` that are here
function Answers.changed(core, changed)
    local found = {}
    for _, book in ipairs(type(changed.books) == "table" and changed.books or {}) do
        for _, entry in ipairs(core.books:files_of(book)) do
            found[#found + 1] = entry
        end
    end
    core.device:set({ cursor = changed.cursor })
    return found
end

--- What was pulled for a file; what the open book can take is put there at once.
-- @return the record; counts of what was put in: `placed`, `removed`, `unplaced`
function Answers.pulled(core, file, path, pulled)
    local record = core.books:record(file)
    path = path ~= "" and path or record.path
    if type(pulled.how) == "string" then
        local before = record.match or {}
        if before.how ~= pulled.how or (pulled.book and (before.book or {}).id ~= pulled.book.id) then
            core.books:matched(path, pulled, file, core.device.record.library)
        end
    end
    record.place = Protocol.place(pulled.progress)
    record.elsewhere = type(pulled.unplaced) == "table" and pulled.unplaced or nil
    record.last_sync = core.clock()
    record.path = path
    core.books:save(record)
    local annotations = {}
    for _, given in ipairs(type(pulled.annotations) == "table" and pulled.annotations or {}) do
        annotations[#annotations + 1] = Protocol.instruction(given)
    end
    local state = type(pulled.state) == "table" and type(pulled.state.version) == "number" and pulled.state or nil
    if state and record.state and record.state.version == state.version then
        state = nil
    end
    core.inbox:put(file, { annotations = annotations, state = state })
    local reader = core.reader()
    local counts = reader and reader.file == file and reader.arrived() or {}
    return record, { placed = counts.placed or 0, removed = counts.removed or 0, unplaced = counts.unplaced or 0 }
end

return Answers
