--- One operation instead of two of the same book, while neither has been sent.
--
-- What the server learns by the one is what it would have learned by both. Functions of values.
local Coalesce = {}

local function by_name(list)
    local index = {}
    for _, one in ipairs(list or {}) do
        index[one.name] = one
    end
    return index
end

--- @param first, second what changed since the baseline, and what changed since `first`: `body` and `known` of two
-- annotation operations, neither a whole list
-- @param before names that the server (or an operation before these) knows
-- @return body, known
function Coalesce.annotations(first, second, before)
    local later, gone = by_name(second.body.changed), by_name(second.body.deleted)
    local body, known = { changed = {}, deleted = {} }, {}
    for _, one in ipairs(first.body.changed or {}) do
        if not later[one.name] and not gone[one.name] then
            table.insert(body.changed, one)
        end
    end
    for _, one in ipairs(second.body.changed or {}) do
        table.insert(body.changed, one)
    end
    local again = by_name(second.body.changed)
    for _, one in ipairs(first.body.deleted or {}) do
        if not again[one.name] then -- made again meanwhile: then it was not deleted
            table.insert(body.deleted, one)
        end
    end
    local deleted = by_name(first.body.deleted)
    for _, one in ipairs(second.body.deleted or {}) do
        if before[one.name] and not deleted[one.name] then -- what nobody was told of need not be taken back
            table.insert(body.deleted, one)
        end
    end
    for _, one in ipairs(body.changed) do
        known[one.name] = (second.known and second.known[one.name]) or (first.known and first.known[one.name])
    end
    return body, known
end

--- Newest value of each field, oldest base.
function Coalesce.state(first, second)
    local body = { fields = {}, base = first.body.base, by = first.body.by }
    for name, value in pairs(first.body.fields) do
        body.fields[name] = value
    end
    for name, value in pairs(second.body.fields) do
        body.fields[name] = value
    end
    if second.body.by == "person" or (second.body.fields.status and second.body.by) then
        body.by = second.body.by
    end
    return body, second.known
end

return Coalesce
