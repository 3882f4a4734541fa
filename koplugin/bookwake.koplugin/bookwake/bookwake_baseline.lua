--- What the server knows this reader to hold of a book's annotations, and what is different now.
--
-- Events do not tell: KOReader says nothing when the text of a note is edited, when a bookmark is removed from its
-- list, or when a sidecar is replaced (docs/reference/koreader.md 4.4). So the whole list is compared with what was
-- last known. Functions of values; positions are compared in one spelling.
--
-- An *entry* is an annotation as on the wire (docs/plugin-protocol.md). A *baseline* maps names to what is `known`:
-- `{f = fingerprint, k = key, u = when last changed}`.
local XPointer = require("bookwake_xpointer")

local Baseline = {}

Baseline.MANY = 10 -- deletions at once that a person must confirm
Baseline.SHARE = 0.3 -- of a book's annotations: the same

local function place(position)
    return position and (XPointer.canonical(position) or tostring(position)) or ""
end

--- What makes an entry the same though it has lost its name: kind, place and time of making.
function Baseline.key(entry)
    return table.concat({
        entry.type,
        place(entry.pos0),
        place(entry.pos1),
        tostring(entry.created_at or ""),
    }, "|")
end

--- Of all that counts; not of times, which KOReader touches without a change, nor of the chapter. The words of a
-- bookmark are KOReader's own ("in Chapter 3").
-- @param digest a function from bytes to a short text
function Baseline.fingerprint(entry, digest)
    return digest(table.concat({
        entry.type,
        place(entry.pos0),
        place(entry.pos1),
        entry.type == "bookmark" and "" or entry.text or "",
        entry.note or "",
        entry.note_format or "",
        entry.colour or "",
        entry.style or "",
    }, "\31"))
end

local function known_of(entry, digest)
    return { f = Baseline.fingerprint(entry, digest), k = Baseline.key(entry), u = entry.changed_at }
end
Baseline.known_of = known_of

--- The baseline after an operation, whether the server has answered it or not: what was told is not told again.
function Baseline.fold(items, operation)
    local body, known = operation.body, operation.known or {}
    local result = {}
    if not (operation.kind == "annotations" and body.complete) then
        for name, one in pairs(items) do
            result[name] = one
        end
    end
    if operation.kind == "annotations" then
        for _, one in ipairs(body.deleted or {}) do
            result[one.name] = nil
        end
    elseif operation.kind == "followed" then
        for _, one in ipairs(body.followed or {}) do
            if one.outcome == "removed" then
                result[one.name] = nil
            end
        end
    else
        return result
    end
    for name, one in pairs(known) do
        result[name] = one
    end
    return result
end

--- The baseline with all that waits in the outbox, and the number that the sidecar should have.
-- @param record a book's record (`bookwake_books`); @param operations of this file, oldest first
-- @return items, n
function Baseline.view(record, operations)
    local items, n = record.items or {}, record.n or 0
    for _, operation in ipairs(operations) do
        n = math.max(n, operation.n or 0)
        if operation.kind == "annotations" or operation.kind == "followed" then
            items = Baseline.fold(items, operation)
        end
    end
    return items, n
end

--- How a sidecar stands to the baseline: "bound" (the list is the one that was last captured, or was changed since by
-- this reader), "first" (nothing was ever captured) or "foreign" (copied, put back, lost by a crash).
-- @param marker what the sidecar has under our key: `{id, n}`, or nil
-- @param n of `view`; @param dom the engine's version of the document tree, which spells positions
function Baseline.binding(record, marker, n, dom)
    if type(marker) ~= "table" and n == 0 then
        return "first"
    end
    if type(marker) ~= "table" or marker.id ~= record.marker or marker.n ~= n then
        return "foreign"
    end
    if record.dom and dom and record.dom ~= dom then
        return "foreign"
    end
    return "bound"
end

-- Kind and place alone: what was lost in a crash, or deleted, and made again is the same annotation.
local function place_of(key)
    return key:match("^(.*)|[^|]*$")
end

--- Give each entry its name: the one it carries, one of the baseline for the same thing, or a new one.
-- @param new_name a function that gives a name never used before
-- @return entries whose `name` was not on the item
function Baseline.name(entries, items, new_name)
    local used, nameless, named = {}, {}, {}
    for _, entry in ipairs(entries) do
        if entry.name and not used[entry.name] then
            used[entry.name] = true
        else
            entry.name = nil -- a copy of another
            nameless[#nameless + 1] = entry
        end
    end
    if #nameless == 0 then
        return named
    end
    local by_key, by_place = {}, {}
    for name, one in pairs(items) do
        if not used[name] and one.k then
            by_key[one.k], by_place[place_of(one.k)] = name, name
        end
    end
    for _, entry in ipairs(nameless) do
        local name = by_key[Baseline.key(entry)]
        if name and not used[name] then
            entry.name, used[name] = name, true
        end
    end
    for _, entry in ipairs(nameless) do
        if not entry.name then
            local name = by_place[place_of(Baseline.key(entry))]
            entry.name = name and not used[name] and name or new_name()
            used[entry.name] = true
        end
        named[#named + 1] = entry
    end
    return named
end

--- Whether so many deletions that nobody was seen to make look like an accident; one alone is what people do.
function Baseline.is_suspicious(deleted, held)
    return deleted > Baseline.MANY or (deleted > 1 and deleted > Baseline.SHARE * held)
end

--- What is different from the baseline.
-- @param entries the list now, all with names
-- @param options `confirmed`: names that a person was seen to delete, with the time; `now`; `digest`;
-- `is_allowed`: a person has said that many are to be deleted
-- @return body, known, held: the fields of an operation (nil if nothing changed), what it makes known, and the names
-- of deletions that wait for a person
function Baseline.diff(items, entries, options)
    local body, known, held, present, count = { changed = {}, deleted = {} }, {}, {}, {}, 0
    for _, entry in ipairs(entries) do
        present[entry.name] = true
        local before, after = items[entry.name], known_of(entry, options.digest)
        if not before or before.f ~= after.f then
            if before and (entry.changed_at == nil or entry.changed_at == before.u) then
                entry.changed_at = options.now -- an edit that KOReader did not date
                after.u = before.u
            end
            table.insert(body.changed, entry)
            known[entry.name] = after
        end
    end
    local unsure = {}
    for name in pairs(items) do
        count = count + 1
        if not present[name] then
            if options.confirmed and options.confirmed[name] then
                table.insert(body.deleted, { name = name, at = options.confirmed[name], confirmed = true })
            else
                unsure[#unsure + 1] = name
            end
        end
    end
    table.sort(unsure)
    if options.is_allowed or not Baseline.is_suspicious(#unsure, count) then
        for _, name in ipairs(unsure) do
            table.insert(body.deleted, { name = name, at = options.now, confirmed = options.is_allowed or nil })
        end
    else
        held = unsure
    end
    table.sort(body.deleted, function(a, b)
        return a.name < b.name
    end)
    if #body.changed == 0 and #body.deleted == 0 then
        return nil, nil, held
    end
    return body, known, held
end

--- The whole list as found, for a sidecar that is not known: nothing is deleted, nothing taken for a change.
-- @param binding "first" or "foreign"
function Baseline.whole(entries, binding, digest)
    local body = { changed = {}, deleted = {}, complete = true, foreign = binding == "foreign" or nil }
    local known = {}
    for _, entry in ipairs(entries) do
        table.insert(body.changed, entry)
        known[entry.name] = known_of(entry, digest)
    end
    return body, known
end

return Baseline
