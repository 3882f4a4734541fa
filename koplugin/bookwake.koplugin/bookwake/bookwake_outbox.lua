--- Operations that the server has not taken yet, a file each, in the order they were made.
--
-- When `add` returns, the operation is on the card. One that was handed out may have reached the server whatever
-- happens then, so from that moment it is never changed, only sent again under its own id; the same holds for all that
-- is found at the start. Until then a newer one of the same book may take its place (`bookwake_coalesce`).
local Outbox = {}
Outbox.__index = Outbox

Outbox.MOST = 5000 -- operations
Outbox.LARGEST = 8 * 1024 * 1024 -- bytes

--- @param options `store`, `device`, `clock`: seconds since 1970
function Outbox.open(options)
    local self = setmetatable({}, Outbox)
    self.store, self.device, self.clock = options.store, options.device, options.clock
    self.operations = {}
    self.bytes = 0
    for _, name in ipairs(self.store:list("outbox")) do
        local operation = self.store:read("outbox/" .. name)
        if operation and operation.id and operation.body then
            operation.name = name
            operation.body.changed = operation.body.changed or nil
            self.operations[#self.operations + 1] = operation
        end
    end
    self.last = #self.operations > 0 and self.operations[#self.operations].sequence or 0
    return self
end

--- Write an operation.
-- @param given `kind`, `file`, `body` (the fields of the wire), `at` if not now, and what is for ourselves: `path`,
-- `known` and `n` (`bookwake_baseline`)
-- @param instead one that was never handed out, whose place it takes
-- @return the operation, or nil and why: then nothing has changed
function Outbox:add(given, instead)
    local sequence, err = self.device:next(self.last)
    if not sequence then
        return nil, err
    end
    local operation = {
        id = self.device:name(sequence),
        sequence = sequence,
        kind = given.kind,
        file = given.file,
        path = given.path,
        at = given.at or self.clock(),
        body = given.body,
        known = given.known,
        n = given.n,
    }
    local name = string.format("%010d-%s.json", sequence, given.kind)
    local ok, why = self.store:write("outbox/" .. name, operation)
    if not ok then
        return nil, why
    end
    operation.name = name
    operation.is_fresh = true
    self.last = sequence
    table.insert(self.operations, operation)
    if instead then
        assert(instead.is_fresh, "an operation that may have been sent is not changed")
        self:remove(instead)
    end
    self:_make_room()
    return operation
end

--- What waits of one file, oldest first. @param kind or nil for all
function Outbox:of(file, kind)
    local found = {}
    for _, operation in ipairs(self.operations) do
        if operation.file == file and (not kind or operation.kind == kind) then
            found[#found + 1] = operation
        end
    end
    return found
end

--- The last operation of a kind and file, if it may still be replaced.
function Outbox:replaceable(file, kind)
    local found = self:of(file, kind)
    local last = found[#found]
    return last and last.is_fresh and last or nil
end

--- The next ones to send, in order; they are frozen by it.
-- @param most at most so many
-- @param accepts optional: a function of an operation, false for one that is to stay
function Outbox:take(most, accepts)
    local taken = {}
    for _, operation in ipairs(self.operations) do
        if #taken >= most then
            break
        end
        if not accepts or accepts(operation) then
            operation.is_fresh = nil
            taken[#taken + 1] = operation
        end
    end
    return taken
end

--- The server has it, or it is superseded.
function Outbox:remove(operation)
    for index, one in ipairs(self.operations) do
        if one == operation then
            table.remove(self.operations, index)
            break
        end
    end
    self.store:remove("outbox/" .. operation.name)
end

--- The server will never take it: it is put aside, where the status page shows it.
function Outbox:reject(operation, reason)
    operation.reason = reason
    local copy = {}
    for key, value in pairs(operation) do
        copy[key] = value
    end
    if self.store:write("rejected/" .. operation.name, copy) then
        self:remove(operation)
    end
end

--- @param accepts optional: a function of an operation, false for one that does not count
-- @return total, by_kind, oldest (seconds since 1970 or nil)
function Outbox:count(accepts)
    local total, by_kind, oldest = 0, {}, nil
    for _, operation in ipairs(self.operations) do
        if not accepts or accepts(operation) then
            total = total + 1
            by_kind[operation.kind] = (by_kind[operation.kind] or 0) + 1
            if not oldest or operation.at < oldest then
                oldest = operation.at
            end
        end
    end
    return total, by_kind, oldest
end

--- Beyond the limit the oldest places that newer ones have overtaken go; nothing else is ever dropped.
function Outbox:_make_room()
    if #self.operations <= Outbox.MOST then
        return
    end
    local newest = {}
    for _, operation in ipairs(self.operations) do
        if operation.kind == "progress" then
            newest[operation.file] = operation
        end
    end
    for _, operation in ipairs({ unpack(self.operations) }) do
        if #self.operations <= Outbox.MOST then
            return
        end
        if operation.kind == "progress" and newest[operation.file] ~= operation then
            self:remove(operation)
        end
    end
end

return Outbox
